import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ProvisionTarget } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { groupsQuery } from '../groups/group-queries.ts';

function GroupChoice({
  label,
  description,
  chosen,
  onChange,
}: {
  readonly label: string;
  readonly description: string;
  readonly chosen: readonly string[];
  readonly onChange: (ids: string[]) => void;
}) {
  const groups = useQuery(groupsQuery);
  const options = (groups.data ?? []).map(({ id, displayName }) => ({ value: id, label: displayName }));
  return (
    <FormField label={label} description={description}>
      <Multiselect
        placeholder="Choose groups"
        expandToViewport
        filteringType="auto"
        options={options}
        selectedOptions={options.filter(({ value }) => chosen.includes(value))}
        onChange={({ detail }) => onChange(detail.selectedOptions.flatMap(({ value }) => (value ? [value] : [])))}
      />
    </FormField>
  );
}

const KINDS = [
  { value: 'scim', label: 'Over SCIM 2.0' },
  { value: 'task', label: 'By hand: each change becomes a task' },
] as const;
const LEAVE = [
  { value: 'deactivate', label: 'Turn the account off' },
  { value: 'delete', label: 'Delete the account' },
] as const;

/** Adds a tool, or changes who has an account in it. */
export function TargetForm({
  target,
  onClose,
}: {
  readonly target: ProvisionTarget | null;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<'scim' | 'task'>(target?.kind ?? 'scim');
  const [baseUrl, setBaseUrl] = useState('');
  const [token, setToken] = useState('');
  const [privateAddresses, setPrivate] = useState('');
  const [groups, setGroups] = useState<readonly string[]>(target?.groups ?? []);
  const [pushGroups, setPushGroups] = useState<readonly string[]>(target?.pushGroups ?? []);
  const [onLeave, setOnLeave] = useState<'deactivate' | 'delete'>(target?.onLeave ?? 'deactivate');
  const save = useCommand<void, unknown>({
    run: async () => {
      const common = { groups: [...groups], onLeave };
      const pushed = { pushGroups: [...pushGroups] };
      if (target !== null) {
        const body = {
          ...common,
          ...(kind === 'scim' ? pushed : {}),
          ...(token === '' ? {} : { token }),
        };
        return taken(
          await api.PATCH('/api/v1/provisioning/targets/{id}', { params: { path: { id: target.id } }, body }),
        );
      }
      const addresses = privateAddresses.split(/[\s,]+/).filter((one) => one !== '');
      const body =
        kind === 'scim'
          ? { kind, name, ...common, ...pushed, baseUrl, token, privateAddresses: addresses }
          : { kind, name, ...common };
      return taken(await api.POST('/api/v1/provisioning/targets', { body }));
    },
    done: target === null ? `${name} is added. Nothing was sent yet: look at a preview first.` : 'The tool is changed.',
    changes: [['provisioning'], ['groups'], ['audit']],
    onDone: onClose,
  });
  const isNew = target === null;
  const isReady =
    groups.length > 0 && (!isNew || (name !== '' && (kind === 'task' || (baseUrl !== '' && token !== ''))));
  return (
    <FormDialog
      title={isNew ? 'Add a tool' : `Change ${target.name}`}
      button={isNew ? 'Add' : 'Save'}
      isReady={isReady}
      command={save}
      onClose={onClose}
    >
      {isNew ? (
        <>
          <FormField label="Name" errorText={fieldProblem(save.error, 'name')}>
            <Input value={name} onChange={({ detail }) => setName(detail.value)} />
          </FormField>
          <FormField label="How">
            <Select
              options={KINDS}
              selectedOption={KINDS.find(({ value }) => value === kind) ?? null}
              onChange={({ detail }) => setKind(detail.selectedOption.value === 'task' ? 'task' : 'scim')}
            />
          </FormField>
        </>
      ) : null}
      {isNew && kind === 'scim' ? (
        <>
          <FormField label="SCIM server" errorText={fieldProblem(save.error, 'baseUrl')}>
            <Input
              value={baseUrl}
              placeholder="https://tool.example/scim/v2"
              onChange={({ detail }) => setBaseUrl(detail.value)}
            />
          </FormField>
          <FormField
            label="Private addresses"
            description="Only for a server in your own network; separated by spaces."
          >
            <Input value={privateAddresses} onChange={({ detail }) => setPrivate(detail.value)} />
          </FormField>
        </>
      ) : null}
      {kind === 'scim' ? (
        <FormField
          label="Bearer token"
          description={isNew ? 'Sealed; never shown again.' : 'Only to replace the one that is there.'}
        >
          <Input type="password" value={token} onChange={({ detail }) => setToken(detail.value)} />
        </FormField>
      ) : null}
      <GroupChoice
        label="Accounts for members of"
        description="Whoever is in one of them has an account there."
        chosen={groups}
        onChange={setGroups}
      />
      {kind === 'scim' ? (
        <GroupChoice
          label="Groups to push"
          description="Made there with those of their members who have an account. Their members there are Cordon’s alone."
          chosen={pushGroups}
          onChange={setPushGroups}
        />
      ) : null}
      <FormField label="When somebody leaves">
        <Select
          options={LEAVE}
          selectedOption={LEAVE.find(({ value }) => value === onLeave) ?? null}
          onChange={({ detail }) => setOnLeave(detail.selectedOption.value === 'delete' ? 'delete' : 'deactivate')}
        />
      </FormField>
    </FormDialog>
  );
}
