import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { LeaverRun } from '../api/wire.ts';
import { showTime } from '../display/time.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

const REFRESH_MS = 5_000;

export function LeaverState({ run }: { readonly run: LeaverRun }) {
  const { counts } = run;
  if (run.endedAt !== null) return <StatusIndicator type="success">Nothing left</StatusIndicator>;
  if (counts.failed > 0) return <StatusIndicator type="error">{counts.failed} failed</StatusIndicator>;
  if (run.dispatchedAt === null) return <StatusIndicator type="in-progress">Under way</StatusIndicator>;
  return <StatusIndicator type="warning">{counts.task} for a person to do</StatusIndicator>;
}

export function LeaversPage() {
  const runs = useQuery({
    queryKey: ['leavers'],
    queryFn: async () => taken(await api.GET('/api/v1/leavers', { params: { query: {} } })).items,
    refetchInterval: REFRESH_MS,
  });
  return (
    <Page
      title="Leavers"
      description="People who were disabled: what was taken from them, where, and what is still open."
    >
      <ProblemAlert error={runs.error} />
      <Table<LeaverRun>
        variant="container"
        wrapLines
        loading={runs.isPending}
        loadingText="Loading leavers"
        items={runs.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Leavers' }}
        header={<Header counter={`(${runs.data?.length ?? 0})`}>Leavers</Header>}
        columnDefinitions={[
          {
            id: 'name',
            header: 'Who',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/leavers/${row.id}`}>{row.person.name}</RouteLink>,
          },
          { id: 'at', header: 'Since', cell: (row) => showTime(row.startedAt) },
          { id: 'by', header: 'By', cell: (row) => row.startedBy },
          { id: 'reason', header: 'Why', cell: (row) => row.reason },
          { id: 'done', header: 'Done', cell: (row) => row.counts.done + row.counts.nothing },
          { id: 'state', header: 'State', cell: (row) => <LeaverState run={row} /> },
        ]}
        empty={
          <Box color="text-body-secondary">
            Nobody left yet. Disable a person under People, or let the directory do it over SCIM.
          </Box>
        }
      />
    </Page>
  );
}
