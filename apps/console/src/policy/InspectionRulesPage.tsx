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
import { conditionsBody, conditionsOf, RuleConditions } from './RuleConditions.tsx';
import { RulePage } from './RulePage.tsx';
import { optionOf, useScopeOptions } from './scope-pickers.ts';

const ACTIONS = [
  { value: 'allow', label: 'Allow', description: 'Passes, and is not recorded' },
  { value: 'log', label: 'Log', description: 'Passes, and is recorded' },
  { value: 'notify', label: 'Notify', description: 'Passes, and people are told' },
  { value: 'redact', label: 'Redact', description: 'Is taken out' },
  { value: 'tokenise', label: 'Tokenise', description: 'Is replaced by a token that can be put back by permission' },
  { value: 'justify', label: 'Ask why', description: 'Waits until somebody gives a reason' },
  { value: 'quarantine', label: 'Quarantine', description: 'Waits until somebody releases it' },
  { value: 'block', label: 'Block', description: 'The call is refused' },
  { value: 'label', label: 'Label', description: "At rest: gets the tool's own label" },
  { value: 'unshare', label: 'Unshare', description: 'At rest: links for others are taken back' },
  { value: 'delete', label: 'Delete', description: "At rest: by the tool's own way" },
] as const;
type Action = (typeof ACTIONS)[number]['value'];

const DIRECTIONS = [
  { value: '', label: 'Both ways of a call' },
  { value: 'request', label: 'Requests' },
  { value: 'response', label: 'Responses' },
  { value: 'at-rest', label: 'At rest, in tools' },
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
      description="What happens to sensitive data on its way and where it lies. The most specific rule wins; on a tie the stricter one."
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
  const [conditions, setConditions] = useState(() => conditionsOf(entry));
  const save = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/inspection-rules', {
          body: {
            name,
            class: dataClass,
            action,
            note,
            ...conditionsBody(conditions),
            direction:
              DIRECTIONS.flatMap(({ value }) => (value !== '' && value === direction ? [value] : []))[0] ?? null,
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
      <RuleConditions isAtRest={direction === 'at-rest'} value={conditions} onChange={setConditions} />
      <FormField label="Note" description="Why it is so; for whoever reads this later.">
        <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
