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
import type { ProvisionGroupItem, ProvisionItem } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RunState } from './ProvisioningPage.tsx';
import { RunForm } from './RunForm.tsx';

const REFRESH_MS = 2_000;
const LOOKS: Readonly<Record<ProvisionItem['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  planned: ['info', 'Would be done'],
  waiting: ['in-progress', 'Under way'],
  done: ['success', 'Done'],
  nothing: ['success', 'Nothing to do'],
  task: ['warning', 'For a person'],
  failed: ['error', 'Failed'],
};
const ACT: Readonly<Record<ProvisionItem['act'] | ProvisionGroupItem['act'], string>> = {
  create: 'Make',
  link: 'Take over',
  update: 'Change',
  deactivate: 'Turn off',
  delete: 'Delete',
  conflict: 'Settle',
};

type Differences = ProvisionItem['differences'];
const show = (value: Differences[number]['wanted']): string => (value === null ? 'nothing' : String(value));

function DifferenceList({ differences }: { readonly differences: Differences }) {
  if (differences.length === 0) return <span>-</span>;
  return (
    <SpaceBetween size="xxxs">
      {differences.map(({ path, wanted, found, changed }) => (
        <StatusIndicator key={path} type={changed === 'there' ? 'warning' : 'info'}>
          {path.startsWith('member ')
            ? `${path}: ${wanted === true ? 'to come in' : 'to go out'}`
            : `${path}: ${show(found)} → ${show(wanted)}`}
          {changed === 'there' ? ' (drift)' : ''}
        </StatusIndicator>
      ))}
    </SpaceBetween>
  );
}

function TaskForm({
  runId,
  item,
  onClose,
}: {
  readonly runId: string;
  readonly item: ProvisionItem;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState('');
  const close = useCommand<void, unknown>({
    run: async () => {
      const body = { person: item.personId, note };
      taken(await api.POST('/api/v1/provisioning/runs/{id}/tasks', { params: { path: { id: runId } }, body }));
    },
    done: `${item.personName}: done.`,
    changes: [['provisioning'], ['leavers'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`${ACT[item.act]}: ${item.personName}`}
      button="It is done"
      isReady={note.trim().length > 2}
      command={close}
      onClose={onClose}
    >
      <FormField label="What was done" description={`${item.detail ?? ''} Kept as evidence.`}>
        <Textarea rows={3} value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

const stateColumn = {
  id: 'state',
  header: 'State',
  minWidth: 130,
  cell: ({ state }: Pick<ProvisionItem, 'state'>) => (
    <StatusIndicator type={LOOKS[state][0]}>{LOOKS[state][1]}</StatusIndicator>
  ),
};

/** One run: everybody and every group, with what differs and the evidence. */
export function ProvisionRunPage() {
  const { id } = useParams({ from: '/inside/provisioning/$id' });
  const can = useCan();
  const [doing, setDoing] = useState<ProvisionItem | null>(null);
  const [isPushing, setPushing] = useState(false);
  const shown = useQuery({
    queryKey: ['provisioning', 'runs', id],
    queryFn: async () => taken(await api.GET('/api/v1/provisioning/runs/{id}', { params: { path: { id } } })),
    refetchInterval: REFRESH_MS,
  });
  const targets = useQuery({
    queryKey: ['provisioning', 'targets'],
    queryFn: async () => taken(await api.GET('/api/v1/provisioning/targets')).items,
  });
  const run = shown.data?.run;
  const target = targets.data?.find((one) => one.id === run?.targetId);
  const isPreview = run?.mode === 'preview';
  return (
    <Page
      title={run ? `${isPreview ? 'Preview of' : 'Push to'} ${run.targetName}` : 'Run'}
      description={isPreview ? 'What a push would do. Nothing was changed.' : 'What was done, each read back.'}
      parents={[{ text: 'Provisioning', href: '/provisioning' }]}
      actions={
        isPreview && target && can('person.write') && run.counts.planned > 0 ? (
          <Button variant="primary" onClick={() => setPushing(true)}>
            Push this
          </Button>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={shown.error} />
        {run ? (
          <Container>
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'State', value: <RunState run={run} /> },
                { label: 'Began', value: showTime(run.startedAt) },
                { label: 'By', value: `${run.startedBy}: ${run.reason}` },
                {
                  label: 'Accounts there that are not Cordon’s',
                  value: run.unmanaged === null ? '…' : `${run.unmanaged}, left alone`,
                },
              ]}
            />
          </Container>
        ) : null}
        <Table<ProvisionItem>
          variant="container"
          wrapLines
          loading={shown.isPending}
          items={shown.data?.items ?? []}
          trackBy="personId"
          ariaLabels={{ tableLabel: 'People' }}
          header={<Header counter={`(${shown.data?.items.length ?? 0})`}>People</Header>}
          columnDefinitions={[
            { id: 'who', header: 'Who', isRowHeader: true, cell: (row) => row.personName },
            { id: 'act', header: 'Act', cell: (row) => ACT[row.act] },
            { id: 'differs', header: 'Differs', cell: (row) => <DifferenceList differences={row.differences} /> },
            stateColumn,
            {
              id: 'evidence',
              header: 'Evidence',
              cell: (row) => `${row.detail ?? ''}${row.closedBy === null ? '' : ` (${row.closedBy})`}`,
            },
            {
              id: 'do',
              header: '',
              cell: (row) =>
                row.state === 'task' && can('person.suspend') ? (
                  <Button
                    variant="inline-link"
                    ariaLabel={`Say that ${row.personName} is done`}
                    onClick={() => setDoing(row)}
                  >
                    It is done
                  </Button>
                ) : null,
            },
          ]}
          empty="Nobody’s account is to be changed."
        />
        {(target?.pushGroups.length ?? 0) + (shown.data?.groups.length ?? 0) > 0 ? (
          <Table<ProvisionGroupItem>
            variant="container"
            wrapLines
            items={shown.data?.groups ?? []}
            trackBy="groupId"
            ariaLabels={{ tableLabel: 'Groups' }}
            header={<Header counter={`(${shown.data?.groups.length ?? 0})`}>Groups</Header>}
            columnDefinitions={[
              { id: 'group', header: 'Group', isRowHeader: true, cell: (row) => row.groupName },
              { id: 'act', header: 'Act', cell: (row) => ACT[row.act] },
              { id: 'differs', header: 'Differs', cell: (row) => <DifferenceList differences={row.differences} /> },
              stateColumn,
              { id: 'evidence', header: 'Evidence', cell: (row) => row.detail ?? '' },
            ]}
            empty="No group is to be changed."
          />
        ) : null}
      </SpaceBetween>
      {doing ? <TaskForm runId={id} item={doing} onClose={() => setDoing(null)} /> : null}
      {isPushing && target ? <RunForm target={target} onClose={() => setPushing(false)} /> : null}
    </Page>
  );
}
