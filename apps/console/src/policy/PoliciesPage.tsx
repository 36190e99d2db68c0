import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { PolicyRule } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { RulePage } from './RulePage.tsx';

const EXAMPLE = `// A forbid wins over every grant.
forbid (
  principal,
  action,
  resource
)
when { context.method == "DELETE" };`;

export function PoliciesPage() {
  const policies = useQuery({
    queryKey: ['policies'],
    queryFn: async () => taken(await api.GET('/api/v1/policies')).items,
  });
  return (
    <RulePage<PolicyRule>
      title="Cedar policies"
      description="Rules over all grants, in Cedar. Nothing is allowed without a grant; a forbid wins over any permit."
      noun="policy"
      queryKey="policies"
      rules={policies}
      columns={[
        { id: 'description', header: 'Description', cell: ({ entry }) => entry.description || '-' },
        { id: 'lines', header: 'Lines', cell: ({ entry }) => entry.text.split('\n').length },
      ]}
      removeRule={async (id) => api.DELETE('/api/v1/policies/{id}', { params: { path: { id } } })}
      removeText="The gateways decide without it from the next second on."
      form={(rule, onClose) => <PolicyForm rule={rule} onClose={onClose} />}
    />
  );
}

function PolicyForm({ rule, onClose }: { readonly rule: PolicyRule | null; readonly onClose: () => void }) {
  const [name, setName] = useState(rule?.name ?? '');
  const [description, setDescription] = useState(rule?.entry.description ?? '');
  const [text, setText] = useState(rule?.entry.text ?? EXAMPLE);
  const save = useCommand({
    run: async () => taken(await api.POST('/api/v1/policies', { body: { name, description, text } })),
    done: `Policy ${name} is on its way to the gateways.`,
    changes: [['policies'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={rule ? `Edit ${rule.name}` : 'Add a Cedar policy'}
      button="Save"
      isReady={name !== '' && text !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(save.error, 'name')}>
        <Input value={name} disabled={rule !== null} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Description" errorText={fieldProblem(save.error, 'description')}>
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField
        label="Policy"
        description="Checked by the server when you save, with line and column of an error."
        errorText={fieldProblem(save.error, 'text')}
        stretch
      >
        <Textarea value={text} rows={14} spellcheck={false} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
