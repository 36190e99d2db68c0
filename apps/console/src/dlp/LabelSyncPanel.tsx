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
import { LABELS } from '../data/data-queries.ts';
import { LabelBadge } from '../data/LabelBadge.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type LabelName, labelNamesQuery } from './dlp-queries.ts';

const changes = [['dlp'], ['audit']] as const;
const CONNECTORS = [
  { value: 'google', label: 'Google Drive labels' },
  { value: 'microsoft', label: 'Microsoft Purview sensitivity labels' },
  { value: 'box', label: 'Box classifications' },
];

/** Which label of a tool stands for ours, and which files bear another. */
export function LabelSyncPanel() {
  const names = useQuery(labelNamesQuery);
  const can = useCan();
  const [isNaming, setNaming] = useState(false);
  const [connector, setConnector] = useState('google');
  const [isAsking, setAsking] = useState(false);
  const drift = useQuery({
    queryKey: ['dlp', 'drift', connector],
    queryFn: async () =>
      taken(await api.POST('/api/v1/dlp/labels/sync', { body: { connector, mode: 'dry-run' } })).items,
  });
  const sync = useCommand({
    run: async (name: string) =>
      taken(await api.POST('/api/v1/dlp/labels/sync', { body: { connector: name, mode: 'run' } })),
    done: ({ items }) => `${items.length} labels are being set.`,
    changes,
    onDone: () => setAsking(false),
  });
  const rows = drift.data ?? [];
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={names.error ?? drift.error} />
      <Table<LabelName>
        variant="container"
        wrapLines
        items={names.data ?? []}
        ariaLabels={{ tableLabel: 'Names of labels' }}
        header={
          <Header
            description="The tool's own id of the label that stands for ours."
            actions={can('dlp.write') ? <Button onClick={() => setNaming(true)}>Name a label</Button> : null}
          >
            Names of labels
          </Header>
        }
        columnDefinitions={[
          { id: 'connector', header: 'Tool', isRowHeader: true, cell: (row) => row.connector },
          { id: 'label', header: 'Our label', cell: (row) => <LabelBadge label={row.label} /> },
          { id: 'tool', header: "The tool's label", cell: (row) => row.toolLabel },
          { id: 'by', header: 'Set by', cell: (row) => row.setBy },
        ]}
        empty={<Box color="text-body-secondary">No label is named: labels of tools are left alone.</Box>}
      />
      <Table
        variant="container"
        wrapLines
        loading={drift.isPending}
        loadingText="Comparing"
        items={rows}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Drift' }}
        header={
          <Header
            counter={`(${rows.length})`}
            description="Files of the last scan that bear another label than what was found in them asks for."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Select
                  ariaLabel="Tool"
                  options={CONNECTORS}
                  selectedOption={CONNECTORS.find(({ value }) => value === connector) ?? null}
                  onChange={({ detail }) => setConnector(detail.selectedOption.value ?? 'google')}
                />
                {can('dlp.remedy') ? (
                  <Button disabled={rows.length === 0} onClick={() => setAsking(true)}>
                    Set the labels
                  </Button>
                ) : null}
              </SpaceBetween>
            }
          >
            Drift
          </Header>
        }
        columnDefinitions={[
          { id: 'file', header: 'File', isRowHeader: true, cell: (row) => row.title ?? row.recordId },
          { id: 'label', header: 'Our label', cell: (row) => row.label },
          { id: 'wanted', header: 'Wanted', cell: (row) => row.wanted },
          { id: 'has', header: 'Has', cell: (row) => row.has ?? 'none' },
        ]}
        empty={<Box color="text-body-secondary">No file bears another label than it should.</Box>}
      />
      {isNaming ? <NameForm onClose={() => setNaming(false)} /> : null}
      {isAsking ? (
        <Confirm
          title="Set the labels"
          text={`${rows.length} files get the label that is named for what was found in them.`}
          button="Set them"
          command={sync}
          input={connector}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function NameForm({ onClose }: { readonly onClose: () => void }) {
  const [connector, setConnector] = useState('google');
  const [label, setLabel] = useState<(typeof LABELS)[number]>('restricted');
  const [toolLabel, setToolLabel] = useState('');
  const labels = LABELS.map((value) => ({ value: value as string, label: value as string }));
  const save = useCommand({
    run: async () => {
      const body = { connector, label, toolLabel: toolLabel.trim() === '' ? null : toolLabel.trim() };
      return taken(await api.PUT('/api/v1/dlp/labels', { body }));
    },
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Name a label"
      button="Save"
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Tool">
        <Select
          options={CONNECTORS}
          selectedOption={CONNECTORS.find(({ value }) => value === connector) ?? null}
          onChange={({ detail }) => setConnector(detail.selectedOption.value ?? 'google')}
        />
      </FormField>
      <FormField label="Our label">
        <Select
          options={labels}
          selectedOption={labels.find(({ value }) => value === label) ?? null}
          onChange={({ detail }) => setLabel(LABELS.find((one) => one === detail.selectedOption.value) ?? 'restricted')}
        />
      </FormField>
      <FormField label="The tool's label" description="Its id, from the tool's label manager; empty: none.">
        <Input value={toolLabel} onChange={({ detail }) => setToolLabel(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
