import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { FindingDetail } from './assurance-queries.ts';

const SEVERITIES = (['critical', 'high', 'medium', 'low', 'info'] as const).map((value) => ({ value, label: value }));
const SIDES = [
  { value: 'vendor', label: 'the vendor’s' },
  { value: 'own', label: 'ours' },
] as const;

/** Another severity, date or owner, with the reason that stays with the finding. */
export function ChangeFindingDialog({
  finding,
  onClose,
}: {
  readonly finding: FindingDetail;
  readonly onClose: () => void;
}) {
  const [severity, setSeverity] = useState(finding.severity);
  const [side, setSide] = useState(finding.side);
  const [owner, setOwner] = useState(finding.owner);
  const [dueOn, setDueOn] = useState(finding.dueOn ?? '');
  const [note, setNote] = useState('');
  const change = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/findings/{id}', {
          params: { path: { id: finding.id } },
          body: {
            note,
            ...(severity === finding.severity ? {} : { severity }),
            ...(side === finding.side ? {} : { side }),
            ...(owner === finding.owner ? {} : { owner }),
            ...(dueOn === (finding.dueOn ?? '') ? {} : { dueOn: dueOn === '' ? null : dueOn }),
          },
        }),
      ),
    done: 'The finding is changed.',
    changes: [['findings'], ['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Change the finding"
      button="Change it"
      isReady={note.trim().length >= 3}
      command={{ isPending: change.isPending, error: change.error, mutate: () => change.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Severity">
        <Select
          options={SEVERITIES}
          selectedOption={SEVERITIES.find(({ value }) => value === severity) ?? null}
          onChange={({ detail }) =>
            setSeverity(SEVERITIES.find(({ value }) => value === detail.selectedOption.value)?.value ?? severity)
          }
        />
      </FormField>
      <FormField label="Whose work">
        <Select
          options={SIDES}
          selectedOption={SIDES.find(({ value }) => value === side) ?? null}
          onChange={({ detail }) =>
            setSide(SIDES.find(({ value }) => value === detail.selectedOption.value)?.value ?? side)
          }
        />
      </FormField>
      <FormField label="Owner">
        <Input value={owner} onChange={({ detail }) => setOwner(detail.value)} />
      </FormField>
      <FormField label="Due on (YYYY-MM-DD)" description="Empty: no date.">
        <Input value={dueOn} onChange={({ detail }) => setDueOn(detail.value)} />
      </FormField>
      <FormField label="Why">
        <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
