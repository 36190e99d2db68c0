import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { paths } from '@cordon/client';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';

type Use =
  paths['/api/v1/integrations/{id}/access']['get']['responses'][200]['content']['application/json']['operations'][number];
type Proposed =
  paths['/api/v1/integrations/{id}/access/proposal']['get']['responses'][200]['content']['application/json'];

const CHANGE_TEXT = { keep: 'Stays', narrow: 'Narrowed', remove: 'Removed' } as const;
const WINDOW = { windowDays: 90, margin: 'yes' } as const;

const shown = (calls: number | null): string => (calls === null ? 'unknown' : showCount(calls));

/** Granted against used, the smallest grants that cover the use, and what they would have refused. */
export function AccessTab({ integrationId }: { readonly integrationId: string }) {
  const path = { id: integrationId };
  const used = useQuery({
    queryKey: ['access', integrationId, 'used'],
    queryFn: async () => taken(await api.GET('/api/v1/integrations/{id}/access', { params: { path } })),
  });
  return (
    <SpaceBetween size="l">
      <QueryState query={used}>
        {({ operations, granted, used: count, observedDays, observedSince }) => (
          <Table<Use>
            wrapLines
            ariaLabels={{ tableLabel: 'Granted and used operations' }}
            header={
              <Header
                variant="h2"
                description={
                  observedSince === null
                    ? 'No traffic has been recorded: use is unknown.'
                    : `${showCount(count)} of ${showCount(granted)} granted operations were used. Recorded for ${observedDays} days.`
                }
              >
                Granted and used
              </Header>
            }
            items={[...operations]}
            trackBy={({ appId, operation }) => `${appId} ${operation}`}
            columnDefinitions={[
              { id: 'operation', header: 'Operation', isRowHeader: true, cell: (row) => row.operation },
              { id: 'grants', header: 'Granted by', cell: ({ grants }) => grants.join(', ') || 'nothing' },
              { id: 'd30', header: '30 days', cell: ({ calls }) => shown(calls.d30) },
              { id: 'd90', header: '90 days', cell: ({ calls }) => shown(calls.d90) },
              { id: 'd180', header: '180 days', cell: ({ calls }) => shown(calls.d180) },
              { id: 'refused', header: 'Refused', cell: (row) => showCount(row.refused) },
              { id: 'last', header: 'Last', cell: (row) => <Ago at={row.lastAt} none="never" /> },
            ]}
            empty={<Box color="text-body-secondary">Nothing is granted and nothing was called.</Box>}
          />
        )}
      </QueryState>
      <Proposal integrationId={integrationId} />
      <Changes integrationId={integrationId} />
    </SpaceBetween>
  );
}

function Proposal({ integrationId }: { readonly integrationId: string }) {
  const can = useCan();
  const path = { id: integrationId };
  const proposed = useQuery({
    queryKey: ['access', integrationId, 'proposal'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/integrations/{id}/access/proposal', { params: { path, query: WINDOW } })),
  });
  const apply = useCommand({
    run: async (digest: string) =>
      taken(
        await api.POST('/api/v1/integrations/{id}/access/apply', {
          params: { path },
          body: { windowDays: 90, withMargin: true, digest },
        }),
      ),
    done: 'The grants cover what is used, and no more.',
    changes: [['access', integrationId], ['grants'], ['map']],
  });
  if (proposed.error) return <ProblemAlert error={proposed.error} />;
  return (
    <QueryState query={proposed}>
      {({ proposal, replay }) => {
        const changes = proposal.grants.filter(({ change }) => change !== 'keep');
        return (
          <SpaceBetween size="s">
            <ProblemAlert error={apply.error} />
            <Table
              wrapLines
              ariaLabels={{ tableLabel: 'Proposal' }}
              header={
                <Header
                  variant="h2"
                  description="The smallest grants that cover 90 days of use, with what was used in 180 days as a margin."
                  actions={
                    can('access.apply') && changes.length > 0 ? (
                      <Button loading={apply.isPending} onClick={() => apply.mutate(proposal.digest)}>
                        Apply proposal
                      </Button>
                    ) : null
                  }
                >
                  Proposal
                </Header>
              }
              items={[...proposal.grants]}
              trackBy="grantId"
              columnDefinitions={[
                { id: 'name', header: 'Grant', isRowHeader: true, cell: ({ name }) => name },
                { id: 'change', header: 'Change', cell: ({ change }) => CHANGE_TEXT[change] },
                { id: 'used', header: 'Stays, used', cell: ({ used }) => used.join(', ') || 'nothing' },
                { id: 'margin', header: 'Stays, as a margin', cell: ({ margin }) => margin.join(', ') || 'nothing' },
                { id: 'dropped', header: 'Goes', cell: ({ dropped }) => dropped.join(', ') || 'nothing' },
              ]}
              empty={<Box color="text-body-secondary">Nothing is granted.</Box>}
            />
            {proposal.notes.map((text) => (
              <Alert key={text} type="info">
                {text}
              </Alert>
            ))}
            <ReplayResult replay={replay} />
          </SpaceBetween>
        );
      }}
    </QueryState>
  );
}

function ReplayResult({ replay }: { readonly replay: Proposed['replay'] }) {
  const { calls, wouldBreak, left, leftBecause, changes } = replay;
  return (
    <SpaceBetween size="xs">
      <StatusIndicator type={wouldBreak === 0 ? 'success' : 'warning'}>
        {`Replayed on ${showCount(calls)} recorded calls: ${showCount(wouldBreak)} would have been refused.`}
      </StatusIndicator>
      {left > 0 ? (
        <Box color="text-body-secondary">{`${showCount(left)} calls were not decided again: ${leftBecause.join('; ')}.`}</Box>
      ) : null}
      <ul>
        {changes.map((one) => (
          <li key={`${one.appId} ${one.operation} ${one.by}`}>
            {one.operation}: {showCount(one.calls)} calls, the last <Ago at={one.lastAt} />. {one.explanation}
          </li>
        ))}
      </ul>
    </SpaceBetween>
  );
}

function Changes({ integrationId }: { readonly integrationId: string }) {
  const can = useCan();
  const changes = useQuery({
    queryKey: ['access', integrationId, 'changes'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/integrations/{id}/access/changes', { params: { path: { id: integrationId } } }))
        .items,
  });
  const undo = useCommand({
    run: async (id: string) => taken(await api.POST('/api/v1/access/changes/{id}/undo', { params: { path: { id } } })),
    done: 'The grants are as they were.',
    changes: [['access', integrationId], ['grants'], ['map']],
  });
  if (!changes.data || changes.data.length === 0) return null;
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={undo.error} />
      <Table
        ariaLabels={{ tableLabel: 'Applied proposals' }}
        header={<Header variant="h2">Applied</Header>}
        items={changes.data}
        trackBy="id"
        columnDefinitions={[
          { id: 'at', header: 'When', isRowHeader: true, cell: (row) => <Ago at={row.createdAt} /> },
          { id: 'by', header: 'By', cell: (row) => row.createdBy },
          {
            id: 'undo',
            header: 'Undo',
            cell: (row) =>
              row.undoneAt !== null ? (
                `undone by ${row.undoneBy ?? 'somebody'}`
              ) : can('access.apply') ? (
                <Button variant="inline-link" loading={undo.isPending} onClick={() => undo.mutate(row.id)}>
                  Undo
                </Button>
              ) : null,
          },
        ]}
      />
    </SpaceBetween>
  );
}
