import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import type { ActRun } from './discovery-queries.ts';

type Row = ActRun['acts'][number] & { readonly runId: string };

const LOOKS: Readonly<Record<Row['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  waiting: ['in-progress', 'Under way'],
  done: ['success', 'Done'],
  nothing: ['success', 'Was so already'],
  task: ['warning', 'For a person'],
  failed: ['error', 'Failed'],
};

function DoneForm({ row, onClose }: { readonly row: Row; readonly onClose: () => void }) {
  const [note, setNote] = useState('');
  const close = useCommand({
    run: async () => {
      const params = { path: { id: row.runId } };
      taken(await api.POST('/api/v1/discovery/runs/{id}/tasks', { params, body: { key: row.key, note } }));
    },
    done: `${row.name}: done.`,
    changes: [['discovery'], ['audit']],
    onDone: onClose,
  });
  const command = { isPending: close.isPending, error: close.error, mutate: () => close.mutate(undefined) };
  return (
    <FormDialog title={row.act} button="It is done" isReady={note.length > 2} command={command} onClose={onClose}>
      <FormField label="What was done" description="Kept as evidence.">
        <Textarea value={note} rows={3} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** What was done about an app or keys, with the evidence of each act. */
export function RunTable({ title, runs }: { readonly title: string; readonly runs: readonly ActRun[] }) {
  const mayAct = useCan()('discovery.rotate');
  const [doing, setDoing] = useState<Row | null>(null);
  const rows = runs.flatMap(({ id, acts }) => acts.map((act): Row => ({ ...act, runId: id })));
  return (
    <>
      <Table<Row>
        variant="container"
        wrapLines
        items={rows}
        trackBy={(row) => `${row.runId} ${row.key}`}
        ariaLabels={{ tableLabel: title }}
        header={<Header counter={`(${rows.length})`}>{title}</Header>}
        columnDefinitions={[
          { id: 'what', header: 'What', isRowHeader: true, cell: (row) => row.name },
          { id: 'act', header: 'Act', cell: (row) => row.act },
          {
            id: 'state',
            header: 'State',
            minWidth: 140,
            cell: (row) => <StatusIndicator type={LOOKS[row.state][0]}>{LOOKS[row.state][1]}</StatusIndicator>,
          },
          {
            id: 'detail',
            header: 'Evidence',
            minWidth: 260,
            cell: (row) => (
              <div style={{ whiteSpace: 'pre-line' }}>
                {`${row.detail ?? ''}${row.closedBy === null ? '' : ` (${row.closedBy})`}`}
              </div>
            ),
          },
          { id: 'at', header: 'When', cell: (row) => showTime(row.at) },
          {
            id: 'do',
            header: '',
            cell: (row) =>
              mayAct && (row.state === 'task' || row.state === 'failed') ? (
                <Button variant="inline-link" ariaLabel={`Say that ${row.name} is done`} onClick={() => setDoing(row)}>
                  It is done
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing was done yet.</Box>}
      />
      {doing ? <DoneForm row={doing} onClose={() => setDoing(null)} /> : null}
    </>
  );
}
