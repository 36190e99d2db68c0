import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
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
import { dayOf, momentOf } from './IntegrationEdit.tsx';
import { ASSURANCE_TEXT } from './IntegrationFacts.tsx';

const YEAR_MS = 365 * 86_400_000;
const KINDS = [
  { value: 'service', label: 'Service', description: 'A program that runs on its own' },
  { value: 'automation', label: 'Automation', description: 'A workflow tool such as n8n or Zapier' },
  { value: 'agent', label: 'AI agent', description: 'A model that chooses its calls itself' },
  { value: 'user', label: 'On behalf of a person' },
] as const;
type Kind = (typeof KINDS)[number]['value'];

interface IntegrationFormProps {
  readonly onClose: () => void;
  readonly onDone: (integration: Integration) => void;
}

export function IntegrationForm({ onClose, onDone }: IntegrationFormProps) {
  const [name, setName] = useState('');
  const [purpose, setPurpose] = useState('');
  const [kind, setKind] = useState<Kind>('service');
  const [assurance, setAssurance] = useState<Integration['assurance']>('m0');
  const [ends, setEnds] = useState(() => dayOf(Date.now() + YEAR_MS));
  const register = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/integrations', { body: { name, purpose, kind, assurance, expiresAt: momentOf(ends) } }),
      ),
    done: ({ name: made }) => `${made} is registered. Next: grant it operations and add a credential.`,
    changes: [['integrations'], ['map']],
    onDone: (made) => {
      onClose();
      onDone(made);
    },
  });
  return (
    <Modal
      visible
      header="Register an integration"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={register.isPending} onClick={() => register.mutate()}>
              Register
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={register.error} />
        <FormField
          label="Name"
          constraintText="a-z, 0-9 and inner dashes; stands in events and policies."
          errorText={fieldProblem(register.error, 'name')}
        >
          <Input value={name} placeholder="invoice-sync" autoFocus onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        <FormField
          label="Purpose"
          description="What it is for, in a few words: reviewers read this."
          errorText={fieldProblem(register.error, 'purpose')}
        >
          <Textarea value={purpose} rows={2} onChange={({ detail }) => setPurpose(detail.value)} />
        </FormField>
        <FormField label="Kind">
          <Select
            selectedOption={KINDS.find(({ value }) => value === kind) ?? null}
            options={KINDS}
            onChange={({ detail }) => setKind(detail.selectedOption.value as Kind)} // one of the options
          />
        </FormField>
        <FormField label="Proof asked for" description="The weakest proof with which its calls are accepted.">
          <Select
            selectedOption={{ value: assurance, label: ASSURANCE_TEXT[assurance] }}
            options={Object.entries(ASSURANCE_TEXT).map(([value, label]) => ({ value, label }))}
            onChange={({ detail }) => setAssurance(detail.selectedOption.value as Integration['assurance'])} // one of the options
          />
        </FormField>
        <FormField
          label="Ends"
          description="Its calls are refused from then on, unless somebody looks again. Empty: never."
          errorText={fieldProblem(register.error, 'expiresAt')}
        >
          <DatePicker value={ends} placeholder="YYYY-MM-DD" onChange={({ detail }) => setEnds(detail.value)} />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}
