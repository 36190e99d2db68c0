import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery, integrationsQuery, operationsQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { type Elevation, type Role, ROLES } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Kind = Elevation['kind'];
interface Choice {
  readonly value: string;
  readonly label: string;
}
const KINDS: readonly (Choice & { readonly value: Kind })[] = [
  { value: 'role', label: 'A role in Cordon' },
  { value: 'group', label: 'A group' },
  { value: 'app', label: 'An app to sign on to' },
  { value: 'operation', label: 'Operations for an integration' },
];

function Choose({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string;
  readonly options: readonly Choice[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <FormField label={label}>
      <Select
        expandToViewport
        filteringType="auto"
        placeholder="Choose"
        options={options}
        selectedOption={options.find((one) => one.value === value) ?? null}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      />
    </FormField>
  );
}

const choice = ({ id, name }: { readonly id: string; readonly name: string }): Choice => ({ value: id, label: name });

function Operations({
  appId,
  chosen,
  onChange,
}: {
  readonly appId: string;
  readonly chosen: readonly string[];
  readonly onChange: (ids: string[]) => void;
}) {
  const operations = useQuery({ ...operationsQuery(appId), enabled: appId !== '' });
  const options = (operations.data ?? []).map(({ id, method, path }) => ({
    value: id,
    label: id,
    description: `${method} ${path}`,
  }));
  return (
    <FormField label="Operations">
      <Multiselect
        expandToViewport
        filteringType="auto"
        placeholder="Choose operations"
        options={options}
        selectedOptions={options.filter(({ value }) => chosen.includes(value))}
        onChange={({ detail }) => onChange(detail.selectedOptions.flatMap(({ value }) => (value ? [value] : [])))}
      />
    </FormField>
  );
}

export function AskForm({ onClose }: { readonly onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('role');
  const [ref, setRef] = useState('');
  const [integrationId, setIntegration] = useState('');
  const [operations, setOperations] = useState<readonly string[]>([]);
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('60');
  const choices = useQuery({
    queryKey: ['elevations', 'choices'],
    queryFn: async () => taken(await api.GET('/api/v1/elevations/choices')),
  });
  const apps = useQuery({ ...appsQuery, enabled: kind === 'operation' });
  const integrations = useQuery({ ...integrationsQuery, enabled: kind === 'operation' });
  const ask = useCommand<void, Elevation>({
    run: async () => {
      const common = { reason, minutes: Number(minutes) };
      const body =
        kind === 'role'
          ? { ...common, kind, ref: ref as Role } // one of the options
          : kind === 'operation'
            ? { ...common, kind, ref, integrationId, operations: [...operations] }
            : { ...common, kind, ref };
      return taken(await api.POST('/api/v1/elevations', { body }));
    },
    done: (made) => `Asked. ${made.approver?.name ?? 'An owner of Cordon'} decides.`,
    changes: [['elevations'], ['audit']],
    onDone: onClose,
  });
  const options: readonly Choice[] =
    kind === 'role'
      ? ROLES.map((role) => ({ value: role, label: role }))
      : kind === 'group'
        ? (choices.data?.groups ?? []).map(choice)
        : kind === 'app'
          ? (choices.data?.apps ?? []).map(choice)
          : (apps.data ?? []).map(({ id, title }) => ({ value: id, label: title }));
  const isWhole = kind !== 'operation' || (integrationId !== '' && operations.length > 0);
  return (
    <FormDialog
      title="Ask for access"
      button="Ask"
      isReady={ref !== '' && reason.trim().length >= 5 && Number(minutes) > 0 && isWhole}
      command={ask}
      onClose={onClose}
    >
      <Choose
        label="What"
        options={KINDS}
        value={kind}
        onChange={(value) => {
          setKind(KINDS.find((one) => one.value === value)?.value ?? 'role');
          setRef('');
        }}
      />
      <Choose
        label={{ role: 'Role', group: 'Group', app: 'App', operation: 'App behind the gateway' }[kind]}
        options={options}
        value={ref}
        onChange={setRef}
      />
      {kind === 'operation' ? (
        <>
          <Choose
            label="Integration"
            options={(integrations.data ?? []).map(choice)}
            value={integrationId}
            onChange={setIntegration}
          />
          <Operations appId={ref} chosen={operations} onChange={setOperations} />
        </>
      ) : null}
      <FormField
        label="Why"
        description="Kept; a ticket helps whoever decides."
        errorText={fieldProblem(ask.error, 'reason')}
      >
        <Textarea rows={2} value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField
        label="Minutes"
        description="From the approval. A role at most 480, anything else at most a week."
        errorText={fieldProblem(ask.error, 'minutes')}
      >
        <Input type="number" value={minutes} onChange={({ detail }) => setMinutes(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
