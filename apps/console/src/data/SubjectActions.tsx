import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import type { SubjectRequest } from './data-queries.ts';

const CHANGES = [['subjects'], ['audit'], ['data']];
const TEXT_MIN = 3;

/** A form of one text that is kept as evidence. */
export function ReasonForm({
  title,
  label,
  button,
  run,
  onClose,
}: {
  readonly title: string;
  readonly label: string;
  readonly button: string;
  readonly run: (text: string) => Promise<unknown>;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const send = useCommand({ run: async () => run(text.trim()), changes: CHANGES, onDone: onClose });
  return (
    <FormDialog
      title={title}
      button={button}
      isReady={text.trim().length >= TEXT_MIN}
      command={{ isPending: send.isPending, error: send.error, mutate: () => send.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label={label} description="Kept as evidence.">
        <Textarea rows={3} value={text} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** Gives a browser a file that was made here; the data leaves nothing behind in the page. */
function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

type Asked = 'identity' | 'extend' | 'refuse' | 'run';

export function SubjectActions({ request }: { readonly request: SubjectRequest }) {
  const can = useCan();
  const [asked, setAsked] = useState<Asked | null>(null);
  const params = { path: { id: request.id } };
  const step = useCommand({
    run: async (verb: 'search' | 'approve') =>
      taken(
        verb === 'search'
          ? await api.POST('/api/v1/subject-requests/{id}/search', { params, body: {} })
          : await api.POST('/api/v1/subject-requests/{id}/approve', { params, body: {} }),
      ),
    changes: CHANGES,
  });
  const bundle = useCommand({
    run: async () => taken(await api.POST('/api/v1/subject-requests/{id}/bundle', { params, body: {} })),
    done: 'Handed over; the audit trail has it.',
    changes: [['audit']],
    onDone: (found) => saveFile(`subject-${found.reference}.json`, JSON.stringify(found, null, 2)),
  });
  const { status, endedAt, counts } = request;
  const mayWrite = can('subject.write') && endedAt === null;
  const isQuiet = status === 'open' || status === 'found';
  const hasBundle = (counts['collected'] ?? 0) > 0;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <ProblemAlert error={step.error ?? bundle.error} />
      {mayWrite && request.identity === null ? (
        <Button onClick={() => setAsked('identity')}>Identity checked</Button>
      ) : null}
      {mayWrite && request.extension === null ? <Button onClick={() => setAsked('extend')}>Extend</Button> : null}
      {mayWrite && (isQuiet || status === 'waiting') ? (
        <Button onClick={() => setAsked('refuse')}>Refuse</Button>
      ) : null}
      {mayWrite && isQuiet ? (
        <Button
          variant={status === 'open' ? 'primary' : 'normal'}
          loading={step.isPending}
          onClick={() => step.mutate('search')}
        >
          {status === 'open' ? 'Search' : 'Search again'}
        </Button>
      ) : null}
      {mayWrite && (status === 'found' || status === 'failed' || status === 'tasks') && request.identity !== null ? (
        <Button variant={status === 'found' ? 'primary' : 'normal'} onClick={() => setAsked('run')}>
          {status === 'found' ? 'Run' : 'Try again'}
        </Button>
      ) : null}
      {status === 'waiting' && can('subject.approve') ? (
        <Button variant="primary" loading={step.isPending} onClick={() => step.mutate('approve')}>
          Approve
        </Button>
      ) : null}
      {hasBundle && can('subject.export') ? (
        <Button iconName="download" loading={bundle.isPending} onClick={() => bundle.mutate(undefined)}>
          Download
        </Button>
      ) : null}
      {asked === null ? null : <Asking request={request} asked={asked} onClose={() => setAsked(null)} />}
    </SpaceBetween>
  );
}

const FORMS = {
  identity: {
    title: 'Identity checked',
    label: 'How it was made sure that the person is who they say',
    button: 'Keep',
  },
  extend: {
    title: 'Extend by two months',
    label: 'Why; the person must be told within the first month',
    button: 'Extend',
  },
  refuse: { title: 'Refuse the request', label: 'Why; the person must be told', button: 'Refuse' },
} as const;

function Asking({
  request,
  asked,
  onClose,
}: {
  readonly request: SubjectRequest;
  readonly asked: Asked;
  readonly onClose: () => void;
}) {
  const params = { path: { id: request.id } };
  const run = useCommand({
    run: async (_none: null) => taken(await api.POST('/api/v1/subject-requests/{id}/run', { params, body: {} })),
    changes: CHANGES,
    onDone: onClose,
  });
  if (asked === 'run') {
    const text =
      request.kind === 'export'
        ? 'It reads the tools again and seals what names the person. Nothing in the tools changes.'
        : "It acts in the tools on what was found and isn't spared. Above the request's limit it waits for another person. What was deleted does not come back.";
    return <Confirm title="Run the request" text={text} button="Run it" command={run} input={null} onClose={onClose} />;
  }
  const send = async (text: string) => {
    if (asked === 'identity')
      return taken(await api.POST('/api/v1/subject-requests/{id}/identity', { params, body: { how: text } }));
    const body = { reason: text };
    return taken(
      asked === 'extend'
        ? await api.POST('/api/v1/subject-requests/{id}/extend', { params, body })
        : await api.POST('/api/v1/subject-requests/{id}/refuse', { params, body }),
    );
  };
  return <ReasonForm {...FORMS[asked]} run={send} onClose={onClose} />;
}
