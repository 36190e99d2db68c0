import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { type Label, LABELS } from './data-queries.ts';

export interface PinTarget {
  readonly app: string;
  readonly object: string;
  readonly path: string | null;
  readonly label: Label;
  readonly pinned: Label | null;
}

const NONE = 'none';
const REASON_MIN = 3;

/** A person's word on a label. A lower one waits for somebody else. */
export function PinForm({ target, onClose }: { readonly target: PinTarget; readonly onClose: () => void }) {
  const { app, object, path } = target;
  const [value, setValue] = useState<string>(target.label);
  const [reason, setReason] = useState('');
  const label = LABELS.find((one) => one === value) ?? null;
  const isLower =
    label === null
      ? target.pinned !== null && target.pinned !== 'public'
      : LABELS.indexOf(label) < LABELS.indexOf(target.label);
  const pin = useCommand({
    run: async () => taken(await api.POST('/api/v1/data/labels', { body: { app, object, path, label, reason } })),
    done: ({ status }) =>
      status === 'waiting' ? 'It waits in Label review for another person.' : 'The label is pinned.',
    changes: [['data'], ['audit']],
    onDone: onClose,
  });
  const items = [
    ...LABELS.map((one) => ({ value: one, label: one })),
    ...(target.pinned === null ? [] : [{ value: NONE, label: 'No pin: as judged' }]),
  ];
  return (
    <FormDialog
      title={`Label of ${path ?? `${app}: ${object}`}`}
      button={isLower ? 'Ask for it' : 'Pin'}
      isReady={reason.trim().length >= REASON_MIN}
      command={{ isPending: pin.isPending, error: pin.error, mutate: () => pin.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Label">
        <RadioGroup value={value} items={items} onChange={({ detail }) => setValue(detail.value)} />
      </FormField>
      {isLower ? (
        <Alert type="info">This is lower than now: it holds after another person has confirmed it.</Alert>
      ) : null}
      <FormField label="Reason" description="Kept as evidence.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
