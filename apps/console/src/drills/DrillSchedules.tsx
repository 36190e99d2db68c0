import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
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
import type { DrillSchedule } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { ModeBadge } from './DrillBadges.tsx';
import { scenariosQuery, schedulesQuery } from './drill-queries.ts';
import { readParticipants } from './drill-text.ts';
import { ParticipantsField, usePeople } from './ParticipantsField.tsx';

export function DrillSchedules({ mayRun }: { readonly mayRun: boolean }) {
  const schedules = useQuery(schedulesQuery);
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<DrillSchedule | null>(null);
  const remove = useCommand({
    run: async ({ id }: DrillSchedule) =>
      taken(await api.DELETE('/api/v1/drill-schedules/{id}', { params: { path: { id } } })),
    done: (_, { name }) => `${name} is removed.`,
    changes: [['drill-schedules']],
    onDone: () => setRemoved(null),
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={schedules.error} />
      <Table<DrillSchedule>
        variant="container"
        wrapLines
        loading={schedules.isPending}
        loadingText="Loading schedules"
        items={schedules.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Schedules' }}
        header={
          <Header actions={mayRun ? <Button onClick={() => setAdding(true)}>Add a schedule</Button> : null}>
            Schedules
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'scenario', header: 'Scenario', cell: (row) => row.scenario },
          { id: 'mode', header: 'Mode', cell: (row) => <ModeBadge mode={row.mode} /> },
          { id: 'next', header: 'Next', cell: (row) => showDay(row.nextAt) },
          { id: 'every', header: 'Every', cell: (row) => `${row.everyDays} days` },
          {
            id: 'remind',
            header: 'Reminders',
            cell: (row) =>
              row.channel === null ? 'none' : `${row.remindDays.join(' and ')} days before, to ${row.channel}`,
          },
          ...(mayRun
            ? [
                {
                  id: 'remove',
                  header: 'Action',
                  cell: (row: DrillSchedule) => (
                    <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoved(row)}>
                      Remove
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        empty={<Box color="text-body-secondary">No drill comes again by itself.</Box>}
      />
      {isAdding ? <ScheduleForm onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name}?`}
          text="Drills that were planned already stay."
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

const DAY_MS = 86_400_000;

function ScheduleForm({ onClose }: { readonly onClose: () => void }) {
  const scenarios = useQuery(scenariosQuery).data ?? [];
  const people = usePeople();
  const [draft, setDraft] = useState({
    name: '',
    scenario: '',
    isLive: false,
    startsItself: false,
    everyDays: '91',
    inDays: '14',
    channel: 'incidents',
    people: '',
  });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const scenario = scenarios.find(({ name }) => name === draft.scenario);
  const participants = readParticipants(draft.people, people);
  const save = useCommand<void, unknown>({
    run: async () => {
      const body = {
        name: draft.name,
        scenario: draft.scenario,
        mode: draft.isLive ? ('live-fire' as const) : ('tabletop' as const),
        everyDays: Number(draft.everyDays),
        nextAt: Date.now() + Number(draft.inDays) * DAY_MS,
        channel: draft.channel.trim() === '' ? null : draft.channel.trim(),
        startsItself: draft.isLive && draft.startsItself,
        participants: participants ?? [],
      };
      return taken(await api.POST('/api/v1/drill-schedules', { body }));
    },
    done: `${draft.name} is scheduled.`,
    changes: [['drill-schedules']],
    onDone: onClose,
  });
  const isReady = draft.name !== '' && scenario !== undefined && participants !== null;
  return (
    <FormDialog title="Add a schedule" button="Add" isReady={isReady} command={save} onClose={onClose}>
      <FormField label="Name">
        <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <FormField label="Scenario">
        <Select
          selectedOption={scenario ? { value: scenario.name, label: scenario.title } : null}
          placeholder="Choose one"
          options={scenarios.map(({ name, title }) => ({ value: name, label: title }))}
          onChange={({ detail }) => set({ scenario: detail.selectedOption.value ?? '' })}
        />
      </FormField>
      <Checkbox checked={draft.isLive} onChange={({ detail }) => set({ isLive: detail.checked })}>
        Live fire
      </Checkbox>
      {draft.isLive ? (
        <Checkbox checked={draft.startsItself} onChange={({ detail }) => set({ startsItself: detail.checked })}>
          It begins by itself
        </Checkbox>
      ) : null}
      <FormField label="Every how many days">
        <Input value={draft.everyDays} type="number" onChange={({ detail }) => set({ everyDays: detail.value })} />
      </FormField>
      <FormField label="First in how many days">
        <Input value={draft.inDays} type="number" onChange={({ detail }) => set({ inDays: detail.value })} />
      </FormField>
      <FormField label="Channel for reminders" description="A chat channel of incidents; empty: none.">
        <Input value={draft.channel} onChange={({ detail }) => set({ channel: detail.value })} />
      </FormField>
      <ParticipantsField
        value={draft.people}
        isWrong={participants === null}
        roles={scenario?.roles ?? []}
        onChange={(value) => set({ people: value })}
      />
    </FormDialog>
  );
}
