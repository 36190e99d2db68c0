import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Slo } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { slosQuery } from './monitor-queries.ts';

const percent = (share: number): string => `${Number((share * 100).toFixed(3))}%`;

/** Promises, how much of their error budget is left, and what burns. */
export function SloTable() {
  const can = useCan();
  const slos = useQuery(slosQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Slo | null>(null);
  const remove = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/monitor/slos/{id}', { params: { path: { id } } })),
    done: 'The service level is measured no longer.',
    changes: [['monitor', 'slos']],
    onDone: () => setRemoving(null),
  });
  return (
    <>
      <Table<Slo>
        variant="container"
        wrapLines
        loading={slos.isPending}
        loadingText="Loading service levels"
        items={slos.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Service levels' }}
        header={
          <Header
            variant="h2"
            description="What apps promise. A budget that burns too fast raises an alert, which closes when it ends."
            actions={
              can('detection.write') ? <Button onClick={() => setAdding(true)}>Add a service level</Button> : null
            }
          >
            Service levels
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          {
            id: 'promise',
            header: 'Promise',
            cell: (row) =>
              row.kind === 'latency'
                ? `${percent(row.objective)} under ${row.latencyMs} ms`
                : `${percent(row.objective)} available`,
          },
          {
            id: 'measured',
            header: 'Measured',
            cell: ({ state }) => (state && state.total > 0 ? percent((state.total - state.bad) / state.total) : '-'),
          },
          { id: 'left', header: 'Budget left', cell: ({ state }) => (state ? percent(state.budgetLeft) : '-') },
          { id: 'state', header: 'State', cell: (row) => <SloState slo={row} /> },
          {
            id: 'remove',
            header: '',
            cell: (row) =>
              can('detection.write') ? (
                <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoving(row)}>
                  Remove
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing is promised yet.</Box>}
      />
      {adding ? <SloForm onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}`}
          text="It is measured no longer. Alerts that it raised stay."
          button="Remove"
          command={remove}
          input={removing.id}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </>
  );
}

function SloState({ slo: { state } }: { readonly slo: Slo }) {
  if (!state) return <StatusIndicator type="pending">Not measured yet</StatusIndicator>;
  if (state.firing === null) return <StatusIndicator type="success">Kept</StatusIndicator>;
  const burn = state.windows.find(({ firing }) => firing)?.longBurn ?? 0;
  return <StatusIndicator type="error">Burning {burn.toFixed(1)} times too fast</StatusIndicator>;
}

function SloForm({ onClose }: { readonly onClose: () => void }) {
  const apps = useQuery(appsQuery);
  const [name, setName] = useState('');
  const [appId, setAppId] = useState('');
  const [objective, setObjective] = useState('99.9');
  const [latency, setLatency] = useState('');
  const options = (apps.data ?? []).map((app) => ({ value: app.id, label: app.title }));
  const add = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/monitor/slos', {
          body: {
            name,
            appId,
            kind: latency === '' ? 'availability' : 'latency',
            objective: Number(objective) / 100,
            latencyMs: latency === '' ? null : Number(latency),
          },
        }),
      ),
    done: 'The service level is measured from now on.',
    changes: [['monitor', 'slos']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add a service level"
      button="Add"
      isReady={name !== '' && appId !== ''}
      command={add}
      onClose={onClose}
    >
      <FormField label="Name" constraintText="a-z, 0-9 and dashes" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="App">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === appId) ?? null}
          placeholder="Choose an app"
          onChange={({ detail }) => setAppId(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField
        label="Good calls, percent"
        constraintText="90 to 99.999"
        errorText={fieldProblem(add.error, 'objective')}
      >
        <Input value={objective} inputMode="decimal" onChange={({ detail }) => setObjective(detail.value)} />
      </FormField>
      <FormField label="Slow above, milliseconds" description="Empty: availability is promised, not speed.">
        <Input value={latency} inputMode="numeric" onChange={({ detail }) => setLatency(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
