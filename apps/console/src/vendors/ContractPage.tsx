import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { HoursDialog } from './HoursDialog.tsx';
import { type Contract, contractQuery } from './vendor-queries.ts';

type Clause = Contract['check']['clauses'][number];

const STATES = {
  present: ['success', 'Present'],
  weaker: ['warning', 'Weaker than policy'],
  negated: ['error', 'Denied'],
  missing: ['error', 'Missing'],
} as const;

export function ContractPage() {
  const { id } = useParams({ from: '/inside/contracts/$id' });
  const contract = useQuery(contractQuery(id));
  return <QueryState query={contract}>{(data) => <OneContract contract={data} />}</QueryState>;
}

function OneContract({ contract }: { readonly contract: Contract }) {
  const { clauses, findings } = contract.check;
  return (
    <Page
      title={contract.title}
      description={`${clauses.length - findings.length} of ${clauses.length} clauses hold`}
      parents={[
        { text: 'Vendors', href: '/vendors' },
        { text: 'Vendor', href: `/vendors/${contract.vendorId}` },
      ]}
      actions={<Button href={`/api/v1/vendors/${contract.vendorId}/files/${contract.fileId}/content`}>Download</Button>}
    >
      <SpaceBetween size="m">
        {clauses.map((clause) => (
          <OneClause key={clause.id} contract={contract} clause={clause} />
        ))}
      </SpaceBetween>
    </Page>
  );
}

function OneClause({ contract, clause }: { readonly contract: Contract; readonly clause: Clause }) {
  const can = useCan();
  const confirm = useCommand({
    run: async (verdict: 'confirmed' | 'rejected') => {
      const params = { path: { id: contract.id, clauseId: clause.id } };
      return taken(
        await api.PUT('/api/v1/contracts/{id}/clauses/{clauseId}', {
          params,
          body: { verdict, hours: null, note: '' },
        }),
      );
    },
    changes: [['contracts'], ['vendors']],
  });
  const [isCorrecting, setCorrecting] = useState(false);
  const [type, label] = STATES[clause.status];
  const said = contract.confirmations[clause.id];
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={clause.references.map(({ law, article }) => `${law} ${article}`).join(' · ')}
          actions={
            can('vendor.write') ? (
              <SpaceBetween direction="horizontal" size="xs">
                <Button ariaLabel={`Confirm ${clause.title}`} onClick={() => confirm.mutate('confirmed')}>
                  Confirm
                </Button>
                <Button ariaLabel={`Not so: ${clause.title}`} onClick={() => confirm.mutate('rejected')}>
                  Not so
                </Button>
                {clause.clock ? (
                  <Button ariaLabel={`Correct the hours: ${clause.title}`} onClick={() => setCorrecting(true)}>
                    Correct the hours
                  </Button>
                ) : null}
              </SpaceBetween>
            ) : null
          }
        >
          {clause.title}
        </Header>
      }
    >
      <SpaceBetween size="xs">
        <ProblemAlert error={confirm.error} />
        <SpaceBetween direction="horizontal" size="m">
          <StatusIndicator type={type}>{label}</StatusIndicator>
          {clause.clock ? <Box fontWeight="bold">{clause.clock.text}</Box> : null}
          {said ? (
            <StatusIndicator type="info">
              {`${said.verdict} by ${said.by}${said.hours === null ? '' : `, ${said.hours} hours`}`}
            </StatusIndicator>
          ) : null}
        </SpaceBetween>
        {clause.reasons.map((reason) => (
          <Box key={reason}>{reason}</Box>
        ))}
        {clause.spans.map(({ start, page, text }) => (
          <Box key={start} color="text-body-secondary">
            “{text}” (page {page})
          </Box>
        ))}
      </SpaceBetween>
      {isCorrecting ? <HoursDialog contract={contract} clause={clause} onClose={() => setCorrecting(false)} /> : null}
    </Container>
  );
}
