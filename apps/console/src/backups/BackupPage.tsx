import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { showBytes, showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import {
  type BackupJob,
  backupsQuery,
  itemsQuery,
  jobsQuery,
  recordsQuery,
  type RestoreItem,
  type Snapshot,
  type SnapshotLine,
  snapshotsQuery,
} from './backup-queries.ts';

type JobRequest =
  | { readonly kind: 'snapshot' | 'sample' }
  | { readonly kind: 'verify'; readonly sample: number }
  | { readonly kind: 'plan'; readonly scope: { snapshot: string; removeExtra: boolean } }
  | { readonly kind: 'restore'; readonly dryRun: string };

/** One app: its snapshots, what is in them, and the way back. */
export function BackupPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const plan = useQuery(backupsQuery).data?.find((one) => one.id === id);
  const snapshots = useQuery(snapshotsQuery(id));
  const [chosen, setChosen] = useState<string>('');
  const shown = chosen === '' ? (snapshots.data?.[0]?.id ?? '') : chosen;
  const ask = useCommand({
    run: async (body: JobRequest) =>
      taken(await api.POST('/api/v1/backups/{id}/jobs', { params: { path: { id } }, body })),
    changes: [['backups']],
  });
  const actions = can('backup.run') ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button onClick={() => ask.mutate({ kind: 'snapshot' })}>Back up now</Button>
      <Button onClick={() => ask.mutate({ kind: 'verify', sample: 1 })}>Verify all</Button>
      <Button onClick={() => ask.mutate({ kind: 'sample' })}>Time a restore</Button>
    </SpaceBetween>
  ) : null;
  return (
    <Page title={plan?.name ?? 'Backup'} description="Snapshots, what is in them, and the way back." actions={actions}>
      <SpaceBetween size="l">
        <ProblemAlert error={snapshots.error ?? ask.error} />
        <Table<Snapshot>
          variant="container"
          items={snapshots.data ?? []}
          loading={snapshots.isPending}
          loadingText="Loading snapshots"
          trackBy="id"
          selectionType="single"
          selectedItems={(snapshots.data ?? []).filter((one) => one.id === shown)}
          onSelectionChange={({ detail }) => setChosen(detail.selectedItems[0]?.id ?? '')}
          ariaLabels={{
            tableLabel: 'Snapshots',
            selectionGroupLabel: 'Snapshot to look into',
            itemSelectionLabel: (_data, one) => `Look into ${new Date(one.at).toISOString()}`,
          }}
          header={
            <Header
              variant="h2"
              actions={
                can('backup.restore') ? (
                  <Button
                    disabled={shown === ''}
                    onClick={() => ask.mutate({ kind: 'plan', scope: { snapshot: shown, removeExtra: false } })}
                  >
                    Compare with now
                  </Button>
                ) : null
              }
            >
              Snapshots
            </Header>
          }
          columnDefinitions={[
            { id: 'at', header: 'Taken', cell: ({ at }) => <Ago at={at} none="never" /> },
            { id: 'records', header: 'Records', cell: ({ records }) => showCount(records) },
            {
              id: 'change',
              header: 'Change',
              cell: ({ added, changed, removed }) => `+${added} ~${changed} −${removed}`,
            },
            { id: 'stored', header: 'Stored', cell: ({ storedBytes }) => showBytes(storedBytes) },
            {
              id: 'missing',
              header: 'Not read',
              cell: ({ notRead }) => notRead.map(({ stream, why }) => `${stream}: ${why}`).join(' ') || '–',
            },
          ]}
          empty={<Box color="text-body-secondary">No snapshot yet.</Box>}
        />
        {can('backup.records') && shown !== '' ? <Records id={id} snapshot={shown} /> : null}
        <Jobs id={id} onRestore={(dryRun) => ask.mutate({ kind: 'restore', dryRun })} />
      </SpaceBetween>
    </Page>
  );
}

