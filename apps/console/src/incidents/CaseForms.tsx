import FormField from '@cloudscape-design/components/form-field';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

interface FormProps {
  readonly id: string;
  readonly onClose: () => void;
}

/** The post-incident review; each line of the last field becomes a task. */
export function CaseReview({ id, onClose }: FormProps) {
  const [draft, setDraft] = useState({ whatHappened: '', rootCause: '', wentWell: '', wentBadly: '', actions: '' });
  const set = (key: keyof typeof draft) => (value: string) => setDraft({ ...draft, [key]: value });
  const save = useCommand<void, unknown>({
    run: async () => {
      const { actions, ...rest } = draft;
      const lines = actions.split('\n').map((line) => line.trim());
      const body = { ...rest, actions: lines.filter((title) => title !== '').map((title) => ({ title })) };
      return taken(await api.POST('/api/v1/cases/{id}/review', { params: { path: { id } }, body }));
    },
    done: 'The review is kept.',
    changes: [['cases']],
    onDone: onClose,
  });
  const isReady = draft.whatHappened.trim().length >= 10 && draft.rootCause.trim().length >= 3;
  return (
    <FormDialog title="Review the incident" button="Keep the review" isReady={isReady} command={save} onClose={onClose}>
      <Field label="What happened" value={draft.whatHappened} onChange={set('whatHappened')} />
      <Field label="Root cause" value={draft.rootCause} onChange={set('rootCause')} />
      <Field label="What went well" value={draft.wentWell} onChange={set('wentWell')} />
      <Field label="What went badly" value={draft.wentBadly} onChange={set('wentBadly')} />
      <Field label="Actions that follow, one a line" value={draft.actions} onChange={set('actions')} />
    </FormDialog>
  );
}

function Field(props: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <FormField label={props.label}>
      <Textarea value={props.value} rows={2} onChange={({ detail }) => props.onChange(detail.value)} />
    </FormField>
  );
}

export function CaseClose({ id, onClose }: FormProps) {
  const [reason, setReason] = useState('');
  const close = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/cases/{id}/close', { params: { path: { id } }, body: { reason } })),
    done: 'The case is closed.',
    changes: [['cases']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Close the case"
      button="Close it"
      isReady={reason.trim().length >= 3}
      command={close}
      onClose={onClose}
    >
      <Field label="Why" value={reason} onChange={setReason} />
    </FormDialog>
  );
}
