import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { LeaverRun, LeaverTarget } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { LeaverState } from './LeaversPage.tsx';

const REFRESH_MS = 2_000;

const TITLE: Readonly<Record<LeaverRun['kind'], (name: string) => string>> = {
  leaver: (name) => `${name} left`,
  mover: (name) => `${name} moved`,
  joiner: (name) => `${name} joined`,
};

const LOOKS: Readonly<Record<LeaverTarget['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  waiting: ['in-progress', 'Under way'],
  done: ['success', 'Done'],
  nothing: ['success', 'Nothing to take'],
  task: ['warning', 'For a person'],
  failed: ['error', 'Failed'],
};

function TaskForm({
  runId,
  target,
  onClose,
}: {
  readonly runId: string;
  readonly target: LeaverTarget;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState('');
  const close = useCommand({
    run: async () => {
      const body = { key: target.key, note };
      taken(await api.POST('/api/v1/leavers/{id}/tasks', { params: { path: { id: runId } }, body }));
    },
    done: `${target.name}: done.`,
    changes: [['leavers'], ['audit']],
    onDone: onClose,
  });
  const command = { isPending: close.isPending, error: close.error, mutate: () => close.mutate(undefined) };
  return (
    <FormDialog title={target.act} button="It is done" isReady={note.length > 2} command={command} onClose={onClose}>
      <FormField label="What was done" description={`${target.name}. ${target.detail ?? ''} Kept as evidence.`}>
        <Textarea value={note} rows={3} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function LeaverPage() {
  const { id } = useParams({ from: '/inside/leavers/$id' });
  const can = useCan();
  const [doing, setDoing] = useState<LeaverTarget | null>(null);
  const leaver = useQuery({
    queryKey: ['leavers', id],
    queryFn: async () => taken(await api.GET('/api/v1/leavers/{id}', { params: { path: { id } } })),
    refetchInterval: REFRESH_MS,
  });
  const retry = useCommand({
    run: async () => taken(await api.POST('/api/v1/leavers/{id}/retry', { params: { path: { id } } })),
    done: 'What failed is tried again.',
    changes: [['leavers']],
  });
  const run = leaver.data?.run;
  const mayAct = can('person.suspend');
  return (
    <Page
      title={run ? TITLE[run.kind](run.person.name) : 'Leaver'}
      description={
        run?.kind === 'leaver'
          ? 'Everything that the person had, what became of it, and the evidence.'
          : 'What followed from the change, and the evidence of each.'
      }
      actions={
        mayAct && run && run.counts.failed > 0 ? (
          <Button loading={retry.isPending} onClick={() => retry.mutate(undefined)}>
            Try again what failed
          </Button>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={leaver.error ?? retry.error} />
        {run ? (
          <Container>
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'State', value: <LeaverState run={run} /> },
                { label: 'Disabled', value: showTime(run.startedAt) },
                {
                  label: 'Everything asked for',
                  value:
                    run.dispatchedAt === null
                      ? '…'
                      : `after ${((run.dispatchedAt - run.startedAt) / 1_000).toFixed(1)} s`,
                },
                { label: 'By', value: `${run.startedBy}: ${run.reason}` },
              ]}
            />
          </Container>
        ) : null}
        <Table<LeaverTarget>
          variant="container"
          wrapLines
          loading={leaver.isPending}
          loadingText="Loading what was taken"
          items={leaver.data?.targets ?? []}
          trackBy="key"
          ariaLabels={{ tableLabel: 'What was taken' }}
          header={<Header counter={`(${leaver.data?.targets.length ?? 0})`}>What was taken</Header>}
          columnDefinitions={[
            { id: 'what', header: 'What', isRowHeader: true, cell: (row) => `${row.name} (${row.kind})` },
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
              cell: (row) => `${row.detail ?? ''}${row.closedBy === null ? '' : ` (${row.closedBy})`}`,
            },
            { id: 'at', header: 'When', cell: (row) => showTime(row.at) },
            {
              id: 'do',
              header: '',
              minWidth: 120,
              cell: (row) =>
                mayAct && (row.state === 'task' || row.state === 'failed') ? (
                  <Button
                    variant="inline-link"
                    ariaLabel={`Say that ${row.name} is done`}
                    onClick={() => setDoing(row)}
                  >
                    It is done
                  </Button>
                ) : null,
            },
          ]}
          empty="The person had nothing else: sessions, API tokens and links ended when they were disabled."
        />
      </SpaceBetween>
      {doing ? <TaskForm runId={id} target={doing} onClose={() => setDoing(null)} /> : null}
    </Page>
  );
}
