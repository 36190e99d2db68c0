import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';

const FORMS = [
  { id: 'mail', text: 'Mail' },
  { id: 'form', text: 'By hand' },
  { id: 'csaf', text: 'Advisory (CSAF)' },
] as const;
type Form = (typeof FORMS)[number]['id'];

/** A vendor's notice: opens a case with the vendor, its apps and every integration that reaches them. */
export function NoticeForm({ onClose }: { readonly onClose: () => void }) {
  const go = useGo();
  const [form, setForm] = useState<Form>('mail');
  const [draft, setDraft] = useState({ content: '', vendor: '', title: '', text: '', reference: '' });
  const [files, setFiles] = useState<File[]>([]);
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const receive = useCommand<void, { readonly caseId: string }>({
    run: async () => {
      const { vendor, title, text, reference } = draft;
      const content = files[0] ? await files[0].text() : draft.content;
      const body =
        form === 'form'
          ? { form, vendor, title, text, reference }
          : { form, content, ...(vendor.trim() === '' ? {} : { vendor }) };
      return taken(await api.POST('/api/v1/notices', { body }));
    },
    changes: [['cases']],
    onDone: ({ caseId }) => {
      onClose();
      go(`/cases/${caseId}`);
    },
  });
  const isReady =
    form === 'form'
      ? draft.vendor.trim() !== '' && draft.title.trim().length >= 3 && draft.text.trim() !== ''
      : files.length > 0 || draft.content.trim() !== '';
  return (
    <FormDialog title="A vendor's notice" button="Open the case" isReady={isReady} command={receive} onClose={onClose}>
      <SegmentedControl
        label="How it came"
        selectedId={form}
        options={[...FORMS]}
        onChange={({ detail }) => setForm(FORMS.find(({ id }) => id === detail.selectedId)?.id ?? 'mail')}
      />
      <FormField
        label="Vendor"
        description={form === 'form' ? undefined : "Only where the sender's domain doesn't tell."}
      >
        <Input value={draft.vendor} onChange={({ detail }) => set({ vendor: detail.value })} />
      </FormField>
      {form === 'form' ? (
        <SpaceBetween size="m">
          <FormField label="What happened">
            <Input value={draft.title} onChange={({ detail }) => set({ title: detail.value })} />
          </FormField>
          <FormField label="What they say">
            <Textarea value={draft.text} rows={6} onChange={({ detail }) => set({ text: detail.value })} />
          </FormField>
          <FormField label="Their reference">
            <Input value={draft.reference} onChange={({ detail }) => set({ reference: detail.value })} />
          </FormField>
        </SpaceBetween>
      ) : (
        <SpaceBetween size="s">
          <FormField label={form === 'mail' ? 'The mail, with its headers' : 'The advisory (JSON)'}>
            <Textarea value={draft.content} rows={8} onChange={({ detail }) => set({ content: detail.value })} />
          </FormField>
          <FileUpload
            value={files}
            onChange={({ detail }) => setFiles(detail.value)}
            i18nStrings={{
              uploadButtonText: () => 'Or choose a file',
              dropzoneText: () => 'Drop the file here',
              removeFileAriaLabel: () => 'Remove the file',
              limitShowFewer: 'Show fewer',
              limitShowMore: 'Show more',
              errorIconAriaLabel: 'Error',
            }}
          />
        </SpaceBetween>
      )}
    </FormDialog>
  );
}
