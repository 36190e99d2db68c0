import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ForwardTarget } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { ForwardForm } from './ForwardForm.tsx';
import { forwardsQuery } from './outgoing-queries.ts';

const KINDS = { splunk: 'Splunk', elastic: 'Elastic', syslog: 'Syslog (CEF)', s3: 'S3', webhook: 'Webhook' } as const;

/** Where events go on to, how far each target has got, and what stands in its way. */
export function ForwardingPage() {
  const can = useCan();
  const targets = useQuery(forwardsQuery);
  const [isAdding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<ForwardTarget | null>(null);
  const change = useCommand<ForwardTarget, unknown>({
    run: async ({ id, status }) =>
      taken(
        await api.PATCH('/api/v1/forward-targets/{id}', {
          params: { path: { id } },
          body: { status: status === 'paused' ? 'active' : 'paused' },
        }),
      ),
    changes: [['forwards'], ['audit']],
  });
  const remove = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/forward-targets/{id}', { params: { path: { id } } })),
    done: 'Nothing is forwarded there any more.',
    changes: [['forwards'], ['audit']],
    onDone: () => setRemoving(null),
  });
  return (
    <Page
      title="Forwarding"
      description="Events go on to other systems, at least once each, with a place kept for every target."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={targets.error ?? change.error} />
        <Table<ForwardTarget>
          variant="container"
          wrapLines
          loading={targets.isPending}
          loadingText="Loading targets"
          items={targets.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Forwarding targets' }}
          header={
            <Header
              variant="h2"
              counter={`(${targets.data?.length ?? 0})`}
              actions={
                can('detection.write') ? (
                  <Button variant="primary" onClick={() => setAdding(true)}>
                    Add target
                  </Button>
                ) : null
              }
            >
              Targets
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            { id: 'kind', header: 'Kind', cell: (row) => KINDS[row.kind] },
            { id: 'place', header: 'To', cell: (row) => row.place },
            { id: 'query', header: 'What', cell: (row) => (row.query === '' ? 'everything' : row.query) },
            { id: 'state', header: 'State', cell: (row) => <State target={row} /> },
            { id: 'sent', header: 'Sent', cell: (row) => row.sent.toLocaleString('en') },
            { id: 'refused', header: 'Refused', cell: (row) => row.refused.toLocaleString('en') },
            { id: 'last', header: 'Last sent', cell: (row) => <Ago at={row.lastSentAt} none="never" /> },
            {
              id: 'act',
              header: '',
              cell: (row) =>
                can('detection.write') ? (
                  <SpaceBetween direction="horizontal" size="xs">
                    <Button
                      variant="inline-link"
                      ariaLabel={`${row.status === 'paused' ? 'Resume' : 'Pause'} ${row.name}`}
                      onClick={() => change.mutate(row)}
                    >
                      {row.status === 'paused' ? 'Resume' : 'Pause'}
                    </Button>
                    <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoving(row)}>
                      Remove
                    </Button>
                  </SpaceBetween>
                ) : null,
            },
          ]}
          empty={<Box color="text-body-secondary">Nothing is forwarded.</Box>}
        />
      </SpaceBetween>
      {isAdding ? <ForwardForm onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}`}
          text="Its place is forgotten. What it has stays there."
          button="Remove"
          command={remove}
          input={removing.id}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </Page>
  );
}

function State({ target }: { readonly target: ForwardTarget }) {
  if (target.status === 'paused') return <StatusIndicator type="stopped">Paused</StatusIndicator>;
  if (target.status === 'failing')
    return <StatusIndicator type="error">{target.lastError ?? 'Failing'}</StatusIndicator>;
  if (target.lagMs > 0) {
    return <StatusIndicator type="warning">{Math.round(target.lagMs / 1_000)} s behind</StatusIndicator>;
  }
  if (target.lastRefusal !== null)
    return <StatusIndicator type="warning">Refused: {target.lastRefusal}</StatusIndicator>;
  return <StatusIndicator type="success">Up to date</StatusIndicator>;
}
