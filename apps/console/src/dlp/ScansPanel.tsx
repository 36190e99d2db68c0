import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Scan, scansQuery, schedulesQuery, type ScanTarget, targetsQuery } from './dlp-queries.ts';

const changes = [['dlp'], ['audit']] as const;
const KIND: Readonly<Record<Scan['status'], StatusIndicatorProps.Type>> = {
  queued: 'pending',
  running: 'in-progress',
  done: 'success',
  partial: 'warning',
  failed: 'error',
  cancelled: 'stopped',
};
const sum = (scan: Scan, of: 'records' | 'skipped' | 'files' | 'found'): number =>
  scan.streams.reduce((total, stream) => total + stream[of], 0);

function unreadableText(scan: Scan): string {
  const all = scan.streams.flatMap(({ unreadable }) => Object.entries(unreadable));
  const hidden = scan.streams.flatMap(({ stream, status, reason }) =>
    status === 'not_shown' ? [`${stream}: ${reason ?? 'not shown'}`] : [],
  );
  return [...all.map(([reason, count]) => `${count} ${reason.replace('_', ' ')}`), ...hidden].join('; ') || '—';
}

/** Scans of what lies in tools: which run, which ran, and which run by themselves. */
export function ScansPanel() {
  const scans = useQuery(scansQuery);
  const targets = useQuery(targetsQuery);
  const schedules = useQuery(schedulesQuery);
  const mayWrite = useCan()('dlp.write');
  const [open, setOpen] = useState<'scan' | 'schedule' | null>(null);
  const nameOf = (id: string): string => targets.data?.find(({ connectionId }) => connectionId === id)?.name ?? id;
  const cancel = useCommand({
    run: async ({ id }: Scan) =>
      taken(await api.POST('/api/v1/dlp/scans/{id}/cancel', { params: { path: { id } }, body: {} })),
    done: 'The scan ends after the page that it reads.',
    changes,
  });
  const stop = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/dlp/schedules/{id}', { params: { path: { id } } })),
    changes,
  });
  const items = scans.data ?? [];
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={scans.error ?? cancel.error ?? stop.error} />
      <Table<Scan>
        variant="container"
        wrapLines
        loading={scans.isPending}
        loadingText="Loading scans"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Scans' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="Read at the tool's own pace; what is read is looked at and dropped."
            actions={mayWrite ? <Button onClick={() => setOpen('scan')}>Scan a connection</Button> : null}
          >
            Scans
          </Header>
        }
        columnDefinitions={[
          {
            id: 'what',
            header: 'Connection',
            isRowHeader: true,
            cell: (row) => `${row.name}, ${row.mode}${row.enforce ? ', enforcing' : ''}`,
          },
          {
            id: 'status',
            header: 'State',
            minWidth: 120,
            cell: (row) => <StatusIndicator type={KIND[row.status]}>{row.status}</StatusIndicator>,
          },
          {
            id: 'progress',
            header: 'Read',
            minWidth: 180,
            cell: (row) =>
              `${sum(row, 'records')} records, ${sum(row, 'files')} files${sum(row, 'skipped') > 0 ? `, ${sum(row, 'skipped')} unchanged` : ''}`,
          },
          { id: 'found', header: 'Found', cell: (row) => sum(row, 'found') },
          { id: 'gaps', header: 'Not read', minWidth: 160, cell: unreadableText },
          { id: 'by', header: 'Asked by', cell: (row) => row.requestedBy },
          { id: 'at', header: 'When', cell: (row) => <Ago at={row.requestedAt} /> },
          {
            id: 'cancel',
            header: 'End it',
            cell: (row) =>
              mayWrite && (row.status === 'running' || row.status === 'queued') ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`End the scan of ${row.name}`}
                  onClick={() => cancel.mutate(row)}
                >
                  End
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No scan yet.</Box>}
      />
      <Table
        variant="container"
        wrapLines
        items={schedules.data ?? []}
        trackBy="connectionId"
        ariaLabels={{ tableLabel: 'Schedules' }}
        header={
          <Header
            description="A scan of what changed; the first one reads everything."
            actions={mayWrite ? <Button onClick={() => setOpen('schedule')}>Set a schedule</Button> : null}
          >
            Schedules
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Connection', isRowHeader: true, cell: (row) => nameOf(row.connectionId) },
          { id: 'every', header: 'Every', cell: (row) => `${row.everyHours} hours` },
          { id: 'enforce', header: 'Enforces rules', cell: (row) => (row.enforce ? 'yes' : 'no') },
          { id: 'next', header: 'Next', cell: (row) => showTime(row.nextAt) },
          { id: 'by', header: 'Set by', cell: (row) => row.setBy },
          {
            id: 'stop',
            header: 'Remove',
            cell: (row) =>
              mayWrite ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Remove the schedule of ${nameOf(row.connectionId)}`}
                  onClick={() => stop.mutate(row.connectionId)}
                >
                  Remove
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No schedule.</Box>}
      />
      {open ? <ScanForm kind={open} targets={targets.data ?? []} onClose={() => setOpen(null)} /> : null}
    </SpaceBetween>
  );
}

function ScanForm(props: {
  readonly kind: 'scan' | 'schedule';
  readonly targets: readonly ScanTarget[];
  readonly onClose: () => void;
}) {
  const { kind, targets, onClose } = props;
  const options = targets
    .filter(({ streams }) => streams.length > 0)
    .map(({ connectionId, name }) => ({ value: connectionId, label: name }));
  const [chosen, setChosen] = useState(options[0]?.value ?? '');
  const [isFull, setFull] = useState(true);
  const [enforce, setEnforce] = useState(false);
  const [hours, setHours] = useState('24');
  const mayEnforce = useCan()('dlp.remedy');
  const start = useCommand({
    run: async () => {
      if (kind === 'scan') {
        const body = { connectionId: chosen, mode: isFull ? ('full' as const) : ('incremental' as const), enforce };
        taken(await api.POST('/api/v1/dlp/scans', { body }));
        return;
      }
      const body = { everyHours: Number(hours), enforce };
      taken(await api.PUT('/api/v1/dlp/schedules/{id}', { params: { path: { id: chosen } }, body }));
    },
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={kind === 'scan' ? 'Scan a connection' : 'Set a schedule'}
      button={kind === 'scan' ? 'Scan' : 'Set'}
      isReady={chosen !== '' && Number(hours) >= 1}
      command={{ isPending: start.isPending, error: start.error, mutate: () => start.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Connection">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === chosen) ?? null}
          onChange={({ detail }) => setChosen(detail.selectedOption.value ?? '')}
        />
      </FormField>
      {kind === 'scan' ? (
        <Checkbox checked={isFull} onChange={({ detail }) => setFull(detail.checked)}>
          Read everything, not only what changed
        </Checkbox>
      ) : (
        <FormField label="Hours between two scans">
          <Input value={hours} inputMode="numeric" onChange={({ detail }) => setHours(detail.value)} />
        </FormField>
      )}
      {mayEnforce ? (
        <Checkbox
          checked={enforce}
          description="Otherwise what rules ask for waits in the queue."
          onChange={({ detail }) => setEnforce(detail.checked)}
        >
          Do what rules say
        </Checkbox>
      ) : null}
    </FormDialog>
  );
}
