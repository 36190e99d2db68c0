import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { peopleQuery } from '../discovery/discovery-queries.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';

const SCOPES = [
  { value: 'all', label: 'Everything' },
  { value: 'app', label: 'One app' },
  { value: 'owner', label: 'One owner' },
  { value: 'risk', label: 'From a risk on' },
] as const;
type ScopeKind = (typeof SCOPES)[number]['value'];

const UNDECIDED = [
  { value: 'revoke', label: 'Taken away, after notice' },
  { value: 'keep', label: 'Kept' },
] as const;

const DAY_MS = 86_400_000;

function scopeOf(kind: ScopeKind, value: string) {
  if (kind === 'all') return { kind };
  return kind === 'risk' ? { kind, value: Number(value) } : { kind, value };
}

/** Begins a campaign; items and their evidence are gathered at once. */
export function ReviewForm({ onClose }: { readonly onClose: () => void }) {
  const go = useGo();
  const people = useQuery(peopleQuery);
  const [name, setName] = useState('');
  const [kind, setKind] = useState<ScopeKind>('risk');
  const [value, setValue] = useState('30');
  const [due, setDue] = useState(new Date(Date.now() + 14 * DAY_MS).toISOString().slice(0, 10));
  const [undecided, setUndecided] = useState<'revoke' | 'keep'>('revoke');
  const [fallback, setFallback] = useState('');
  const options = (people.data ?? []).map((person) => ({
    value: person.id,
    label: person.name,
    description: person.email,
  }));
  const person = people.data?.find(({ id }) => id === fallback);
  const start = useCommand({
    run: async () => {
      const body = {
        name,
        scope: scopeOf(kind, value),
        dueAt: Date.parse(due),
        onUndecided: undecided,
        fallback: { id: fallback, name: person?.name ?? '', email: person?.email ?? null },
      };
      return taken(await api.POST('/api/v1/reviews', { body }));
    },
    done: ({ counts }) => `The review begins: ${counts.open} accesses.`,
    changes: [['reviews'], ['audit']],
    onDone: ({ id }) => go(`/reviews/${id}`),
  });
  const isReady = name.trim().length > 2 && (kind === 'all' || value !== '') && due !== '' && fallback !== '';
  const command = { isPending: start.isPending, error: start.error, mutate: () => start.mutate(undefined) };
  return (
    <FormDialog title="Start a review" button="Start" isReady={isReady} command={command} onClose={onClose}>
      <FormField label="Name">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="What is reviewed">
        <Select
          options={SCOPES}
          selectedOption={SCOPES.find((one) => one.value === kind) ?? null}
          onChange={({ detail }) => {
            setKind(SCOPES.find((one) => one.value === detail.selectedOption.value)?.value ?? 'all');
            setValue('');
          }}
        />
      </FormField>
      {kind === 'owner' ? (
        <FormField label="Owner">
          <Select
            placeholder="Choose a person"
            options={options}
            selectedOption={options.find((one) => one.value === value) ?? null}
            onChange={({ detail }) => setValue(detail.selectedOption.value ?? '')}
          />
        </FormField>
      ) : null}
      {kind === 'app' || kind === 'risk' ? (
        <FormField label={kind === 'app' ? 'Name of the app' : 'Least risk, 1 to 100'}>
          <Input value={value} onChange={({ detail }) => setValue(detail.value)} />
        </FormField>
      ) : null}
      <FormField label="Due on">
        <DatePicker value={due} placeholder="YYYY-MM-DD" onChange={({ detail }) => setDue(detail.value)} />
      </FormField>
      <FormField label="What nobody decides about is" description="Reviewers are told three days before.">
        <RadioGroup
          value={undecided}
          items={UNDECIDED}
          onChange={({ detail }) => setUndecided(detail.value === 'keep' ? 'keep' : 'revoke')}
        />
      </FormField>
      <FormField label="Reviews what has no owner">
        <Select
          placeholder="Choose a reviewer"
          options={options}
          selectedOption={options.find((one) => one.value === fallback) ?? null}
          onChange={({ detail }) => setFallback(detail.selectedOption.value ?? '')}
        />
      </FormField>
    </FormDialog>
  );
}
