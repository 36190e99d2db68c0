import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { DrillDetail } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { clockText, tookText } from './drill-text.ts';

type Inject = DrillDetail['injects'][number];

/** The table: what was told, what was said to it; for who leads it, what comes next and what is expected. */
export function Tabletop({ of }: { readonly of: DrillDetail }) {
  const told = of.injects.filter(({ toldAt }) => toldAt !== null).toReversed();
  const next = of.injects.find(({ toldAt }) => toldAt === null);
  const isRunning = of.status === 'running';
  return (
    <SpaceBetween size="l">
      {of.leads && isRunning && next ? <NextInject of={of} inject={next} /> : null}
      {told.length === 0 && isRunning ? (
        <Container>
          <Box color="text-body-secondary">Nothing was told yet. The facilitator begins.</Box>
        </Container>
      ) : null}
      {told.map((inject, place) => (
        <InjectCard key={inject.id} of={of} inject={inject} isOpen={isRunning && place === 0} />
      ))}
      {of.leads && of.actions.length > 0 ? <Expected of={of} /> : null}
    </SpaceBetween>
  );
}

function NextInject({ of, inject }: { readonly of: DrillDetail; readonly inject: Inject }) {
  const release = useCommand<void, unknown>({
    run: async () => {
      const params = { path: { id: of.id, inject: inject.id } };
      return taken(await api.POST('/api/v1/drills/{id}/injects/{inject}/release', { params }));
    },
    changes: [['drills']],
  });
  const rest = inject.atMs - of.elapsedMs;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={`For you alone. By the scenario ${rest > 0 ? `in ${clockText(rest)}` : 'due now'}.`}
          actions={
            <Button variant="primary" loading={release.isPending} onClick={() => release.mutate()}>
              Tell it now
            </Button>
          }
        >
          {`Next: ${inject.title}`}
        </Header>
      }
    >
      <SpaceBetween size="s">
        <ProblemAlert error={release.error} />
        <Box>{inject.text ?? ''}</Box>
        {inject.guidance ? <Box color="text-body-secondary">{inject.guidance}</Box> : null}
      </SpaceBetween>
    </Container>
  );
}

function InjectCard(props: { readonly of: DrillDetail; readonly inject: Inject; readonly isOpen: boolean }) {
  const { of, inject, isOpen } = props;
  const answers = of.entries.filter(({ kind, detail }) => kind === 'response' && detail['inject'] === inject.id);
  const at = (inject.toldAt ?? 0) - (of.startedAt ?? 0);
  return (
    <Container
      header={
        <Header variant="h2" description={`${inject.from ?? 'Facilitator'}, at ${clockText(at)}`}>
          {inject.title}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Box variant="p">{inject.text ?? ''}</Box>
        {inject.questions.length > 0 ? (
          <ul>
            {inject.questions.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        ) : null}
        {inject.guidance ? (
          <Box color="text-body-secondary">
            <strong>For who leads: </strong>
            {inject.guidance}
          </Box>
        ) : null}
        {answers.map((answer) => (
          <div key={answer.key}>
            <strong>{`${answer.author}${typeof answer.detail['role'] === 'string' ? ` (${answer.detail['role']})` : ''}`}</strong>
            {`, ${tookText(answer.at - (inject.toldAt ?? answer.at))} later: ${answer.text}`}
          </div>
        ))}
        {isOpen ? <Answer drillId={of.id} injectId={inject.id} /> : null}
      </SpaceBetween>
    </Container>
  );
}

function Answer({ drillId, injectId }: { readonly drillId: string; readonly injectId: string }) {
  const [text, setText] = useState('');
  const send = useCommand<void, unknown>({
    run: async () => {
      const body = { inject: injectId, text };
      return taken(await api.POST('/api/v1/drills/{id}/responses', { params: { path: { id: drillId } }, body }));
    },
    changes: [['drills']],
    onDone: () => setText(''),
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={send.error} />
      <FormField label="What you do">
        <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
      <Button disabled={text.trim() === ''} loading={send.isPending} onClick={() => send.mutate()}>
        Answer
      </Button>
    </SpaceBetween>
  );
}

function Expected({ of }: { readonly of: DrillDetail }) {
  const judge = useCommand<{ action: string; met: boolean }, unknown>({
    run: async (body) =>
      taken(await api.POST('/api/v1/drills/{id}/actions', { params: { path: { id: of.id } }, body })),
    changes: [['drills']],
  });
  const isRunning = of.status === 'running';
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={judge.error} />
      <Table<DrillDetail['actions'][number]>
        variant="container"
        wrapLines
        items={of.actions}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Expected of the table' }}
        header={<Header description="Participants don’t see this before the end.">Expected of the table</Header>}
        columnDefinitions={[
          {
            id: 'met',
            header: 'Seen',
            cell: (row) =>
              row.met === null ? (
                <StatusIndicator type="pending">open</StatusIndicator>
              ) : (
                <StatusIndicator type={row.met ? 'success' : 'error'}>{row.met ? 'seen' : 'not seen'}</StatusIndicator>
              ),
          },
          { id: 'title', header: 'What', isRowHeader: true, cell: (row) => row.title },
          { id: 'role', header: 'Role', cell: (row) => row.role },
          { id: 'within', header: 'Within', cell: (row) => clockText(row.withinMs) },
          ...(isRunning
            ? [
                {
                  id: 'judge',
                  header: 'Action',
                  cell: (row: DrillDetail['actions'][number]) => (
                    <SpaceBetween direction="horizontal" size="xs">
                      <Button
                        variant="inline-link"
                        ariaLabel={`Seen: ${row.title}`}
                        onClick={() => judge.mutate({ action: row.id, met: true })}
                      >
                        Seen
                      </Button>
                      <Button
                        variant="inline-link"
                        ariaLabel={`Not seen: ${row.title}`}
                        onClick={() => judge.mutate({ action: row.id, met: false })}
                      >
                        Not seen
                      </Button>
                    </SpaceBetween>
                  ),
                },
              ]
            : []),
        ]}
      />
    </SpaceBetween>
  );
}
