import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { DrillDetail } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { DrillStatus, ModeBadge } from './DrillBadges.tsx';
import { DrillScore } from './DrillScore.tsx';
import { drillQuery } from './drill-queries.ts';
import { clockText } from './drill-text.ts';
import { Tabletop } from './Tabletop.tsx';

export function DrillPage() {
  const { id } = useParams({ from: '/inside/drills/$id' });
  return <QueryState query={useQuery(drillQuery(id))}>{(of) => <Details of={of} />}</QueryState>;
}

function Details({ of }: { readonly of: DrillDetail }) {
  const [dialog, setDialog] = useState<'abort' | 'finish' | null>(null);
  const isOver = of.endedAt !== null;
  return (
    <Page
      title={`Drill ${of.number}: ${of.title}`}
      parents={[{ text: 'Drills', href: '/drills' }]}
      actions={<Actions of={of} onStop={setDialog} />}
    >
      <SpaceBetween size="l">
        {of.error === null ? null : <ProblemAlert error={new Error(of.error)} />}
        <Facts of={of} />
        {of.mode === 'tabletop' ? <Tabletop of={of} /> : null}
        {of.score ? <DrillScore score={of.score} isOver={isOver} /> : null}
        {of.mode === 'live-fire' ? <Log of={of} /> : null}
        {of.objects.length > 0 ? <Made of={of} /> : null}
        {isOver && of.leads ? <Lessons of={of} /> : null}
      </SpaceBetween>
      {dialog ? <Stop id={of.id} verb={dialog} onClose={() => setDialog(null)} /> : null}
    </Page>
  );
}

function Actions({ of, onStop }: { readonly of: DrillDetail; readonly onStop: (verb: 'abort' | 'finish') => void }) {
  const can = useCan();
  const params = { path: { id: of.id } };
  const start = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/drills/{id}/start', { params })),
    changes: [['drills']],
  });
  const pause = useCommand<boolean, unknown>({
    run: async (paused) => taken(await api.POST('/api/v1/drills/{id}/pause', { params, body: { paused } })),
    changes: [['drills']],
  });
  const isOpen = of.status === 'planned' || of.status === 'running';
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <ProblemAlert error={start.error ?? pause.error} />
      {of.status === 'running' && of.mode === 'tabletop' && of.leads ? (
        <Button onClick={() => pause.mutate(!of.paused)}>{of.paused ? 'Go on' : 'Pause'}</Button>
      ) : null}
      {of.status === 'running' && of.leads ? <Button onClick={() => onStop('finish')}>Finish</Button> : null}
      {isOpen && can('drill.abort') ? <Button onClick={() => onStop('abort')}>Abort</Button> : null}
      {of.status === 'planned' && of.leads ? (
        <Button variant="primary" loading={start.isPending} onClick={() => start.mutate()}>
          Begin
        </Button>
      ) : null}
      {of.endedAt !== null ? <RouteLink href={`/drills/${of.id}/report`}>Report</RouteLink> : null}
    </SpaceBetween>
  );
}

function Facts({ of }: { readonly of: DrillDetail }) {
  const taking = of.participants.map(({ name, role }) => `${name} (${role})`).join(', ');
  return (
    <Container header={<Header variant="h2">About</Header>}>
      <SpaceBetween size="m">
        {of.summary === '' ? null : <Box>{of.summary}</Box>}
        <ul aria-label="Objectives">
          {of.objectives.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Status', value: <DrillStatus status={of.status} /> },
            { label: 'Mode', value: <ModeBadge mode={of.mode} /> },
            {
              label: 'Clock',
              value: (
                <span role="timer">
                  {`${clockText(of.elapsedMs)} of ${clockText(of.limitMs)}${of.paused ? ', stands' : ''}`}
                </span>
              ),
            },
            ...(of.target === null ? [] : [{ label: 'Played against', value: `${of.target.app} (test system)` }]),
            { label: 'Facilitator', value: of.facilitator.name },
            { label: 'Taking part', value: taking === '' ? 'nobody by name' : taking },
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function Log({ of }: { readonly of: DrillDetail }) {
  const began = of.startedAt ?? of.createdAt;
  return (
    <Table<DrillDetail['entries'][number]>
      variant="container"
      wrapLines
      items={of.entries}
      trackBy="key"
      ariaLabels={{ tableLabel: 'What happened' }}
      header={<Header counter={`(${of.entries.length})`}>What happened</Header>}
      columnDefinitions={[
        { id: 'at', header: 'Clock', cell: (row) => `+${((row.at - began) / 1_000).toFixed(1)} s` },
        { id: 'kind', header: 'Kind', cell: (row) => row.kind },
        { id: 'author', header: 'Who', cell: (row) => row.author },
        { id: 'text', header: 'What', isRowHeader: true, cell: (row) => row.text },
      ]}
      empty={<Box color="text-body-secondary">Nothing yet.</Box>}
    />
  );
}

function Made({ of }: { readonly of: DrillDetail }) {
  return (
    <Table<DrillDetail['objects'][number]>
      variant="container"
      wrapLines
      items={of.objects}
      trackBy="ref"
      ariaLabels={{ tableLabel: 'Made by the drill' }}
      header={<Header description="All of it is taken away at the end.">Made by the drill</Header>}
      columnDefinitions={[
        { id: 'kind', header: 'Kind', cell: (row) => row.kind },
        { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
        { id: 'gone', header: 'Now', cell: (row) => (row.removedAt === null ? 'there' : 'gone') },
      ]}
    />
  );
}

function Lessons({ of }: { readonly of: DrillDetail }) {
  const [text, setText] = useState(of.lessons);
  const save = useCommand<void, unknown>({
    run: async () =>
      taken(await api.PUT('/api/v1/drills/{id}/lessons', { params: { path: { id: of.id } }, body: { text } })),
    done: 'Kept; the report holds it.',
    changes: [['drills']],
  });
  return (
    <Container header={<Header variant="h2">Lessons</Header>}>
      <SpaceBetween size="s">
        <ProblemAlert error={save.error} />
        <FormField label="What is done better next time">
          <Textarea value={text} rows={3} onChange={({ detail }) => setText(detail.value)} />
        </FormField>
        <Button loading={save.isPending} onClick={() => save.mutate()}>
          Keep
        </Button>
      </SpaceBetween>
    </Container>
  );
}

function Stop(props: { readonly id: string; readonly verb: 'abort' | 'finish'; readonly onClose: () => void }) {
  const { id, verb, onClose } = props;
  const [reason, setReason] = useState('');
  const stop = useCommand<void, unknown>({
    run: async () => {
      const request = { params: { path: { id } }, body: { reason } };
      return verb === 'abort'
        ? taken(await api.POST('/api/v1/drills/{id}/abort', request))
        : taken(await api.POST('/api/v1/drills/{id}/finish', request));
    },
    changes: [['drills']],
    onDone: onClose,
  });
  const title = verb === 'abort' ? 'Abort the drill' : 'Finish the drill';
  return (
    <FormDialog
      title={title}
      button={verb === 'abort' ? 'Abort it' : 'Finish it'}
      isReady={reason.trim().length >= 3}
      command={stop}
      onClose={onClose}
    >
      <Box color="text-body-secondary">
        {verb === 'abort'
          ? 'It stops at once, what it made is taken away, and it counts in no figure.'
          : 'It ends before its time and is scored as it stands.'}
      </Box>
      <FormField label="Why">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
