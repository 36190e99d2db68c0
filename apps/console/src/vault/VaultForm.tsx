import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { integrationsQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import {
  isComplete,
  kindOf,
  VAULT_KINDS,
  vaultBody,
  type VaultField,
  valueOf,
  type VaultValues,
} from './vault-kinds.ts';

const KIND_OPTIONS = VAULT_KINDS.map(({ kind, label }) => ({ value: kind, label }));
const ALL = { value: '', label: 'All integrations of this app' };

interface VaultFormProps {
  readonly app: App;
  readonly redirectUri: string;
  /** Something is in use that a successor takes over from. */
  readonly isRotation: boolean;
  readonly onClose: () => void;
}

/** Adds a credential, or replaces one: verified first and kept for a day, or at once and for good. */
export function VaultForm({ app, redirectUri, isRotation, onClose }: VaultFormProps) {
  const [kindName, setKindName] = useState('oauth2-authorization-code');
  const [values, setValues] = useState<VaultValues>({});
  const [integrationId, setIntegrationId] = useState('');
  const [isKept, setKept] = useState(true);
  const integrations = useQuery(integrationsQuery);
  const kind = kindOf(kindName);
  const places = [ALL, ...(integrations.data ?? []).map(({ id, name }) => ({ value: id, label: `Only ${name}` }))];
  const save = useCommand({
    run: async () => {
      const given = vaultBody(kind, values);
      const credential = (integrationId === '' ? given : { ...given, integrationId }) as never; // the server checks it
      const params = { path: { id: app.id } };
      return isRotation && isKept
        ? taken(await api.POST('/api/v1/apps/{id}/credentials/rotate', { params, body: { credential } }))
        : taken(await api.PUT('/api/v1/apps/{id}/credentials', { params, body: credential }));
    },
    done: ({ items }) =>
      items.some(({ state }) => state === 'pending')
        ? 'The credential is kept. Connect it by the vendor’s page now.'
        : `The gateways use the new credential of ${app.title} from now on.`,
    changes: [['apps'], ['map'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={isRotation ? `Rotate a credential of ${app.title}` : `Credential of ${app.title}`}
      button={isRotation && isKept ? 'Verify and switch' : 'Save'}
      isReady={isComplete(kind, values)}
      command={save}
      onClose={onClose}
    >
      <SpaceBetween size="m">
        <FormField label="Kind of credential" description={kind.hint}>
          <Select
            selectedOption={{ value: kind.kind, label: kind.label }}
            options={KIND_OPTIONS}
            expandToViewport
            onChange={({ detail }) => {
              setKindName(detail.selectedOption.value ?? kindName);
              setValues({});
            }}
          />
        </FormField>
        {kind.kind === 'oauth2-authorization-code' ? (
          <FormField label="Redirect address to register at the vendor">
            <CopyText text={redirectUri} label="Copy the redirect address" />
          </FormField>
        ) : null}
        <FormField label="Used for">
          <Select
            selectedOption={places.find(({ value }) => value === integrationId) ?? ALL}
            options={places}
            expandToViewport
            onChange={({ detail }) => setIntegrationId(detail.selectedOption.value ?? '')}
          />
        </FormField>
        {kind.fields.map((field) => (
          <OneField
            key={field.key}
            field={field}
            value={valueOf(field, values)}
            error={fieldProblem(save.error, field.key)}
            onChange={(value) => setValues((now) => ({ ...now, [field.key]: value }))}
          />
        ))}
        <FormField
          label="Path to verify it with - optional"
          description="A path of the app, such as /user, that the vendor answers when the credential is good."
          errorText={fieldProblem(save.error, 'verifyPath')}
        >
          <Input
            value={values['verifyPath'] ?? ''}
            onChange={({ detail }) => setValues((now) => ({ ...now, verifyPath: detail.value }))}
          />
        </FormField>
        {isRotation ? (
          <Checkbox checked={isKept} onChange={({ detail }) => setKept(detail.checked)}>
            Verify first, and keep the present one for a day to go back to
          </Checkbox>
        ) : null}
      </SpaceBetween>
    </FormDialog>
  );
}

function OneField({
  field,
  value,
  error,
  onChange,
}: {
  readonly field: VaultField;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const label = field.isOptional ? `${field.label} - optional` : field.label;
  const options = field.options?.map((option) => ({ value: option, label: option }));
  return (
    <FormField label={label} description={field.hint} errorText={error}>
      {options ? (
        <Select
          selectedOption={options.find((option) => option.value === value) ?? null}
          options={options}
          expandToViewport
          onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
        />
      ) : field.isLong ? (
        <Textarea value={value} rows={4} onChange={({ detail }) => onChange(detail.value)} />
      ) : (
        <Input
          type={field.isSecret ? 'password' : 'text'}
          autoComplete={false}
          value={value}
          onChange={({ detail }) => onChange(detail.value)}
        />
      )}
    </FormField>
  );
}
