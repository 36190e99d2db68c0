import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { PlaybookDetail, PlaybookProblem } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { playbookQuery } from './incident-queries.ts';
import { graphOf, textOf } from './playbook-graph.ts';
import { PlaybookGraph, type StepTone } from './PlaybookGraph.tsx';
import { RunStart } from './RunStart.tsx';

const EDITOR_ROWS = 24;

export function PlaybookPage() {
  const { id } = useParams({ from: '/inside/playbooks/$id' });
  return <QueryState query={useQuery(playbookQuery(id))}>{(of) => <Details key={id} id={id} of={of} />}</QueryState>;
}

/** What was typed, read; null while it is no JSON object. */
function readDraft(text: string): { readonly document: Record<string, unknown> | null; readonly problem: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { document: { ...value }, problem: '' };
    return { document: null, problem: 'This is no JSON object.' };
  } catch (error) {
    return { document: null, problem: error instanceof Error ? error.message : 'This is not JSON.' };
  }
}

function Details({ id, of }: { readonly id: string; readonly of: PlaybookDetail }) {
  const can = useCan();
  const [draft, setDraft] = useState<string | null>(null);
  const [isRunning, setRunning] = useState(false);
  const text = draft ?? JSON.stringify(of.document, null, 2);
  const { document, problem } = useMemo(() => readDraft(text), [text]);
  // Checked as one types: the server knows schemas, actions and other playbooks.
  const check = useQuery({
    queryKey: ['playbook-check', text],
    queryFn: async () => taken(await api.POST('/api/v1/playbooks/check', { body: document ?? {} })).problems,
    enabled: draft !== null && document !== null,
    placeholderData: (before: PlaybookProblem[] | undefined) => before,
  });
  const problems = draft === null ? of.problems : (check.data ?? []);
  const save = useCommand<void, unknown>({
    run: async () => taken(await api.PUT('/api/v1/playbooks/{id}', { params: { path: { id } }, body: document ?? {} })),
    done: 'The playbook is saved.',
    changes: [['playbooks']],
    onDone: () => setDraft(null),
  });
  const isValid = document !== null && problems.every(({ level }) => level !== 'error');
  const graph = useMemo(() => graphOf(document ?? of.document), [document, of.document]);
  const toneOf = (step: string): StepTone => {
    const mine = problems.filter((one) => one.step === step);
    if (mine.some(({ level }) => level === 'error')) return 'error';
    return mine.length > 0 ? 'warning' : 'plain';
  };
  return (
    <Page
      title={textOf(of.document['name'])}
      description={textOf(of.document['description'])}
      parents={[{ text: 'Playbooks', href: '/playbooks' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {draft === null && can('playbook.write') ? <Button onClick={() => setDraft(text)}>Edit</Button> : null}
          {draft !== null ? (
            <>
              <Button variant="link" onClick={() => setDraft(null)}>
                Discard
              </Button>
              <Button variant="primary" disabled={!isValid} loading={save.isPending} onClick={() => save.mutate()}>
                Save
              </Button>
            </>
          ) : null}
          {draft === null && can('playbook.run') ? <Button onClick={() => setRunning(true)}>Run</Button> : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={save.error} />
        <PlaybookGraph graph={graph} toneOf={toneOf} />
        <Problems problems={problems} refusals={of.refusals} />
        {draft !== null ? (
          <FormField label="Document (CACAO 2.0)" errorText={problem} stretch>
            <Textarea
              value={text}
              rows={EDITOR_ROWS}
              spellcheck={false}
              onChange={({ detail }) => setDraft(detail.value)}
            />
          </FormField>
        ) : null}
      </SpaceBetween>
      {isRunning ? <RunStart playbookId={id} onClose={() => setRunning(false)} /> : null}
    </Page>
  );
}

function Problems({ problems, refusals }: Pick<PlaybookDetail, 'problems' | 'refusals'>) {
  return (
    <Container header={<Header variant="h2">Check</Header>}>
      <SpaceBetween size="xs">
        {problems.length === 0 ? (
          <StatusIndicator type="success">Schemas, graph, variables and commands: nothing is wrong.</StatusIndicator>
        ) : null}
        {problems.map(({ level, step, code, message }) => (
          <StatusIndicator key={`${code}${step ?? ''}${message}`} type={level}>
            {step === null ? message : `${step.split('--')[0] ?? ''}: ${message}`}
          </StatusIndicator>
        ))}
        {refusals.length > 0 ? (
          <StatusIndicator type="info">Cordon simulates this playbook, but doesn’t run it for real.</StatusIndicator>
        ) : null}
      </SpaceBetween>
    </Container>
  );
}
