import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { OwnDetector } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { UPLOAD_TEXTS } from '../display/upload-texts.ts';
import { isComplete, OWN_KINDS, OWN_LABELS, type OwnKind, type OwnLabel, termsOf } from './own-detector-draft.ts';

const LEAST = '0.3';

async function sendFile(id: string, file: File, least: string): Promise<void> {
  taken(
    await api.PUT('/api/v1/detectors/{id}/content', {
      params: { path: { id }, query: { least: Number(least) } },
      headers: { 'content-type': 'application/octet-stream' },
      body: file,
      bodySerializer: (body: unknown) => body as BodyInit, // the file itself
    }),
  );
}

/** Makes one, or changes what is said about it; words and expressions, lists and documents take the place of the old. */
export function OwnDetectorForm({
  detector,
  onClose,
}: {
  readonly detector: OwnDetector | null;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(detector?.name ?? '');
  const [title, setTitle] = useState(detector?.title ?? '');
  const [kind, setKind] = useState<OwnKind>(detector?.kind ?? 'dictionary');
  const [label, setLabel] = useState<OwnLabel>(detector?.label ?? 'confidential');
  const [terms, setTerms] = useState('');
  const [pattern, setPattern] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [least, setLeast] = useState(LEAST);
  const create = async (): Promise<void> => {
    const common = { name, title, label, category: 'user', confidence: 0.9 };
    const body =
      kind === 'dictionary'
        ? { ...common, kind, terms: termsOf(terms) }
        : kind === 'regex'
          ? { ...common, kind, pattern }
          : { ...common, kind };
    const { id } = taken(await api.POST('/api/v1/detectors', { body }));
    if (!file) return;
    try {
      await sendFile(id, file, least);
    } catch (error) {
      // Its name would be taken by one that finds nothing.
      await api.DELETE('/api/v1/detectors/{id}', { params: { path: { id } } });
      throw error;
    }
  };
  const change = async (id: string): Promise<void> => {
    if (file) await sendFile(id, file, least);
    const words = termsOf(terms);
    const body = {
      title,
      label,
      ...(kind === 'dictionary' && words.length > 0 && { terms: words }),
      ...(kind === 'regex' && pattern !== '' && { pattern }),
    };
    taken(await api.PATCH('/api/v1/detectors/{id}', { params: { path: { id } }, body }));
  };
  const save = useCommand({
    run: async () => (detector ? change(detector.id) : create()),
    done: `${name} is on its way to the gateways.`,
    changes: [['own-detectors'], ['audit']],
    onDone: onClose,
  });
  const kept = detector && detector.count > 0 ? ' Leave it empty to keep what it looks for now.' : '';
  return (
    <FormDialog
      title={detector ? `Edit ${detector.name}` : 'Add a detector of your own'}
      button="Save"
      isReady={isComplete({ isNew: detector === null, kind, name, title, terms, pattern, hasFile: file !== null })}
      command={save}
      onClose={onClose}
    >
      <FormField
        label="Name"
        description="Lower-case letters, digits and hyphens. Rules name it as custom.<name>."
        errorText={fieldProblem(save.error, 'name')}
      >
        <Input value={name} disabled={detector !== null} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="What it is" errorText={fieldProblem(save.error, 'title')}>
        <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
      </FormField>
      <FormField label="Kind">
        <Select
          selectedOption={OWN_KINDS.find(({ value }) => value === kind) ?? null}
          options={OWN_KINDS}
          disabled={detector !== null}
          onChange={({ detail }) => setKind(detail.selectedOption.value as OwnKind)} // one of the options
        />
      </FormField>
      {kind === 'dictionary' ? (
        <FormField
          label="Words"
          description={`One word or phrase a line.${kept}`}
          errorText={fieldProblem(save.error, 'terms')}
        >
          <Textarea value={terms} rows={6} onChange={({ detail }) => setTerms(detail.value)} />
        </FormField>
      ) : null}
      {kind === 'regex' ? (
        <FormField
          label="Expression"
          description={`RE2 syntax: no look-around and no back-references.${kept}`}
          errorText={fieldProblem(save.error, 'pattern')}
        >
          <Input value={pattern} spellcheck={false} onChange={({ detail }) => setPattern(detail.value)} />
        </FormField>
      ) : null}
      {kind === 'exact' || kind === 'document' ? (
        <FormField
          label={kind === 'exact' ? 'List' : 'Document'}
          description={
            kind === 'exact'
              ? `A text file with one value a line, of six letters or digits at least.${kept}`
              : `Text, PDF or DOCX.${kept}`
          }
        >
          <FileUpload
            value={file ? [file] : []}
            i18nStrings={UPLOAD_TEXTS}
            showFileSize
            onChange={({ detail }) => setFile(detail.value[0] ?? null)}
          />
        </FormField>
      ) : null}
      {kind === 'document' ? (
        <FormField label="Smallest share" description="Of the document that a text must hold, from 0.05 to 1.">
          <Input value={least} inputMode="decimal" onChange={({ detail }) => setLeast(detail.value)} />
        </FormField>
      ) : null}
      <FormField label="Label" description="How strictly what it finds is treated.">
        <Select
          selectedOption={{ value: label, label }}
          options={OWN_LABELS.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => setLabel(detail.selectedOption.value as OwnLabel)} // one of the options
        />
      </FormField>
    </FormDialog>
  );
}
