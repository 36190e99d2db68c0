import Autosuggest from '@cloudscape-design/components/autosuggest';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { InspectionRule } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { RulePage } from './RulePage.tsx';
import { optionOf, useScopeOptions } from './scope-pickers.ts';

const ACTIONS = [
  { value: 'allow', label: 'Allow', description: 'Passes, and is not recorded' },
  { value: 'log', label: 'Log', description: 'Passes, and is recorded' },
  { value: 'redact', label: 'Redact', description: 'Is taken out of the body' },
  { value: 'block', label: 'Block', description: 'The call is refused' },
] as const;
type Action = (typeof ACTIONS)[number]['value'];

const DIRECTIONS = [
  { value: '', label: 'Both directions' },
  { value: 'request', label: 'Requests' },
  { value: 'response', label: 'Responses' },
] as const;

/** Offered beside what events of the last day really showed. */
const CLASSES = ['*', 'credential.*', 'payment.card', 'payment.iban', 'identifier.*', 'contact.email', 'contact.phone'];

export function InspectionRulesPage() {
  const { appLabel, integrationLabel } = useScopeOptions();
  const rules = useQuery({
    queryKey: ['inspection-rules'],
    queryFn: async () => taken(await api.GET('/api/v1/inspection-rules')).items,
  });
  return (
    <RulePage<InspectionRule>
      title="Inspection rules"
      description="What happens to sensitive data on its way. The most specific rule wins; on a tie the stricter one."
      noun="rule"
      queryKey="inspection-rules"
      rules={rules}
      columns={[
        { id: 'class', header: 'Data class', cell: ({ entry }) => entry.class },
        {
          id: 'action',
          header: 'Action',
          cell: ({ entry }) => ACTIONS.find(({ value }) => value === entry.action)?.label ?? entry.action,
        },
        {
          id: 'direction',
          header: 'Direction',
          cell: ({ entry }) => DIRECTIONS.find(({ value }) => value === (entry.direction ?? ''))?.label,
        },
        { id: 'app', header: 'App', cell: ({ entry }) => appLabel(entry.appId) },
        { id: 'integration', header: 'Integration', cell: ({ entry }) => integrationLabel(entry.integrationId) },
      ]}
      removeRule={async (id) => api.DELETE('/api/v1/inspection-rules/{id}', { params: { path: { id } } })}
      removeText="What it covered is treated as the remaining rules say."
      form={(rule, onClose) => <RuleForm rule={rule} onClose={onClose} />}
    />
  );
}

function RuleForm({ rule, onClose }: { readonly rule: InspectionRule | null; readonly onClose: () => void }) {
  const entry = rule?.entry;
  const { appOptions, integrationOptions } = useScopeOptions();
  const [name, setName] = useState(rule?.name ?? '');
  const [dataClass, setDataClass] = useState(entry?.class ?? '');
  const [action, setAction] = useState<Action>(entry?.action ?? 'redact');
  const [direction, setDirection] = useState<string>(entry?.direction ?? '');
  const [appId, setAppId] = useState(entry?.appId ?? '');
  const [integrationId, setIntegrationId] = useState(entry?.integrationId ?? '');
  const [note, setNote] = useState(entry?.note ?? '');
  const save = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/inspection-rules', {
          body: {
            name,
            class: dataClass,
            action,
            note,
            direction: direction === 'request' || direction === 'response' ? direction : null,
            appId: appId === '' ? null : appId,
            integrationId: integrationId === '' ? null : integrationId,
          },
        }),
      ),
    done: `Rule ${name} is on its way to the gateways.`,
    changes: [['inspection-rules'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={rule ? `Edit ${rule.name}` : 'Add an inspection rule'}
      button="Save"
      isReady={name !== '' && dataClass !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(save.error, 'name')}>
        <Input value={name} disabled={rule !== null} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Data class"
        description="A class, a prefix such as credential.*, or * for all."
        errorText={fieldProblem(save.error, 'class')}
      >
        <Autosuggest
          value={dataClass}
          enteredTextLabel={(value) => `Use "${value}"`}
          options={CLASSES.map((value) => ({ value }))}
          onChange={({ detail }) => setDataClass(detail.value)}
        />
      </FormField>
      <FormField label="Action">
        <Select
          selectedOption={ACTIONS.find(({ value }) => value === action) ?? null}
          options={ACTIONS}
          onChange={({ detail }) => setAction(detail.selectedOption.value as Action)} // one of the options
        />
      </FormField>
      <FormField label="Direction">
        <Select
          selectedOption={DIRECTIONS.find(({ value }) => value === direction) ?? null}
          options={DIRECTIONS}
          onChange={({ detail }) => setDirection(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="App">
        <Select
          selectedOption={optionOf(appOptions, appId)}
          options={appOptions}
          onChange={({ detail }) => setAppId(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Integration">
        <Select
          selectedOption={optionOf(integrationOptions, integrationId)}
          options={integrationOptions}
          onChange={({ detail }) => setIntegrationId(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Note" description="Why it is so; for whoever reads this later.">
        <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
