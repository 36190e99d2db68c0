import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
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
  if (run.endedAt !== null) {
    return <StatusIndicator type="success">{run.kind === 'leaver' ? 'Nothing left' : 'Done'}</StatusIndicator>;
  }
  if (counts.failed > 0) return <StatusIndicator type="error">{counts.failed} failed</StatusIndicator>;
  if (run.dispatchedAt === null || (run.kind !== 'leaver' && counts.waiting > 0)) {
    return <StatusIndicator type="in-progress">Under way</StatusIndicator>;
  }
  return <StatusIndicator type="warning">{counts.task} for a person to do</StatusIndicator>;
}

type Kind = LeaverRun['kind'];
const KINDS = [
  { id: 'leaver', text: 'Leavers' },
  { id: 'mover', text: 'Movers' },
  { id: 'joiner', text: 'Joiners' },
] as const satisfies readonly { readonly id: Kind; readonly text: string }[];
const EMPTY: Readonly<Record<Kind, string>> = {
  leaver: 'Nobody left yet. Disable a person under People, or let the directory do it over SCIM.',
  mover: 'Nobody’s access changed yet. It follows from groups and roles.',
  joiner: 'Nobody joined yet. What somebody gets with their first groups is shown here.',
};

export function LeaversPage() {
  const [kind, setKind] = useState<Kind>('leaver');
  const runs = useQuery({
    queryKey: ['leavers', 'of', kind],
    queryFn: async () => taken(await api.GET('/api/v1/leavers', { params: { query: { kind } } })).items,
    refetchInterval: REFRESH_MS,
  });
  const title = KINDS.find(({ id }) => id === kind)?.text ?? '';
  return (
    <Page
      title="Joiners, movers and leavers"
      description="What people got and lost when they came, moved and left: where, with evidence, and what is still open."
      actions={
        <SegmentedControl
          label="Who"
          selectedId={kind}
          options={KINDS}
          onChange={({ detail }) => setKind(KINDS.find(({ id }) => id === detail.selectedId)?.id ?? 'leaver')}
        />
      }
    >
      <ProblemAlert error={runs.error} />
      <Table<LeaverRun>
        variant="container"
        wrapLines
        loading={runs.isPending}
        loadingText="Loading"
        items={runs.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: title }}
        header={<Header counter={`(${runs.data?.length ?? 0})`}>{title}</Header>}
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
        empty={<Box color="text-body-secondary">{EMPTY[kind]}</Box>}
      />
    </Page>
  );
}
