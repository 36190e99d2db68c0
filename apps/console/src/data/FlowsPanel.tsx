import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showBytes, showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type DataFlow, flowsQuery } from './data-queries.ts';
import { flowText, HOWS } from './flow-text.ts';
import { LabelBadge } from './LabelBadge.tsx';

export function FlowsPanel() {
  const flows = useQuery(flowsQuery);
  const mayDescribe = useCan()('data.write');
  const [chosen, setChosen] = useState<DataFlow | null>(null);
  const items = flows.data ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={flows.error} />
      <Table<DataFlow>
        variant="container"
        wrapLines
        loading={flows.isPending}
        loadingText="Loading flows"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Flows' }}
        header={
          <Header counter={`(${items.length})`} description="Which data moved where, through which integration.">
            Flows
          </Header>
        }
        columnDefinitions={[
          { id: 'flow', header: 'Flow', isRowHeader: true, minWidth: 220, cell: flowText },
          { id: 'integration', header: 'Integration', cell: (row) => row.integration.name },
          { id: 'how', header: 'Evidence', minWidth: 130, cell: (row) => HOWS[row.how] },
          { id: 'label', header: 'Label', minWidth: 130, cell: (row) => <LabelBadge label={row.label} /> },
          { id: 'categories', header: 'Categories', minWidth: 180, cell: (row) => row.categories.join(', ') || '—' },
          {
            id: 'volume',
            header: 'Volume',
            cell: (row) => `${showCount(row.records)} records${row.bytes > 0 ? `, ${showBytes(row.bytes)}` : ''}`,
          },
          { id: 'last', header: 'Last seen', cell: (row) => <Ago at={row.lastSeen} /> },
          {
            id: 'purpose',
            header: 'Purpose',
            minWidth: 160,
            cell: (row) =>
              mayDescribe ? (
                <Button variant="inline-link" ariaLabel={`Purpose of ${flowText(row)}`} onClick={() => setChosen(row)}>
                  {row.purpose ?? 'Say it'}
                </Button>
              ) : (
                (row.purpose ?? '—')
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">No integration has moved data yet.</Box>}
      />
      {chosen ? <PurposeForm flow={chosen} onClose={() => setChosen(null)} /> : null}
    </SpaceBetween>
  );
}

const BASES = [
  'consent',
  'contract',
  'legal obligation',
  'vital interests',
  'public task',
  'legitimate interests',
] as const;
const BASE_OPTIONS = [
  { value: '', label: 'Not said' },
  ...BASES.map((basis) => ({ value: basis as string, label: basis })),
];

const textOrNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export function PurposeForm({ flow, onClose }: { readonly flow: DataFlow; readonly onClose: () => void }) {
  const [purpose, setPurpose] = useState(flow.purpose ?? '');
  const [basis, setBasis] = useState(flow.legalBasis ?? '');
  const [safeguard, setSafeguard] = useState(flow.safeguard ?? '');
  const save = useCommand({
    run: async () => {
      const legalBasis = BASES.find((one) => one === basis) ?? null;
      const body = { purpose: textOrNull(purpose), legalBasis, safeguard: textOrNull(safeguard) };
      taken(await api.PUT('/api/v1/data/flows/{id}', { params: { path: { id: flow.id } }, body }));
    },
    done: 'Kept; the processing record holds it.',
    changes: [['data'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={flowText(flow)}
      button="Keep"
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Purpose">
        <Input value={purpose} onChange={({ detail }) => setPurpose(detail.value)} />
      </FormField>
      <FormField label="Legal basis" description="Article 6(1) GDPR.">
        <Select
          options={BASE_OPTIONS}
          selectedOption={BASE_OPTIONS.find(({ value }) => value === basis) ?? null}
          onChange={({ detail }) => setBasis(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Safeguard of a transfer" description="Needed where it leaves its region.">
        <Input value={safeguard} onChange={({ detail }) => setSafeguard(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
