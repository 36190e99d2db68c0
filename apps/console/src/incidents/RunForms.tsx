import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { RunAct } from './IncidentBadges.tsx';
import { textOf } from './playbook-graph.ts';

export type RunQuestion =
  | { readonly kind: 'approve' | 'refuse' | 'cancel' | 'undo' }
  | { readonly kind: 'answer'; readonly act: RunAct };

const CHANGES = [['playbook-runs'], ['cases']];
const TEXT = {
  approve: {
    title: 'Approve the run',
    button: 'Approve',
    text: 'Every act of this run that needs approval has it with this.',
  },
  refuse: { title: 'Refuse the run', button: 'Refuse', text: 'Nothing more happens in this run.' },
  cancel: {
    title: 'Stop the run',
    button: 'Stop it',
    text: 'It ends before its next act. What was done stays until it is undone.',
  },
  undo: { title: 'Undo the run', button: 'Undo', text: 'What the run did is taken back, last act first.' },
} as const;

export function RunReason({
  runId,
  kind,
  missing,
  onClose,
}: {
  readonly runId: string;
  readonly kind: keyof typeof TEXT;
  /** What the alert that proposed the run could not say. */
  readonly missing: readonly string[];
  readonly onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const [inputs, setInputs] = useState<Readonly<Record<string, string>>>({});
  const asked = kind === 'approve' ? missing : [];
  const isReady = reason.trim().length >= 3 && asked.every((name) => (inputs[name] ?? '').trim() !== '');
  const params = { path: { id: runId } };
  const command = useCommand<void, unknown>({
    run: async () => {
      if (kind === 'cancel')
        return taken(await api.POST('/api/v1/playbook-runs/{id}/cancel', { params, body: { reason } }));
      if (kind === 'undo')
        return taken(await api.POST('/api/v1/playbook-runs/{id}/undo', { params, body: { reason } }));
      const body = { approve: kind === 'approve', reason, inputs: kind === 'approve' ? inputs : {} };
      return taken(await api.POST('/api/v1/playbook-runs/{id}/decision', { params, body }));
    },
    changes: CHANGES,
    onDone: onClose,
  });
  const { title, button, text } = TEXT[kind];
  return (
    <FormDialog title={title} button={button} isReady={isReady} command={command} onClose={onClose}>
      <Alert type="info">{text}</Alert>
      {asked.map((name) => (
        <FormField
          key={name}
          label={name.replaceAll('__', '')}
          description="The alert doesn’t say; by id or name, as the playbook means it."
        >
          <Input value={inputs[name] ?? ''} onChange={({ detail }) => setInputs({ ...inputs, [name]: detail.value })} />
        </FormField>
      ))}
      <FormField label="Why">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

/** The fields that the interpreter asked for; anything else in their place is no field. */
function fieldsOf(act: RunAct): Field[] {
  const fields: unknown = act.input['fields'];
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null || !('name' in one) || !('type' in one)) return [];
    const value = 'value' in one ? String(one.value) : '';
    return [{ name: String(one.name), type: String(one.type), value }];
  });
}

export function RunAnswer({
  runId,
  act,
  onClose,
}: {
  readonly runId: string;
  readonly act: RunAct;
  readonly onClose: () => void;
}) {
  const fields = fieldsOf(act);
  const [values, setValues] = useState<Readonly<Record<string, string>>>(
    Object.fromEntries(
      fields.map(({ name, type, value }) => [name, type === 'bool' && value === '' ? 'false' : value]),
    ),
  );
  const [isDone, setDone] = useState(true);
  const [text, setText] = useState('');
  const isDoubtful = act.status === 'doubtful';
  const answer = useCommand<void, unknown>({
    run: async () => {
      const body = { act: act.key, done: isDone, values, note: text };
      return taken(await api.POST('/api/v1/playbook-runs/{id}/answer', { params: { path: { id: runId } }, body }));
    },
    changes: CHANGES,
    onDone: onClose,
  });
  const set = (name: string) => (value: string) => setValues({ ...values, [name]: value });
  return (
    <FormDialog title={act.title} button="Answer" command={answer} onClose={onClose}>
      <Alert type={isDoubtful ? 'warning' : 'info'}>
        {isDoubtful
          ? 'This act was cut short, and nothing tells whether it happened. Look in the tool before you answer.'
          : textOf(act.input['text'])}
      </Alert>
      {fields.map(({ name, type }) =>
        type === 'bool' ? (
          <Toggle
            key={name}
            checked={values[name] === 'true'}
            onChange={({ detail }) => set(name)(String(detail.checked))}
          >
            {name.replaceAll('__', '')}
          </Toggle>
        ) : (
          <FormField key={name} label={name.replaceAll('__', '')}>
            <Input value={values[name] ?? ''} onChange={({ detail }) => set(name)(detail.value)} />
          </FormField>
        ),
      )}
      <Toggle checked={isDone} onChange={({ detail }) => setDone(detail.checked)}>
        {isDoubtful ? 'It had happened' : 'It is done'}
      </Toggle>
      <FormField label="Note">
        <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
