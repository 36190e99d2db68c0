import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Approval } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showLeft } from './left.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { useNow } from '../display/use-now.ts';
import { ApprovalDialog } from './ApprovalDialog.tsx';
import { ApprovalState } from './ApprovalState.tsx';
import { approvalsQuery } from './approval-queries.ts';

/** Calls that integrations may only make when a second person agreed; who decides sees what exactly is asked. */
export function ApprovalsPage() {
  const approvals = useQuery(approvalsQuery);
  const now = useNow(1_000);
  const [shownId, setShownId] = useState<string | null>(null);
  const items = approvals.data ?? [];
  const shown = items.find(({ id }) => id === shownId);
  const waiting = items.filter(({ state }) => state === 'pending').length;
  return (
    <Page
      title="Approvals"
      description="Sensitive calls that an integration may make only after a second person agreed. Whoever owns the integration can’t approve it."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={approvals.error} onRetry={() => void approvals.refetch()} />
        <Table<Approval>
          variant="container"
          loading={approvals.isPending}
          loadingText="Loading approvals"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Approvals' }}
          header={
            <Header variant="h2" counter={`(${waiting} waiting)`}>
              Requests
            </Header>
          }
          columnDefinitions={[
            {
              id: 'call',
              header: 'Call',
              isRowHeader: true,
              cell: (row) => (
                <Button
                  variant="inline-link"
                  ariaLabel={`${row.decidable ? 'Decide' : 'Show'} ${row.call.operation} of ${row.integration.name}`}
                  onClick={() => setShownId(row.id)}
                >
                  {row.call.app}: {row.call.operation}
                </Button>
              ),
            },
            { id: 'integration', header: 'Integration', cell: (row) => row.integration.name },
            { id: 'message', header: 'It says', cell: (row) => row.message ?? '-' },
            { id: 'state', header: 'State', cell: (row) => <ApprovalState state={row.state} /> },
            {
              id: 'left',
              header: 'Time left',
              cell: (row) => (row.state === 'pending' ? showLeft(row.expiresAt, now) : '-'),
            },
            { id: 'by', header: 'Decided by', cell: (row) => row.decidedBy?.name ?? '-' },
            { id: 'asked', header: 'Asked', cell: (row) => <Ago at={row.createdAt} /> },
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              Nobody has asked yet. Which calls need an approval is set under Requirements.
            </Box>
          }
        />
      </SpaceBetween>
      {shown ? <ApprovalDialog approval={shown} onClose={() => setShownId(null)} /> : null}
    </Page>
  );
}
