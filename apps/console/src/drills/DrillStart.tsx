import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Drill, DrillScenario } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';
import { targetsQuery } from './drill-queries.ts';
import { readParticipants } from './drill-text.ts';
import { ParticipantsField, usePeople } from './ParticipantsField.tsx';

interface Draft {
  readonly mode: Drill['mode'];
  readonly decide: Drill['decide'];
  readonly pace: Drill['pace'];
  readonly people: string;
  /** Name of a marked app; null: an emulator of its own. */
  readonly target: string | null;
}

const OWN = { value: '', label: 'An emulator of its own' };

/** Plans a drill; it begins on its own page. */
export function DrillStart({ scenario, onClose }: { readonly scenario: DrillScenario; readonly onClose: () => void }) {
  const go = useGo();
  const people = usePeople();
  const targets = useQuery({ ...targetsQuery, enabled: scenario.stealsToken });
  const [draft, setDraft] = useState<Draft>({
    mode: scenario.modes[0] ?? 'tabletop',
    decide: 'person',
    pace: 'facilitator',
    people: '',
    target: null,
  });
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const isLive = draft.mode === 'live-fire';
  const marked = (targets.data ?? []).map(({ app, operation }) => ({ value: app, label: app, description: operation }));
  const participants = readParticipants(draft.people, people);
  const plan = useCommand<void, Drill>({
    run: async () => {
      const { mode, decide, pace } = draft;
      const target = isLive ? draft.target : null;
      const body = { scenario: scenario.name, mode, target, decide, pace, participants: participants ?? [] };
      return taken(await api.POST('/api/v1/drills', { body }));
    },
    changes: [['drills']],
    onDone: ({ id }) => {
      onClose();
      go(`/drills/${id}`);
    },
  });
  return (
    <FormDialog
      title={scenario.title}
      button="Plan it"
      isReady={participants !== null}
      command={plan}
      onClose={onClose}
    >
      <Box color="text-body-secondary">{scenario.summary}</Box>
      <FormField label="How">
        <SegmentedControl
          label="How"
          selectedId={draft.mode}
          options={scenario.modes.map((mode) => ({ id: mode, text: mode === 'live-fire' ? 'Live fire' : 'Tabletop' }))}
          onChange={({ detail }) => set({ mode: detail.selectedId === 'live-fire' ? 'live-fire' : 'tabletop' })}
        />
      </FormField>
      {isLive ? (
        <FormField
          label="Who approves the playbook"
          description="People, as in an incident; or the drill itself at once, which measures the machine alone."
        >
          <SegmentedControl
            label="Who approves the playbook"
            selectedId={draft.decide}
            options={[
              { id: 'person', text: 'People' },
              { id: 'drill', text: 'The drill' },
            ]}
            onChange={({ detail }) => set({ decide: detail.selectedId === 'drill' ? 'drill' : 'person' })}
          />
        </FormField>
      ) : (
        <FormField label="When injects come">
          <SegmentedControl
            label="When injects come"
            selectedId={draft.pace}
            options={[
              { id: 'facilitator', text: 'When the facilitator says' },
              { id: 'clock', text: 'By the clock' },
            ]}
            onChange={({ detail }) => set({ pace: detail.selectedId === 'clock' ? 'clock' : 'facilitator' })}
          />
        </FormField>
      )}
      {isLive && scenario.stealsToken ? (
        <FormField
          label="Where the stolen token leads"
          description="An emulator that Cordon serves, or an app of the estate that is marked as a test system."
        >
          <Select
            selectedOption={marked.find(({ value }) => value === draft.target) ?? OWN}
            options={[OWN, ...marked]}
            onChange={({ detail }) => set({ target: detail.selectedOption.value || null })}
          />
        </FormField>
      ) : null}
      <ParticipantsField
        value={draft.people}
        isWrong={participants === null}
        roles={scenario.roles}
        onChange={(value) => set({ people: value })}
      />
    </FormDialog>
  );
}