function Records({ id, snapshot }: { readonly id: string; readonly snapshot: string }) {
  const [draft, setDraft] = useState('');
  const [text, setText] = useState('');
  const records = useQuery(recordsQuery(id, snapshot, text));
  return (
    <Table<SnapshotLine>
      variant="container"
      wrapLines
      items={records.data?.items ?? []}
      loading={records.isPending}
      loadingText="Opening the snapshot"
      trackBy={(one) => `${one.object}/${one.id}`}
      ariaLabels={{ tableLabel: 'Records' }}
      header={
        <Header
          variant="h2"
          counter={`(${records.data?.total ?? 0})`}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Input
                type="search"
                ariaLabel="Search in this snapshot"
                value={draft}
                onChange={({ detail }) => setDraft(detail.value)}
                onKeyDown={({ detail }) => detail.key === 'Enter' && setText(draft)}
              />
              <Button onClick={() => setText(draft)}>Search</Button>
              <Button href={`/api/v1/backups/${id}/snapshots/${snapshot}/export?format=csv`}>CSV</Button>
            </SpaceBetween>
          }
        >
          Records
        </Header>
      }
      columnDefinitions={[
        { id: 'object', header: 'Object', cell: ({ object }) => object },
        { id: 'id', header: 'Id', cell: (one) => one.id },
        { id: 'title', header: 'Title', cell: ({ title }) => title ?? '–' },
        {
          id: 'bytes',
          header: 'Bytes',
          cell: (one) =>
            one.object === 'file' ? (
              <a
                href={`/api/v1/backups/${id}/snapshots/${snapshot}/file?${new URLSearchParams({ object: one.object, id: one.id }).toString()}`}
              >
                Download
              </a>
            ) : (
              '–'
            ),
        },
      ]}
      empty={<Box color="text-body-secondary">Nothing found.</Box>}
    />
  );
}

const STATES = { queued: 'pending', running: 'in-progress', done: 'success', failed: 'error' } as const;
const KINDS = {
  snapshot: 'Snapshot',
  verify: 'Verification',
  sample: 'Timed restore',
  plan: 'Comparison with now',
  restore: 'Restore',
  prune: 'Pruning',
  rotate: 'New key',
  own: 'Cordon itself',
} as const;

function Jobs({ id, onRestore }: { readonly id: string; readonly onRestore: (dryRun: string) => void }) {
  const jobs = useQuery(jobsQuery(id));
  const can = useCan();
  const dryRun = jobs.data?.find(({ kind, status }) => kind === 'plan' && status === 'done');
  return (
    <SpaceBetween size="l">
      {dryRun && can('backup.restore') ? <DryRun job={dryRun} onRestore={() => onRestore(dryRun.id)} /> : null}
      <Table<BackupJob>
        variant="container"
        wrapLines
        items={jobs.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'What was done' }}
        header={<Header variant="h2">What was done</Header>}
        columnDefinitions={[
          { id: 'kind', header: 'What', cell: ({ kind }) => KINDS[kind] },
          {
            id: 'status',
            header: 'State',
            cell: ({ status, error }) => <StatusIndicator type={STATES[status]}>{error ?? status}</StatusIndicator>,
          },
          { id: 'actor', header: 'Asked by', cell: ({ actor }) => actor },
          { id: 'when', header: 'When', cell: ({ createdAt }) => <Ago at={createdAt} none="never" /> },
        ]}
        empty={<Box color="text-body-secondary">Nothing yet.</Box>}
      />
    </SpaceBetween>
  );
}

/** What the newest comparison found, and the button that does it. */
function DryRun({ job, onRestore }: { readonly job: BackupJob; readonly onRestore: () => void }) {
  const items = useQuery(itemsQuery(job.id));
  const can = (items.data ?? []).some(({ action, status }) => action !== null && status === 'planned');
  return (
    <Table<RestoreItem>
      variant="container"
      wrapLines
      items={items.data ?? []}
      loading={items.isPending}
      loadingText="Loading what a restore would do"
      trackBy={({ ordinal }) => String(ordinal)}
      ariaLabels={{ tableLabel: 'What a restore would do' }}
      header={
        <Header
          variant="h2"
          description="Nothing has been changed by looking. What a tool does not bring back stands beside each act."
          actions={
            <Button disabled={!can} onClick={onRestore}>
              Restore
            </Button>
          }
        >
          What a restore would do
        </Header>
      }
      columnDefinitions={[
        { id: 'op', header: 'Act', cell: ({ op }) => op },
        { id: 'object', header: 'Object', cell: ({ object }) => object },
        { id: 'record', header: 'Record', cell: ({ recordId, title }) => `${recordId} ${title ?? ''}` },
        { id: 'status', header: 'State', cell: ({ status }) => status },
        { id: 'note', header: 'Note', cell: ({ note }) => note ?? '–' },
      ]}
      empty={<Box color="text-body-secondary">The app holds what the snapshot holds.</Box>}
    />
  );
}
