import Checkbox from '@cloudscape-design/components/checkbox';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { RequirementRule } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import {
  APPROVAL_OPTIONS,
  ASSURANCE_OPTIONS,
  describeRequirement,
  draftOfRequirement,
  requirementBody,
  type RequirementDraft,
} from './requirement-draft.ts';
import { RulePage } from './RulePage.tsx';
import { useScopeOptions } from './scope-pickers.ts';
import { ScopeFields } from './ScopeFields.tsx';

export function RequirementsPage() {
  const { appLabel, integrationLabel } = useScopeOptions();
  const requirements = useQuery({
    queryKey: ['requirements'],
    queryFn: async () => taken(await api.GET('/api/v1/requirements')).items,
  });
  return (
    <RulePage<RequirementRule>
      title="Requirements"
      description="What sensitive calls need beyond a grant. Every requirement whose scope fits a call applies."
      noun="requirement"
      queryKey="requirements"
      rules={requirements}
      columns={[
        { id: 'what', header: 'Needs', cell: ({ entry }) => describeRequirement(entry) },
        { id: 'app', header: 'App', cell: ({ entry }) => appLabel(entry.appId ?? null) },
        {
          id: 'integration',
          header: 'Integration',
          cell: ({ entry }) => integrationLabel(entry.integrationId ?? null),
        },
      ]}
      removeRule={async (id) => api.DELETE('/api/v1/requirements/{id}', { params: { path: { id } } })}
      removeText="Calls in its scope need only what remains."
      form={(rule, onClose) => <RequirementForm rule={rule} onClose={onClose} />}
    />
  );
}

function RequirementForm({ rule, onClose }: { readonly rule: RequirementRule | null; readonly onClose: () => void }) {
  const [draft, setDraft] = useState<RequirementDraft>(() => draftOfRequirement(rule));
  const set = (part: Partial<RequirementDraft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand({
    run: async () => taken(await api.POST('/api/v1/requirements', { body: requirementBody(draft) })),
    done: `Requirement ${draft.name} is on its way to the gateways.`,
    changes: [['requirements'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={rule ? `Edit ${rule.name}` : 'Add a requirement'}
      button="Save"
      isReady={draft.name !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(save.error, 'name')}>
        <Input value={draft.name} disabled={rule !== null} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <ScopeFields scope={draft} set={set} />
      <FormField
        label="Operations"
        description="Operation ids, separated by commas; empty: all"
        errorText={fieldProblem(save.error, 'select')}
      >
        <Input value={draft.operations} onChange={({ detail }) => set({ operations: detail.value })} />
      </FormField>
      <FormField label="The client proves itself by">
        <Select
          selectedOption={ASSURANCE_OPTIONS.find(({ value }) => value === draft.assurance) ?? null}
          options={ASSURANCE_OPTIONS}
          onChange={({ detail }) => set({ assurance: detail.selectedOption.value ?? 'm0' })}
        />
      </FormField>
      <Checkbox checked={draft.dpopNonce} onChange={({ detail }) => set({ dpopNonce: detail.checked })}>
        DPoP proofs need a nonce of the gateway
      </Checkbox>
      <ColumnLayout columns={2}>
        <FormField label="A second person approves">
          <Select
            selectedOption={APPROVAL_OPTIONS.find(({ value }) => value === draft.approval) ?? null}
            options={APPROVAL_OPTIONS}
            onChange={({ detail }) => set({ approval: detail.selectedOption.value ?? '' })}
          />
        </FormField>
        <FormField label="Calls that one approval may cover" errorText={fieldProblem(save.error, 'approval.countMax')}>
          <Input
            value={draft.countMax}
            inputMode="numeric"
            disabled={draft.approval === ''}
            onChange={({ detail }) => set({ countMax: detail.value })}
          />
        </FormField>
      </ColumnLayout>
      {draft.approval === 'arguments' ? (
        <FormField
          label="Arguments"
          description="JSON pointers such as /amount, separated by commas"
          errorText={fieldProblem(save.error, 'approval.arguments')}
        >
          <Input value={draft.arguments} onChange={({ detail }) => set({ arguments: detail.value })} />
        </FormField>
      ) : null}
    </FormDialog>
  );
}
