import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import type { Incident } from './dlp-queries.ts';

const NOTE_CHARS_MIN = 10;
const changes = [['dlp'], ['audit']] as const;

const DECISIONS = [
  { value: 'justify', label: 'Justify', description: 'It has to be there; say why.', needs: 'dlp.justify' },
  { value: 'accept', label: 'Accept', description: 'It may stay.', needs: 'dlp.decide' },
  { value: 'dismiss', label: 'Dismiss', description: 'It is not what it looks like.', needs: 'dlp.decide' },
  { value: 'reopen', label: 'Reopen', description: 'Decide anew.', needs: 'dlp.justify' },
] as const;
type Decision = (typeof DECISIONS)[number]['value'];

export function DecideDialog({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }) {
  const can = useCan();
  const [decision, setDecision] = useState<Decision>('justify');
  const [note, setNote] = useState('');
  const decide = useCommand({
    run: async () => {
      const params = { path: { id: incident.id } };
      return taken(await api.POST('/api/v1/dlp/incidents/{id}/decisions', { params, body: { decision, note } }));
    },
    done: 'Decided. It comes back only when there is more.',
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Decide"
      button="Decide"
      isReady={note.trim().length >= NOTE_CHARS_MIN}
      command={{ isPending: decide.isPending, error: decide.error, mutate: () => decide.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Decision">
        <RadioGroup
          items={DECISIONS.filter(({ needs }) => can(needs)).map(({ value, label, description }) => ({
            value,
            label,
            description,
          }))}
          value={decision}
          onChange={({ detail }) =>
            setDecision(DECISIONS.find(({ value }) => value === detail.value)?.value ?? 'justify')
          }
        />
      </FormField>
      <FormField label="Reason" description="At least ten characters; kept as evidence.">
        <Textarea value={note} rows={3} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function AssignDialog({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }) {
  const [assignee, setAssignee] = useState(incident.assignee ?? '');
  const assign = useCommand({
    run: async () => {
      const params = { path: { id: incident.id } };
      const body = { assignee: assignee.trim() === '' ? null : assignee.trim() };
      return taken(await api.PUT('/api/v1/dlp/incidents/{id}/assignee', { params, body }));
    },
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Give to"
      button="Give"
      command={{ isPending: assign.isPending, error: assign.error, mutate: () => assign.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Who takes it" description="Empty: nobody.">
        <Input value={assignee} onChange={({ detail }) => setAssignee(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
