import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { Contract } from './vendor-queries.ts';

/** A person's word on a clause's time: it stands before what was read, also for incidents. */
export function HoursDialog({
  contract,
  clause,
  onClose,
}: {
  readonly contract: Contract;
  readonly clause: Contract['check']['clauses'][number];
  readonly onClose: () => void;
}) {
  const said = contract.confirmations[clause.id];
  const [hours, setHours] = useState(String(said?.hours ?? clause.clock?.hours ?? ''));
  const [note, setNote] = useState(said?.note ?? '');
  const save = useCommand({
    run: async () => {
      const params = { path: { id: contract.id, clauseId: clause.id } };
      const body = { verdict: 'confirmed' as const, hours: Number(hours), note };
      return taken(await api.PUT('/api/v1/contracts/{id}/clauses/{clauseId}', { params, body }));
    },
    done: `${clause.title} is set to ${hours} hours.`,
    changes: [['contracts'], ['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Correct the hours: ${clause.title}`}
      button="Save"
      isReady={Number(hours) > 0}
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField
        label="Hours"
        {...(clause.clock ? { description: `As read: ${clause.clock.text}` } : {})}
        errorText={fieldProblem(save.error, 'hours')}
      >
        <Input type="number" value={hours} onChange={({ detail }) => setHours(detail.value)} />
      </FormField>
      <FormField label="Why">
        <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
