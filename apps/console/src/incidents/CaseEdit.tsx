import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { CaseDetail } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const ROLES = [
  { key: 'commander', label: 'Incident commander' },
  { key: 'technical', label: 'Technical lead' },
  { key: 'communications', label: 'Communications' },
  { key: 'liaison', label: 'Liaison to vendors and regulators' },
  { key: 'scribe', label: 'Scribe' },
] as const;
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
const TLPS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
const optionOf = (value: string) => ({ value, label: value });

/** What a case says about itself: title, summary, severity, mark, who does what, and what customers may read. */
export function CaseEdit({ of, onClose }: { readonly of: CaseDetail; readonly onClose: () => void }) {
  const [draft, setDraft] = useState({
    title: of.title,
    summary: of.summary,
    severity: of.severity,
    tlp: of.tlp,
    statusPage: of.statusPage,
  });
  const [roles, setRoles] = useState<Readonly<Record<string, string>>>(of.roles);
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand<void, unknown>({
    run: async () => {
      const filled = Object.fromEntries(
        ROLES.flatMap(({ key }) => {
          const name = roles[key]?.trim() ?? '';
          return name === '' ? [] : [[key, name]];
        }),
      );
      const body = { ...draft, roles: filled };
      return taken(await api.PATCH('/api/v1/cases/{id}', { params: { path: { id: of.id } }, body }));
    },
    done: 'The case is changed.',
    changes: [['cases']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Edit the case"
      button="Save"
      isReady={draft.title.trim().length >= 3}
      command={save}
      onClose={onClose}
    >
      <FormField label="Title" errorText={fieldProblem(save.error, 'title')}>
        <Input value={draft.title} onChange={({ detail }) => set({ title: detail.value })} />
      </FormField>
      <ColumnLayout columns={2}>
        <FormField label="Severity">
          <Select
            selectedOption={optionOf(draft.severity)}
            options={SEVERITIES.map(optionOf)}
            onChange={({ detail }) => {
              const severity = SEVERITIES.find((one) => one === detail.selectedOption.value);
              if (severity) set({ severity });
            }}
          />
        </FormField>
        <FormField label="Sharing" description="FIRST TLP 2.0">
          <Select
            selectedOption={optionOf(draft.tlp)}
            options={TLPS.map(optionOf)}
            onChange={({ detail }) => {
              const tlp = TLPS.find((one) => one === detail.selectedOption.value);
              if (tlp) set({ tlp });
            }}
          />
        </FormField>
      </ColumnLayout>
      <FormField label="Summary">
        <Textarea value={draft.summary} rows={3} onChange={({ detail }) => set({ summary: detail.value })} />
      </FormField>
      <FormField label="Text for a status page" description="What customers may read.">
        <Textarea value={draft.statusPage} rows={3} onChange={({ detail }) => set({ statusPage: detail.value })} />
      </FormField>
      <ColumnLayout columns={2}>
        {ROLES.map(({ key, label }) => (
          <FormField key={key} label={label}>
            <Input value={roles[key] ?? ''} onChange={({ detail }) => setRoles({ ...roles, [key]: detail.value })} />
          </FormField>
        ))}
      </ColumnLayout>
    </FormDialog>
  );
}
