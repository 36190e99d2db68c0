import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

/** A notice that came by mail or telephone, or a CSAF document as text. */
export function NoticeDialog({ vendorId, onClose }: { readonly vendorId: string; readonly onClose: () => void }) {
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const [severity, setSeverity] = useState<(typeof SEVERITIES)[number]>('high');
  const isCsaf = /^\s*\{/.test(text) && text.includes('csaf_version');
  const add = useCommand({
    run: async () => {
      const body = isCsaf
        ? { form: 'csaf' as const, content: text }
        : { form: 'hand' as const, title, text, severity, occurredAt: null, reference: '' };
      return taken(await api.POST('/api/v1/vendors/{id}/notices', { params: { path: { id: vendorId } }, body }));
    },
    done: 'The notice is kept, and a case is open.',
    changes: [['vendors'], ['cases']],
    onDone: onClose,
  });
  const options = SEVERITIES.map((value) => ({ value, label: value }));
  return (
    <FormDialog
      title="Add a notice"
      button="Add and open a case"
      isReady={isCsaf || (title.trim().length >= 3 && text.trim() !== '')}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="What happened" errorText={fieldProblem(add.error, 'title')}>
        <Input value={title} disabled={isCsaf} onChange={({ detail }) => setTitle(detail.value)} />
      </FormField>
      <FormField label="Text" description="What the vendor wrote; or a CSAF 2.0 document, which brings its own title.">
        <Textarea value={text} rows={6} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
      <FormField label="Severity">
        <Select
          disabled={isCsaf}
          options={options}
          selectedOption={options.find(({ value }) => value === severity) ?? null}
          onChange={({ detail }) =>
            setSeverity(SEVERITIES.find((one) => one === detail.selectedOption.value) ?? 'high')
          }
        />
      </FormField>
    </FormDialog>
  );
}
