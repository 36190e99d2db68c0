import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { RunTable } from '../discovery/RunTable.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type BadClient, badClientsQuery } from './insight-queries.ts';

/** OAuth clients that feeds or people called compromised, with how many grants of connected tools they hold. */
export function CompromisedClients() {
  const can = useCan();
  const clients = useQuery(badClientsQuery);
  const [isAdding, setAdding] = useState(false);
  const [cutting, setCutting] = useState<BadClient | null>(null);
  const runs = clients.data?.runs ?? [];
  const remove = useCommand({
    run: async (clientId: string) =>
      taken(await api.DELETE('/api/v1/compromised-clients/{clientId}', { params: { path: { clientId } } })),
    changes: [['compromised-clients']],
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={clients.error ?? remove.error} />
      <Table<BadClient>
        variant="container"
        wrapLines
        loading={clients.isPending}
        loadingText="Loading compromised clients"
        items={clients.data?.items ?? []}
        trackBy="clientId"
        ariaLabels={{ tableLabel: 'Compromised OAuth clients' }}
        header={
          <Header
            variant="h2"
            description="A grant of one of these in a connected tool opens a case."
            actions={can('vendor.write') ? <Button onClick={() => setAdding(true)}>Add client</Button> : null}
          >
            Compromised OAuth clients
          </Header>
        }
        columnDefinitions={[
          { id: 'client', header: 'Client ID', isRowHeader: true, cell: (row) => row.clientId },
          { id: 'reason', header: 'Why', cell: (row) => row.reason },
          { id: 'source', header: 'Told by', cell: (row) => `${row.source}, ${showDay(row.at)}` },
          {
            id: 'grants',
            header: 'Grants found',
            minWidth: 240,
            cell: (row) => <Grants client={row} />,
          },
          {
            id: 'act',
            header: 'Action',
            cell: (row) =>
              can('vendor.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  {row.found.length > 0 && can('discovery.decide') ? (
                    <Button variant="inline-link" ariaLabel={`Cut ${row.clientId}`} onClick={() => setCutting(row)}>
                      Cut
                    </Button>
                  ) : null}
                  <Button
                    variant="inline-link"
                    ariaLabel={`Remove ${row.clientId}`}
                    onClick={() => remove.mutate(row.clientId)}
                  >
                    Remove
                  </Button>
                </SpaceBetween>
              ) : (
                '-'
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">No client is called compromised.</Box>}
      />
      {runs.length > 0 ? <RunTable title="What was cut" runs={runs} /> : null}
      {cutting ? <CutDialog client={cutting} onClose={() => setCutting(null)} /> : null}
      {isAdding ? <ClientDialog onClose={() => setAdding(false)} /> : null}
    </SpaceBetween>
  );
}

/** The grants that tools show now; those that were found before are gone from the tool. */
function Grants({ client: { grants, found } }: { readonly client: BadClient }) {
  if (grants === 0) return <>None</>;
  if (found.length === 0) return <StatusIndicator type="success">{`None any more, of ${grants}`}</StatusIndicator>;
  return (
    <SpaceBetween size="xxs">
      {found.map(({ text, connectionId }) => (
        <StatusIndicator key={text} type="error">
          {`${text} `}
          <RouteLink href={`/connections/${connectionId}`}>the tool</RouteLink>
        </StatusIndicator>
      ))}
    </SpaceBetween>
  );
}

function CutDialog({ client, onClose }: { readonly client: BadClient; readonly onClose: () => void }) {
  const [reason, setReason] = useState(client.reason);
  const cut = useCommand({
    run: async () => {
      const body = { clientId: client.clientId, reason };
      return taken(await api.POST('/api/v1/compromised-clients/cuts', { body }));
    },
    done: 'Its grants are being taken away.',
    changes: [['compromised-clients'], ['discovery'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Cut ${client.clientId}`}
      button="Take its grants away"
      isReady={reason.trim().length >= 3}
      command={{ isPending: cut.isPending, error: cut.error, mutate: () => cut.mutate(undefined) }}
      onClose={onClose}
    >
      <Grants client={client} />
      <FormField label="Reason" description="Kept as evidence." errorText={fieldProblem(cut.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function ClientDialog({ onClose }: { readonly onClose: () => void }) {
  const [clientId, setClientId] = useState('');
  const [reason, setReason] = useState('');
  const add = useCommand({
    run: async () => taken(await api.POST('/api/v1/compromised-clients', { body: { clientId, reason } })),
    done: 'Its grants are looked for.',
    changes: [['compromised-clients']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add a compromised client"
      button="Add"
      isReady={clientId.trim() !== '' && reason.trim() !== ''}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Client ID" errorText={fieldProblem(add.error, 'clientId')}>
        <Input value={clientId} onChange={({ detail }) => setClientId(detail.value)} />
      </FormField>
      <FormField label="Why" errorText={fieldProblem(add.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
