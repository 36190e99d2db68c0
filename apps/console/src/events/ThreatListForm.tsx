import DatePicker from '@cloudscape-design/components/date-picker';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ThreatList } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const DAY_MS = 86_400_000;
const LASTS_DAYS = 90;
const FORMATS: readonly { readonly value: ThreatList['format']; readonly label: string }[] = [
  { value: 'stix', label: 'STIX 2.1 bundle' },
  { value: 'csv', label: 'CSV with a heading' },
  { value: 'lines', label: 'One value a line' },
];
const MEANINGS: readonly { readonly value: ThreatList['meaning']; readonly label: string }[] = [
  { value: 'threat', label: 'Threats: what matches raises an alert' },
  { value: 'tor', label: 'Tor exits' },
  { value: 'vpn', label: 'VPN networks' },
  { value: 'hosting', label: 'Hosting networks' },
  { value: 'proxy', label: 'Proxies' },
];

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

export function ThreatListForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [source, setSource] = useState('');
  const [format, setFormat] = useState<ThreatList['format']>('stix');
  const [meaning, setMeaning] = useState<ThreatList['meaning']>('threat');
  const [until, setUntil] = useState(dayOf(Date.now() + LASTS_DAYS * DAY_MS));
  const [files, setFiles] = useState<File[]>([]);
  const [file] = files;
  const send = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/threat-lists', {
          body: { name, source, format, meaning, expiresAt: Date.parse(until), text: (await file?.text()) ?? '' },
        }),
      ),
    done: 'The list is matched from now on.',
    changes: [['enrichment'], ['audit']],
    onDone: onClose,
  });
  const isReady = name !== '' && source.trim() !== '' && until !== '' && file !== undefined;
  return (
    <FormDialog title="Import a threat list" button="Import" isReady={isReady} command={send} onClose={onClose}>
      <FormField
        label="Name"
        description="Lower-case letters, digits and dashes. A list of this name is replaced."
        errorText={fieldProblem(send.error, 'name')}
      >
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Source" description="Who publishes it." errorText={fieldProblem(send.error, 'source')}>
        <Input value={source} autoComplete={false} onChange={({ detail }) => setSource(detail.value)} />
      </FormField>
      <FormField label="What it names">
        <Select
          selectedOption={MEANINGS.find(({ value }) => value === meaning) ?? null}
          options={MEANINGS}
          onChange={({ detail }) => setMeaning(detail.selectedOption.value as ThreatList['meaning'])} // one of the options
        />
      </FormField>
      <FormField label="Format">
        <Select
          selectedOption={FORMATS.find(({ value }) => value === format) ?? null}
          options={FORMATS}
          onChange={({ detail }) => setFormat(detail.selectedOption.value as ThreatList['format'])} // one of the options
        />
      </FormField>
      <FormField label="File" errorText={fieldProblem(send.error, 'text')}>
        <FileUpload
          value={files}
          onChange={({ detail }) => setFiles(detail.value)}
          accept=".json,.csv,.txt"
          i18nStrings={{
            uploadButtonText: () => 'Choose a file',
            dropzoneText: () => 'Drop the file here',
            removeFileAriaLabel: () => 'Remove the file',
            errorIconAriaLabel: 'Error',
          }}
        />
      </FormField>
      <FormField
        label="Until"
        description="For entries that don’t say it themselves."
        errorText={fieldProblem(send.error, 'expiresAt')}
      >
        <DatePicker
          value={until}
          onChange={({ detail }) => setUntil(detail.value)}
          openCalendarAriaLabel={() => 'Choose the day'}
        />
      </FormField>
    </FormDialog>
  );
}
