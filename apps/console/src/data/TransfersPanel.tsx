import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Transfer, transfersQuery } from './data-queries.ts';

const DESTINATIONS: Readonly<Record<Transfer['destination'], string>> = {
  eea: 'within the EEA',
  adequate: 'adequacy decision exists',
  third: 'third country',
  unknown: 'nobody has said where',
};

/** Personal data that leaves the EEA, or goes nobody knows where. */
export function TransfersPanel() {
  const rows = useQuery(transfersQuery);
  const mayWrite = useCan()('data.write');
  const [chosen, setChosen] = useState<Transfer | null>(null);
  const items = rows.data?.items ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={rows.error} />
      <Table<Transfer>
        variant="container"
        wrapLines
        loading={rows.isPending}
        loadingText="Loading transfers"
        items={items}
        trackBy="flowId"
        ariaLabels={{ tableLabel: 'Transfers' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="GDPR Chapter V. Where apps are is said on the map; safeguards here."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button href="/api/v1/data/transfers.csv" download="transfers.csv">
                  CSV
                </Button>
                <Button href="/api/v1/data/transfers" download="transfers.json">
                  JSON
                </Button>
              </SpaceBetween>
            }
          >
            Transfers to third countries
          </Header>
        }
        columnDefinitions={[
          {
            id: 'flow',
            header: 'Transfer',
            isRowHeader: true,
            minWidth: 200,
            cell: (row) => `${row.source} → ${row.recipient}`,
          },
          {
            id: 'regions',
            header: 'Regions',
            minWidth: 150,
            cell: (row) => (
              <>
                <div>{`${row.fromRegion ?? '?'} → ${row.toRegion ?? '?'}`}</div>
                <Box color="text-body-secondary" fontSize="body-s">
                  {row.note ?? DESTINATIONS[row.destination]}
                </Box>
              </>
            ),
          },
          { id: 'importer', header: 'Importer', cell: (row) => row.importer ?? '—' },
          { id: 'what', header: 'Categories', minWidth: 170, cell: (row) => row.categories.join(', ') },
          {
            id: 'safeguard',
            header: 'Safeguard',
            minWidth: 160,
            cell: (row) => {
              const text = row.instrument === null ? 'Say it' : `${row.instrument}, ${row.article ?? ''}`;
              if (!mayWrite) return row.instrument === null ? '—' : text;
              const name = `Safeguard of ${row.source} → ${row.recipient}: ${text}`;
              return (
                <Button variant="inline-link" ariaLabel={name} onClick={() => setChosen(row)}>
                  {text}
                </Button>
              );
            },
          },
          {
            id: 'missing',
            header: 'Missing',
            minWidth: 230,
            cell: (row) =>
              row.missing.length === 0 ? (
                <StatusIndicator type="success">Nothing</StatusIndicator>
              ) : (
                <StatusIndicator type="warning">{row.missing.join(', ')}</StatusIndicator>
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">No personal data is known to leave the EEA.</Box>}
      />
      {chosen ? (
        <SafeguardForm transfer={chosen} instruments={rows.data?.instruments ?? []} onClose={() => setChosen(null)} />
      ) : null}
    </SpaceBetween>
  );
}

const NONE = { value: '', label: 'Not said' };
const textOrNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

function SafeguardForm({
  transfer,
  instruments,
  onClose,
}: {
  readonly transfer: Transfer;
  readonly instruments: readonly NonNullable<Transfer['instrument']>[];
  readonly onClose: () => void;
}) {
  const options = [NONE, ...instruments.map((one) => ({ value: one as string, label: one as string }))];
  const [instrument, setInstrument] = useState<string>(transfer.instrument ?? '');
  const [importer, setImporter] = useState(transfer.importer ?? '');
  const [assessment, setAssessment] = useState(transfer.assessment ?? '');
  const save = useCommand({
    run: async () => {
      const body = {
        instrument: instruments.find((one) => one === instrument) ?? null,
        importer: textOrNull(importer),
        assessment: textOrNull(assessment),
      };
      const params = { path: { flowId: transfer.flowId } };
      taken(await api.PUT('/api/v1/data/transfers/{flowId}', { params, body }));
    },
    done: 'Kept; the register holds it.',
    changes: [['data'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`${transfer.source} → ${transfer.recipient}`}
      button="Keep"
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Safeguard" description="Articles 45, 46 and 49 GDPR.">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === instrument) ?? NONE}
          onChange={({ detail }) => setInstrument(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Importer" description="Who receives it there.">
        <Input value={importer} onChange={({ detail }) => setImporter(detail.value)} />
      </FormField>
      <FormField label="Transfer assessment" description="Where it is kept; needed for a safeguard of Article 46.">
        <Input value={assessment} onChange={({ detail }) => setAssessment(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
