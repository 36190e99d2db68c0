import Alert from '@cloudscape-design/components/alert';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { type FoundApp, peopleQuery } from './discovery-queries.ts';

interface FormProps {
  readonly app: FoundApp;
  readonly onClose: () => void;
}

const STATES = [
  { value: 'sanctioned', label: 'Sanctioned', description: 'It may be used.' },
  { value: 'tolerated', label: 'Tolerated', description: 'It may be used until a day; then it is looked at again.' },
  { value: 'forbidden', label: 'Forbidden', description: 'Its grants are revoked, and the forward proxy refuses it.' },
] as const;
type State = (typeof STATES)[number]['value'];

const changes = [['discovery'], ['proxy'], ['audit']] as const;

export function DecideForm({ app, onClose }: FormProps) {
  const [state, setState] = useState<State | null>(null);
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const decide = useCommand({
    run: async (to: State) => {
      const body = { state: to, reason, expiresAt: until === '' ? null : Date.parse(until) };
      return taken(await api.POST('/api/v1/discovery/apps/{key}/decide', { params: { path: { key: app.key } }, body }));
    },
    done: `${app.name} is decided.`,
    changes,
    onDone: onClose,
  });
  const isReady = state !== null && reason.trim().length > 2 && (state !== 'tolerated' || until !== '');
  const mutate = (): void => {
    if (state) decide.mutate(state);
  };
  return (
    <FormDialog
      title={`Decide about ${app.name}`}
      button="Decide"
      isReady={isReady}
      command={{ isPending: decide.isPending, error: decide.error, mutate }}
      onClose={onClose}
    >
      <FormField label="Decision">
        <RadioGroup
          value={state}
          items={STATES}
          onChange={({ detail }) => setState(STATES.find(({ value }) => value === detail.value)?.value ?? null)}
        />
      </FormField>
      {state === 'forbidden' ? (
        <Alert type="warning">
          {`${app.domains.join(', ') || 'It has no known domain, so the proxy can’t tell it; its grants'} ${app.domains.length > 0 ? 'are refused at the forward proxy at once; grants' : ''} in connected tools are revoked where the tool can.`}
        </Alert>
      ) : null}
      <FormField label="Reason" description="Kept as evidence.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField label="Look at it again on" description="Needed for what is tolerated.">
        <DatePicker value={until} placeholder="YYYY-MM-DD" onChange={({ detail }) => setUntil(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function AskForm({ app, onClose }: FormProps) {
  const people = useQuery(peopleQuery);
  const [id, setId] = useState('');
  const [due, setDue] = useState('');
  const [note, setNote] = useState('');
  const options = (people.data ?? []).map((person) => ({
    value: person.id,
    label: person.name,
    description: person.email,
  }));
  const name = options.find(({ value }) => value === id)?.label ?? '';
  const ask = useCommand({
    run: async () => {
      const body = { owner: { id, name }, dueAt: Date.parse(due), note };
      taken(await api.POST('/api/v1/discovery/apps/{key}/ask', { params: { path: { key: app.key } }, body }));
    },
    done: `${name} is asked.`,
    changes,
    onDone: onClose,
  });
  const command = { isPending: ask.isPending, error: ask.error, mutate: () => ask.mutate(undefined) };
  return (
    <FormDialog
      title={`Ask about ${app.name}`}
      button="Ask"
      isReady={id !== '' && due !== ''}
      command={command}
      onClose={onClose}
    >
      <FormField label="Who">
        <Select
          placeholder="Choose a person"
          filteringType="auto"
          options={options}
          selectedOption={options.find(({ value }) => value === id) ?? null}
          onChange={({ detail }) => setId(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Answer due on">
        <DatePicker value={due} placeholder="YYYY-MM-DD" onChange={({ detail }) => setDue(detail.value)} />
      </FormField>
      <FormField label="Note" description="Optional; stands in the mail.">
        <Textarea value={note} rows={2} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
