import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { peopleQuery } from '../discovery/discovery-queries.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { ReviewItem } from './review-queries.ts';

interface FormProps {
  readonly campaignId: string;
  readonly items: readonly ReviewItem[];
  readonly onClose: () => void;
}

const changes = [['reviews'], ['audit']] as const;

export function DecideItems({
  campaignId,
  items,
  decision,
  onClose,
}: FormProps & { readonly decision: 'keep' | 'revoke' }) {
  const [reason, setReason] = useState('');
  const params = { path: { id: campaignId } };
  const decide = useCommand({
    run: async () => {
      const body = { items: items.map(({ id }) => id), decision, reason };
      return taken(await api.POST('/api/v1/reviews/{id}/decisions', { params, body }));
    },
    done: decision === 'keep' ? `${items.length} kept.` : `${items.length} are being taken away.`,
    changes,
    onDone: onClose,
  });
  const byHand = items.filter(({ canRevoke }) => !canRevoke).length;
  const command = { isPending: decide.isPending, error: decide.error, mutate: () => decide.mutate(undefined) };
  return (
    <FormDialog
      title={`${decision === 'keep' ? 'Keep' : 'Revoke'} ${items.length === 1 ? (items[0]?.name ?? '') : `${items.length} accesses`}`}
      button={decision === 'keep' ? 'Keep' : 'Revoke'}
      isReady={reason.trim().length > 2}
      command={command}
      onClose={onClose}
    >
      {decision === 'revoke' && byHand > 0 ? (
        <Box>{`${byHand} of them no tool lets Cordon take away: they become tasks with exact steps.`}</Box>
      ) : null}
      <FormField label="Reason" description="Kept as evidence, with what you saw.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function DelegateItems({ campaignId, items, onClose }: FormProps) {
  const people = useQuery(peopleQuery);
  const [id, setId] = useState('');
  const [reason, setReason] = useState('');
  const options = (people.data ?? []).map((one) => ({ value: one.id, label: one.name, description: one.email }));
  const person = people.data?.find((one) => one.id === id);
  const delegate = useCommand({
    run: async () => {
      const to = { id, name: person?.name ?? '', email: person?.email ?? null };
      const body = { items: items.map((item) => item.id), to, reason };
      taken(await api.POST('/api/v1/reviews/{id}/delegations', { params: { path: { id: campaignId } }, body }));
    },
    done: `${person?.name ?? ''} is asked.`,
    changes,
    onDone: onClose,
  });
  const command = { isPending: delegate.isPending, error: delegate.error, mutate: () => delegate.mutate(undefined) };
  return (
    <FormDialog
      title={`Delegate ${items.length} accesses`}
      button="Delegate"
      isReady={id !== '' && reason.trim().length > 2}
      command={command}
      onClose={onClose}
    >
      <FormField label="To">
        <Select
          placeholder="Choose a person"
          options={options}
          selectedOption={options.find((one) => one.value === id) ?? null}
          onChange={({ detail }) => setId(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Reason">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
