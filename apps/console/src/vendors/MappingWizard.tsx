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
import { QueryState } from '../shell/QueryState.tsx';
import type { UploadedFile } from './UploadButton.tsx';
import type { Outline, VendorDetail } from './vendor-queries.ts';

const ROLES = [
  ['id', 'Question id'],
  ['question', 'Question'],
  ['answer', 'Answer'],
  ['ownership', 'Ownership'],
  ['implementation', 'Explanation'],
  ['responsibilities', 'Customer responsibilities'],
  ['domain', 'Section'],
] as const;

interface WizardProps {
  readonly vendor: VendorDetail;
  readonly file: UploadedFile;
  readonly onClose: () => void;
  readonly onDone: (made: { readonly id: string }) => void;
}

/** Says where questions and answers stand in a workbook that is no CAIQ. */
export function MappingWizard(props: WizardProps) {
  const outlines = useQuery({
    queryKey: ['outline', props.file.name, props.file.content.length],
    queryFn: async () => taken(await api.POST('/api/v1/questionnaire-outlines', { body: props.file })).items,
    retry: false,
  });
  return <QueryState query={outlines}>{(items) => <Mapping {...props} outlines={items} />}</QueryState>;
}

function Mapping({ vendor, file, outlines, onClose, onDone }: WizardProps & { readonly outlines: readonly Outline[] }) {
  const fullest = outlines.toSorted(
    (a, b) => Object.keys(b.proposal?.columns ?? {}).length - Object.keys(a.proposal?.columns ?? {}).length,
  )[0];
  const [sheet, setSheet] = useState(fullest?.sheet ?? '');
  const outline = outlines.find((one) => one.sheet === sheet) ?? fullest;
  const [changed, setChanged] = useState<Readonly<Record<string, number | null>>>({});
  const [row, setRow] = useState<string | null>(null);
  const columns: Record<string, number | null> = { ...outline?.proposal?.columns, ...changed };
  const headerRow = Number(row ?? outline?.proposal?.headerRow ?? 1);
  const read = useCommand({
    run: async () => {
      const given = Object.fromEntries(Object.entries(columns).filter(([, column]) => column !== null));
      const mapping = { sheet, headerRow, columns: given };
      const params = { path: { id: vendor.id } };
      return taken(
        await api.POST('/api/v1/vendors/{id}/questionnaires/workbook', { params, body: { ...file, mapping } as never }), // the server checks each column
      );
    },
    changes: [['vendors']],
    onDone,
  });
  const heads = new Map(outline?.sample[0]?.cells.map(({ column, text }) => [column, text]));
  const options = [
    { value: '', label: 'None' },
    ...Array.from({ length: Math.min(outline?.columns ?? 0, 60) }, (_, at) => ({
      value: String(at + 1),
      label: `${at + 1}: ${heads.get(at + 1) ?? ''}`,
    })),
  ];
  const sheets = outlines.map((one) => ({ value: one.sheet, label: one.sheet }));
  return (
    <FormDialog
      title="Where do the questions stand?"
      button="Read the workbook"
      isReady={typeof columns['question'] === 'number'}
      command={{ isPending: read.isPending, error: read.error, mutate: () => read.mutate(undefined) }}
      onClose={onClose}
    >
      <SpaceBetween size="m">
        <FormField label="Sheet">
          <Select
            options={sheets}
            selectedOption={sheets.find(({ value }) => value === sheet) ?? null}
            onChange={({ detail }) => {
              setSheet(detail.selectedOption.value ?? '');
              setChanged({});
              setRow(null);
            }}
          />
        </FormField>
        <FormField label="Row of the headings">
          <Input type="number" value={String(headerRow)} onChange={({ detail }) => setRow(detail.value)} />
        </FormField>
        {ROLES.map(([role, label]) => (
          <FormField key={role} label={label}>
            <Select
              options={options}
              selectedOption={options.find(({ value }) => value === String(columns[role] ?? '')) ?? null}
              onChange={({ detail }) => {
                const value = detail.selectedOption.value ?? '';
                setChanged({ ...changed, [role]: value === '' ? null : Number(value) });
              }}
            />
          </FormField>
        ))}
      </SpaceBetween>
    </FormDialog>
  );
}
