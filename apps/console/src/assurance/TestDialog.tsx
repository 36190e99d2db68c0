import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { UploadedFile } from '../vendors/UploadButton.tsx';
import type { VendorDetail } from '../vendors/vendor-queries.ts';
import type { FindingOutline } from './assurance-queries.ts';

type Columns = NonNullable<FindingOutline['sheets'][number]['proposal']>['columns'];
type Role = keyof Columns;
const ROLES: readonly (readonly [Role, string])[] = [
  ['reference', 'Number'],
  ['title', 'Title'],
  ['severity', 'Severity'],
  ['cvss', 'CVSS'],
  ['description', 'Description'],
  ['recommendation', 'Recommendation'],
];
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'].map((value) => ({ value, label: value }));
const NONE = { value: '', label: 'none' };

interface Props {
  readonly vendor: VendorDetail;
  readonly file: UploadedFile | null;
  readonly outline: FindingOutline | null;
  readonly onClose: () => void;
}

/** A test with its findings: mapped from a table, found in a text, or one given by hand. */
export function TestDialog({ vendor, file, outline, onClose }: Props) {
  const sheet = outline?.sheets.find(({ proposal }) => proposal !== null) ?? outline?.sheets[0] ?? null;
  const found = outline?.text?.findings ?? [];
  const [title, setTitle] = useState(file === null ? '' : file.name.replace(/\.\w+$/, ''));
  const [tester, setTester] = useState('');
  const [until, setUntil] = useState('');
  const [integrationId, setIntegration] = useState('');
  const [columns, setColumns] = useState<Columns>(sheet?.proposal?.columns ?? {});
  const [one, setOne] = useState({ title: '', severity: 'high' });
  const integrations = useQuery({
    queryKey: ['integrations', 'names'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/integrations')).items.map(({ id, name }) => ({ value: id, label: name })),
  });
  const options = [NONE, ...(integrations.data ?? [])];
  const { title: titleColumn, ...others } = columns;
  const mapping =
    sheet && titleColumn !== undefined
      ? { sheet: sheet.sheet, headerRow: sheet.proposal?.headerRow ?? 1, columns: { ...others, title: titleColumn } }
      : null;
  const byHand = one.title.trim() === '' ? [] : [{ title: one.title, severity: one.severity as 'high' }]; // one of the options
  const isOwn = integrationId !== '';
  const add = useCommand({
    run: async () => {
      const kind = isOwn
        ? ('own' as const)
        : file !== null && mapping === null && found.length === 0
          ? ('letter' as const)
          : ('report' as const);
      const test = {
        title,
        kind,
        integrationId: isOwn ? integrationId : null,
        tester,
        testedUntil: until === '' ? null : until,
        mapping,
        findings: mapping === null ? [...found, ...byHand] : byHand,
      };
      const params = { path: { id: vendor.id } };
      return taken(await api.POST('/api/v1/vendors/{id}/pentests', { params, body: { test, file } }));
    },
    done: ({ added, problems }) =>
      `${added} findings are kept.${problems.length === 0 ? '' : ` Left out: ${problems.slice(0, 5).join(' ')}`}`,
    changes: [['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={file === null ? 'Add a test' : `Import ${file.name}`}
      button="Keep it"
      isReady={title.trim().length >= 3 && (sheet === null || found.length > 0 || mapping !== null)}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Title">
        <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
      </FormField>
      <FormField label="Tester">
        <Input value={tester} onChange={({ detail }) => setTester(detail.value)} />
      </FormField>
      <FormField
        label="Last day of the test (YYYY-MM-DD)"
        description="Due dates count from it; today when it is empty."
      >
        <Input value={until} onChange={({ detail }) => setUntil(detail.value)} />
      </FormField>
      <FormField label="Our own test of the integration">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === integrationId) ?? NONE}
          onChange={({ detail }) => setIntegration(detail.selectedOption.value ?? '')}
        />
      </FormField>
      {sheet && found.length === 0 ? <Mapping sheet={sheet} columns={columns} onChange={setColumns} /> : null}
      {(outline?.text?.problems ?? []).map((problem) => (
        <Alert key={problem}>{problem}</Alert>
      ))}
      {found.length > 0 ? (
        <FormField label={`Found in the text: ${found.length}`} description="Look through them before you keep them.">
          <SpaceBetween size="xxs">
            {found.map((row) => (
              <Box key={`${row.reference} ${row.title}`}>
                {row.severity ?? row.cvssScore}: {row.reference} {row.title}
              </Box>
            ))}
          </SpaceBetween>
        </FormField>
      ) : null}
      {mapping === null ? (
        <>
          <FormField label="One finding by hand">
            <Input value={one.title} onChange={({ detail }) => setOne({ ...one, title: detail.value })} />
          </FormField>
          <FormField label="Its severity">
            <Select
              options={SEVERITIES}
              selectedOption={SEVERITIES.find(({ value }) => value === one.severity) ?? null}
              onChange={({ detail }) => setOne({ ...one, severity: detail.selectedOption.value ?? 'high' })}
            />
          </FormField>
        </>
      ) : null}
    </FormDialog>
  );
}

function Mapping({
  sheet,
  columns,
  onChange,
}: {
  readonly sheet: FindingOutline['sheets'][number];
  readonly columns: Columns;
  readonly onChange: (columns: Columns) => void;
}) {
  const options = [NONE, ...sheet.header.map(({ column, text }) => ({ value: String(column), label: text }))];
  const [first] = sheet.sample;
  return (
    <SpaceBetween size="s">
      <Box fontWeight="bold">
        {sheet.sheet}: {sheet.rows} rows
      </Box>
      {ROLES.map(([role, label]) => {
        const column = columns[role];
        const example = first?.find((cell) => cell.column === column)?.text;
        return (
          <FormField
            key={role}
            label={label}
            description={example === undefined ? undefined : `For example: ${example}`}
          >
            <Select
              options={options}
              selectedOption={options.find(({ value }) => value === String(column ?? '')) ?? NONE}
              onChange={({ detail }) => {
                const { [role]: _before, ...rest } = columns;
                const chosen = Number(detail.selectedOption.value);
                onChange(chosen > 0 ? { ...rest, [role]: chosen } : rest);
              }}
            />
          </FormField>
        );
      })}
    </SpaceBetween>
  );
}
