import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Integration } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { ASSURANCE_TEXT } from './IntegrationFacts.tsx';

/** `2026-11-23` of a moment, as the date picker has it; the day begins in UTC. */
export function dayOf(at: number | null): string {
  return at === null ? '' : new Date(at).toISOString().slice(0, 10);
}

export function momentOf(day: string): number | null {
  return day === '' ? null : Date.parse(`${day}T00:00:00Z`);
}

export function IntegrationEdit({
  integration,
  onClose,
}: {
  readonly integration: Integration;
  readonly onClose: () => void;
}) {
  const { id } = integration;
  const [purpose, setPurpose] = useState(integration.purpose);
  const [ends, setEnds] = useState(dayOf(integration.expiresAt));
  const [assurance, setAssurance] = useState(integration.assurance);
  const save = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/integrations/{id}', {
          params: { path: { id } },
          // A day that was not touched keeps its exact moment.
          body: { purpose, assurance, ...(ends === dayOf(integration.expiresAt) ? {} : { expiresAt: momentOf(ends) }) },
        }),
      ),
    done: `${integration.name} is changed.`,
    changes: [['integrations'], ['audit']],
    onDone: onClose,
  });
  return (
    <Modal
      visible
      header={`Edit ${integration.name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={save.isPending} onClick={() => save.mutate()}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={save.error} />
        <FormField label="Purpose" errorText={fieldProblem(save.error, 'purpose')}>
          <Textarea value={purpose} rows={2} onChange={({ detail }) => setPurpose(detail.value)} />
        </FormField>
        <FormField
          label="Ends"
          description="Empty: never. An end makes somebody look again."
          errorText={fieldProblem(save.error, 'expiresAt')}
        >
          <DatePicker value={ends} placeholder="YYYY-MM-DD" onChange={({ detail }) => setEnds(detail.value)} />
        </FormField>
        <FormField label="Proof asked for">
          <Select
            selectedOption={{ value: assurance, label: ASSURANCE_TEXT[assurance] }}
            options={Object.entries(ASSURANCE_TEXT).map(([value, label]) => ({ value, label }))}
            onChange={({ detail }) => setAssurance(detail.selectedOption.value as Integration['assurance'])} // one of the options
          />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}
