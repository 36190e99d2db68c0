import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { PlaybookRunDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { ActStatus, type RunAct, RunStatus } from './IncidentBadges.tsx';
import { runQuery } from './incident-queries.ts';
import { graphOf, textOf } from './playbook-graph.ts';
import { PlaybookGraph, type StepTone } from './PlaybookGraph.tsx';
import { RunAnswer, type RunQuestion, RunReason } from './RunForms.tsx';

export function RunPage() {
  const { id } = useParams({ from: '/inside/playbook-runs/$id' });
  return <QueryState query={useQuery(runQuery(id))}>{(run) => <Details run={run} />}</QueryState>;
}

const OPEN = new Set(['proposed', 'running', 'waiting']);
const UNDOABLE = new Set(['succeeded', 'failed', 'cancelled', 'undo-failed']);

function toneOfActs(acts: readonly RunAct[]): StepTone {
  if (acts.some(({ status }) => status === 'failed' || status === 'refused' || status === 'doubtful')) return 'error';
  if (acts.some(({ status }) => status !== 'done' && status !== 'simulated')) return 'active';
  return acts.length > 0 ? 'done' : 'plain';
}

function Details({ run }: { readonly run: PlaybookRunDetail }) {
  const can = useCan();
  const [question, setQuestion] = useState<RunQuestion | null>(null);
  const graph = useMemo(() => graphOf(run.document), [run.document]);
  const isOpen = OPEN.has(run.status);
  const waits = run.status === 'proposed' || run.acts.some(({ status }) => status === 'waiting-approval');
  const canUndo =
    UNDOABLE.has(run.status) &&
    run.acts.some(({ kind, status, undoTitle }) => kind === 'act' && status === 'done' && undoTitle !== null);
  return (
    <Page
      title={run.playbookName}
      description={run.mode === 'simulate' ? 'A dry run: it had no way to act.' : undefined}
      parents={
        run.caseId === null
          ? [{ text: 'Playbooks', href: '/playbooks' }]
          : [{ text: 'Case', href: `/cases/${run.caseId}` }]
      }
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {isOpen && can('playbook.run') ? <Button onClick={() => setQuestion({ kind: 'cancel' })}>Stop</Button> : null}
          {canUndo && can('playbook.approve') ? (
            <Button onClick={() => setQuestion({ kind: 'undo' })}>Undo</Button>
          ) : null}
          {isOpen && waits && can('playbook.approve') ? (
            <>
              <Button onClick={() => setQuestion({ kind: 'refuse' })}>Refuse</Button>
              <Button variant="primary" onClick={() => setQuestion({ kind: 'approve' })}>
                Approve
              </Button>
            </>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        {run.error === null ? null : <Alert type={run.status === 'failed' ? 'error' : 'info'}>{run.error}</Alert>}
        <Facts run={run} />
        <Acts run={run} onAnswer={(act) => setQuestion({ kind: 'answer', act })} />
        <PlaybookGraph graph={graph} toneOf={(step) => toneOfActs(run.acts.filter(({ stepId }) => stepId === step))} />
      </SpaceBetween>
      {question?.kind === 'answer' ? (
        <RunAnswer runId={run.id} act={question.act} onClose={() => setQuestion(null)} />
      ) : null}
      {question !== null && question.kind !== 'answer' ? (
        <RunReason runId={run.id} kind={question.kind} missing={run.missing} onClose={() => setQuestion(null)} />
      ) : null}
    </Page>
  );
}

function Facts({ run }: { readonly run: PlaybookRunDetail }) {
  const { approval } = run;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Status', value: <RunStatus status={run.status} /> },
          { label: 'Started by', value: run.startedBy.name },
          { label: 'When', value: <Ago at={run.createdAt} /> },
          {
            label: approval?.approved === false ? 'Refused by' : 'Approved by',
            value: approval ? `${approval.by.name}: ${approval.reason}` : '-',
          },
          {
            label: 'Case',
            value: run.caseId === null ? '-' : <RouteLink href={`/cases/${run.caseId}`}>open it</RouteLink>,
          },
          { label: 'Document SHA-256', value: <Box variant="code">{run.digest.slice(0, 16)}…</Box> },
        ]}
      />
    </Container>
  );
}

function Proof({ act }: { readonly act: RunAct }) {
  if (act.error !== null) return <Box color="text-status-error">{act.error}</Box>;
  if (act.status === 'waiting-person') return <>{textOf(act.input['text'])}</>;
  const shown = act.proof ?? act.result ?? {};
  const lines = Object.entries(shown).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return <Box variant="small">{lines.join('; ') || '-'}</Box>;
}

function Acts({ run, onAnswer }: { readonly run: PlaybookRunDetail; readonly onAnswer: (act: RunAct) => void }) {
  const can = useCan();
  const acts = run.acts.filter(({ kind }) => kind !== 'control');
  return (
    <Table<RunAct>
      variant="container"
      wrapLines
      items={acts}
      trackBy="key"
      ariaLabels={{ tableLabel: 'Acts' }}
      header={
        <Header variant="h2" counter={`(${acts.length})`}>
          What happened
        </Header>
      }
      columnDefinitions={[
        { id: 'title', header: 'Step', isRowHeader: true, cell: (row) => row.title },
        { id: 'command', header: 'Command', cell: (row) => row.command },
        { id: 'status', header: 'Status', cell: (row) => <ActStatus status={row.status} /> },
        { id: 'approval', header: 'Approved by', cell: (row) => row.approval?.by.name ?? '-' },
        { id: 'proof', header: 'Proof', cell: (row) => <Proof act={row} /> },
        { id: 'at', header: 'When', cell: (row) => (row.finishedAt === null ? '-' : <Ago at={row.finishedAt} />) },
        {
          id: 'answer',
          header: '',
          cell: (row) =>
            (row.status === 'waiting-person' || row.status === 'doubtful') && can('playbook.run') ? (
              <Button onClick={() => onAnswer(row)}>Answer</Button>
            ) : null,
        },
      ]}
      empty={<Box color="text-body-secondary">Nothing happened yet.</Box>}
    />
  );
}
