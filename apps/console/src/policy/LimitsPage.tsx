import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { LimitRule } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { describeLimit, draftOfLimit, limitBody, type LimitDraft, PERIOD_OPTIONS } from './limit-draft.ts';
import { RulePage } from './RulePage.tsx';
import { useScopeOptions } from './scope-pickers.ts';
import { ScopeFields } from './ScopeFields.tsx';

const COUNT_BY = [
  { value: 'integration', label: 'each integration' },
  { value: 'app', label: 'each app' },
  { value: 'operation', label: 'each operation' },
  { value: 'address', label: 'each source address' },
] as const;

export function LimitsPage() {
  const { appLabel, integrationLabel } = useScopeOptions();
  const limits = useQuery({
    queryKey: ['limits'],
    queryFn: async () => taken(await api.GET('/api/v1/limits')).items,
  });
  return (
    <RulePage<LimitRule>
      title="Limits"
      description="How much may be called. Every limit whose scope fits a call applies; the first exhausted one refuses it."
      noun="limit"
      queryKey="limits"
      rules={limits}
      columns={[
        { id: 'limit', header: 'Limit', cell: ({ entry }) => describeLimit(entry) },
        { id: 'app', header: 'App', cell: ({ entry }) => appLabel(entry.scope.appId) },
        { id: 'integration', header: 'Integration', cell: ({ entry }) => integrationLabel(entry.scope.integrationId) },
        { id: 'operation', header: 'Operation', cell: ({ entry }) => entry.scope.operationId ?? 'any' },
        { id: 'by', header: 'Counted for each', cell: ({ entry }) => entry.countBy.join(', ') || 'all together' },
      ]}
      removeRule={async (id) => api.DELETE('/api/v1/limits/{id}', { params: { path: { id } } })}
      removeText="Calls in its scope are limited only by what remains."
      form={(rule, onClose) => <LimitForm rule={rule} onClose={onClose} />}
    />
  );
}

const NUMBERS = [
  { key: 'concurrency', label: 'Calls in flight at once' },
  { key: 'callsPerDay', label: 'Calls a day' },
  { key: 'bytesPerDay', label: 'Bytes a day' },
  { key: 'bytesOutPerDay', label: 'Bytes of answers a day' },
  { key: 'recordsPerDay', label: 'Records a day' },
] as const;

function LimitForm({ rule, onClose }: { readonly rule: LimitRule | null; readonly onClose: () => void }) {
  const [draft, setDraft] = useState<LimitDraft>(() => draftOfLimit(rule));
  const set = (part: Partial<LimitDraft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand({
    run: async () => taken(await api.POST('/api/v1/limits', { body: limitBody(draft) })),
    done: `Limit ${draft.name} is on its way to the gateways.`,
    changes: [['limits'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={rule ? `Edit ${rule.name}` : 'Add a limit'}
      button="Save"
      isReady={draft.name !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(save.error, 'name')}>
        <Input value={draft.name} disabled={rule !== null} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <ColumnLayout columns={3}>
        <FormField label="Calls" description="Empty: no rate" errorText={fieldProblem(save.error, 'rate.count')}>
          <Input value={draft.count} inputMode="numeric" onChange={({ detail }) => set({ count: detail.value })} />
        </FormField>
        <FormField label="In" description="Refilled evenly">
          <Select
            selectedOption={PERIOD_OPTIONS.find(({ value }) => value === draft.periodMs) ?? null}
            options={PERIOD_OPTIONS}
            placeholder={`${draft.periodMs} ms`}
            onChange={({ detail }) => set({ periodMs: detail.selectedOption.value ?? '' })}
          />
        </FormField>
        <FormField label="Burst" description="At once, at most" errorText={fieldProblem(save.error, 'rate.burst')}>
          <Input value={draft.burst} inputMode="numeric" onChange={({ detail }) => set({ burst: detail.value })} />
        </FormField>
      </ColumnLayout>
      <ColumnLayout columns={2}>
        {NUMBERS.map(({ key, label }) => (
          <FormField key={key} label={label} description="Empty: no limit">
            <Input value={draft[key]} inputMode="numeric" onChange={({ detail }) => set({ [key]: detail.value })} />
          </FormField>
        ))}
      </ColumnLayout>
      <ScopeFields scope={draft} set={set} />
      <FormField label="Operation" description="Its id; empty: any">
        <Input value={draft.operationId} onChange={({ detail }) => set({ operationId: detail.value })} />
      </FormField>
      <FormField label="Counted for" description="One counter for each combination; none: one for all together.">
        <Multiselect
          selectedOptions={COUNT_BY.filter(({ value }) => draft.countBy.includes(value))}
          options={COUNT_BY}
          onChange={({ detail }) =>
            set({
              countBy: COUNT_BY.map(({ value }) => value).filter((value) =>
                detail.selectedOptions.some((one) => one.value === value),
              ),
            })
          }
        />
      </FormField>
    </FormDialog>
  );
}
