import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { CaseDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { RunStatus } from './IncidentBadges.tsx';

interface PartProps {
  readonly of: CaseDetail;
  readonly isWritable: boolean;
}

export function CaseRuns({ of }: Pick<PartProps, 'of'>) {
  return (
    <Table<CaseDetail['runs'][number]>
      variant="container"
      wrapLines
      items={of.runs}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Playbook runs' }}
      header={
        <Header variant="h2" counter={`(${of.runs.length})`}>
          Playbook runs
        </Header>
      }
      columnDefinitions={[
        {
          id: 'name',
          header: 'Playbook',
          isRowHeader: true,
          cell: (row) => <RouteLink href={`/playbook-runs/${row.id}`}>{row.playbookName}</RouteLink>,
        },
        { id: 'mode', header: 'Mode', cell: (row) => (row.mode === 'live' ? 'live' : 'dry run') },
        { id: 'status', header: 'Status', cell: (row) => <RunStatus status={row.status} /> },
        { id: 'by', header: 'Started by', cell: (row) => row.startedBy.name },
        { id: 'at', header: 'When', cell: (row) => <Ago at={row.createdAt} /> },
      ]}
      empty={<Box color="text-body-secondary">No playbook was run.</Box>}
    />
  );
}

export function CaseTimeline({ of, isWritable }: PartProps) {
  const [text, setText] = useState('');
  const add = useCommand<void, unknown>({
    run: async () =>
      taken(await api.POST('/api/v1/cases/{id}/entries', { params: { path: { id: of.id } }, body: { text } })),
    changes: [['cases']],
    onDone: () => setText(''),
  });
  return (
    <SpaceBetween size="s">
      <Table<CaseDetail['timeline'][number]>
        variant="container"
        wrapLines
        items={of.timeline}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Timeline' }}
        header={
          <Header variant="h2" counter={`(${of.timeline.length})`}>
            Timeline
          </Header>
        }
        columnDefinitions={[
          { id: 'at', header: 'When', cell: (row) => <Ago at={row.at} /> },
          { id: 'kind', header: 'Kind', cell: (row) => row.kind },
          { id: 'text', header: 'What', isRowHeader: true, cell: (row) => row.text },
          { id: 'author', header: 'Who', cell: (row) => row.author },
        ]}
      />
      {isWritable ? (
        <Container>
          <SpaceBetween size="s">
            <ProblemAlert error={add.error} />
            <FormField label="New note">
              <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
            </FormField>
            <Button disabled={text.trim() === ''} loading={add.isPending} onClick={() => add.mutate()}>
              Add note
            </Button>
          </SpaceBetween>
        </Container>
      ) : null}
    </SpaceBetween>
  );
}

export function CaseTasks({ of, isWritable }: PartProps) {
  const [title, setTitle] = useState('');
  const params = { path: { id: of.id } };
  const add = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/cases/{id}/tasks', { params, body: { title } })),
    changes: [['cases']],
    onDone: () => setTitle(''),
  });
  const tick = useCommand<{ readonly task: string; readonly done: boolean }, unknown>({
    run: async ({ task, done }) =>
      taken(
        await api.PATCH('/api/v1/cases/{id}/tasks/{task}', { params: { path: { id: of.id, task } }, body: { done } }),
      ),
    changes: [['cases']],
  });
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${of.tasks.filter(({ doneAt }) => doneAt === null).length} to do)`}>
          Tasks
        </Header>
      }
    >
      <SpaceBetween size="s">
        <ProblemAlert error={add.error ?? tick.error} />
        {of.tasks.map((task) => (
          <Checkbox
            key={task.id}
            checked={task.doneAt !== null}
            disabled={!isWritable}
            description={task.dueAt === null ? (task.assignee ?? undefined) : <Ago at={task.dueAt} />}
            onChange={({ detail }) => tick.mutate({ task: task.id, done: detail.checked })}
          >
            {task.kind === 'review-action' ? `From the review: ${task.title}` : task.title}
          </Checkbox>
        ))}
        {isWritable ? (
          <FormField label="New task">
            <SpaceBetween direction="horizontal" size="xs">
              <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
              <Button disabled={title.trim() === ''} loading={add.isPending} onClick={() => add.mutate()}>
                Add task
              </Button>
            </SpaceBetween>
          </FormField>
        ) : null}
      </SpaceBetween>
    </Container>
  );
}

async function toBase64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCodePoint(byte);
  return btoa(text);
}

export function CaseEvidence({ of, isWritable }: PartProps) {
  const add = useCommand<File, unknown>({
    run: async (file) => {
      const body = { name: file.name, mediaType: file.type, contentBase64: await toBase64(file) };
      return taken(await api.POST('/api/v1/cases/{id}/evidence', { params: { path: { id: of.id } }, body }));
    },
    done: 'The file is sealed, its hash is on record.',
    changes: [['cases']],
  });
  return (
    <Container header={<Header variant="h2">Evidence</Header>}>
      <SpaceBetween size="s">
        <ProblemAlert error={add.error} />
        {of.evidence.map((file) => (
          <div key={file.id}>
            <a href={`/api/v1/cases/${of.id}/evidence/${file.id}`} download={file.name}>
              {file.name}
            </a>
            <Box variant="small">{` ${file.bytes} bytes, SHA-256 ${file.sha256}, by ${file.addedBy}`}</Box>
          </div>
        ))}
        {isWritable ? (
          <FileUpload
            value={[]}
            multiple={false}
            onChange={({ detail }) => detail.value.forEach((file) => add.mutate(file))}
            i18nStrings={{
              uploadButtonText: () => 'Add a file',
              dropzoneText: () => 'Drop a file',
              removeFileAriaLabel: () => 'Remove',
              limitShowFewer: 'Fewer',
              limitShowMore: 'More',
              errorIconAriaLabel: 'Error',
              warningIconAriaLabel: 'Warning',
            }}
          />
        ) : null}
      </SpaceBetween>
    </Container>
  );
}
