import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';

const REASONS = [
  { value: 'resolved', label: 'Resolved' },
  { value: 'false-positive', label: 'False positive' },
  { value: 'expected', label: 'Expected' },
  { value: 'duplicate', label: 'Duplicate' },
  { value: 'test', label: 'Test' },
] as const;
type Reason = (typeof REASONS)[number]['value'];

const HOUR_MS = 3_600_000;
const QUIET = [
  { value: '0', label: 'No: tell of it again' },
  { value: String(24 * HOUR_MS), label: 'For a day' },
  { value: String(7 * 24 * HOUR_MS), label: 'For a week' },
  { value: String(30 * 24 * HOUR_MS), label: 'For thirty days' },
];

export function CloseAlert({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const can = useCan();
  const [reason, setReason] = useState<Reason>('resolved');
  const [comment, setComment] = useState('');
  const [quiet, setQuiet] = useState('0');
  const close = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/alerts/{id}/close', {
          params: { path: { id } },
          body: {
            reason,
            ...(comment.trim() === '' ? {} : { comment }),
            ...(quiet === '0' ? {} : { quietUntil: Date.now() + Number(quiet) }),
          },
        }),
      ),
    done: 'The alert is closed.',
    changes: [['alerts'], ['detections'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog title="Close the alert" button="Close" command={close} onClose={onClose}>
      <FormField label="Reason">
        <Select
          options={REASONS}
          selectedOption={REASONS.find(({ value }) => value === reason) ?? null}
          onChange={({ detail }) => {
            const chosen = REASONS.find(({ value }) => value === detail.selectedOption.value);
            if (chosen) setReason(chosen.value);
          }}
        />
      </FormField>
      <FormField label="Comment" errorText={fieldProblem(close.error, 'comment')}>
        <Textarea value={comment} onChange={({ detail }) => setComment(detail.value)} />
      </FormField>
      {can('detection.write') ? (
        <FormField label="Keep the rule quiet about this entity">
          <Select
            options={QUIET}
            selectedOption={QUIET.find(({ value }) => value === quiet) ?? null}
            onChange={({ detail }) => setQuiet(detail.selectedOption.value ?? '0')}
          />
        </FormField>
      ) : null}
    </FormDialog>
  );
}
