import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { Incident } from './dlp-queries.ts';

const ACTS = [
  { value: 'redact', label: 'Redact', description: 'The record stays; what was found in its text is removed.' },
  { value: 'tokenise', label: 'Tokenise', description: 'The same, with tokens that a permitted person can put back.' },
  { value: 'unshare', label: 'Unshare', description: 'Links for others are taken back.' },
  { value: 'quarantine', label: 'Quarantine', description: 'Nobody but its owner reaches it until it is decided.' },
  { value: 'label', label: 'Label', description: "The tool's own label is put on it." },
  { value: 'delete', label: 'Delete', description: 'By the tool’s own way; some keep it in a bin.' },
] as const;
type Act = (typeof ACTS)[number]['value'];

/** Asks what is to be done to some records; the worker does it, reads again and keeps the evidence. */
export function RemedyDialog(props: { readonly incidents: readonly Incident[]; readonly onClose: () => void }) {
  const { incidents, onClose } = props;
  const [action, setAction] = useState<Act>('redact');
  const act = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/dlp/remedies', { body: { ids: incidents.map(({ id }) => id), action } })),
    done: 'It is done by the worker and read again afterwards.',
    changes: [['dlp'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={incidents.length === 1 ? 'Act on the record' : `Act on ${incidents.length} records`}
      button="Do it"
      command={{ isPending: act.isPending, error: act.error, mutate: () => act.mutate(undefined) }}
      onClose={onClose}
    >
      <Box>Where a tool has no way, that is said and nothing is changed.</Box>
      <FormField label="What is done">
        <RadioGroup
          items={[...ACTS]}
          value={action}
          onChange={({ detail }) => setAction(ACTS.find(({ value }) => value === detail.value)?.value ?? 'redact')}
        />
      </FormField>
    </FormDialog>
  );
}
