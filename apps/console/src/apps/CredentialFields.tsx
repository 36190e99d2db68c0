import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { fieldProblem } from '../api/problem.ts';
import { CREDENTIAL_KINDS, type CredentialDraft, isCredentialKind } from './credential-fields.ts';

/** How the gateway signs in at the vendor; the secret goes into the envelope and is never shown again. */
export function CredentialFields({
  draft,
  error,
  onChange,
}: {
  readonly draft: CredentialDraft;
  readonly error: unknown;
  readonly onChange: (draft: CredentialDraft) => void;
}) {
  const { kind } = draft;
  return (
    <SpaceBetween size="m">
      <FormField label="Kind of credential">
        <Select
          selectedOption={CREDENTIAL_KINDS.find(({ value }) => value === kind) ?? null}
          options={CREDENTIAL_KINDS}
          expandToViewport
          onChange={({ detail }) => {
            const { value } = detail.selectedOption;
            if (isCredentialKind(value)) onChange({ ...draft, kind: value });
          }}
        />
      </FormField>
      <FormField
        label={kind === 'basic' ? 'user:password' : kind === 'bearer' ? 'Token' : 'Key'}
        description="Sealed at once. Nobody can read it here again, and no integration ever holds it."
        errorText={fieldProblem(error, 'secret')}
      >
        <Input
          type="password"
          value={draft.secret}
          autoComplete={false}
          onChange={({ detail }) => onChange({ ...draft, secret: detail.value })}
        />
      </FormField>
      {kind === 'bearer' ? (
        <FormField label="Word before the token" constraintText="Bearer; GitHub also takes token, Okta SSWS.">
          <Input value={draft.scheme} onChange={({ detail }) => onChange({ ...draft, scheme: detail.value })} />
        </FormField>
      ) : null}
      {kind === 'api-key-header' ? (
        <FormField label="Header" errorText={fieldProblem(error, 'header')}>
          <Input value={draft.header} onChange={({ detail }) => onChange({ ...draft, header: detail.value })} />
        </FormField>
      ) : null}
      {kind === 'api-key-query' ? (
        <FormField label="Query parameter" errorText={fieldProblem(error, 'parameter')}>
          <Input value={draft.parameter} onChange={({ detail }) => onChange({ ...draft, parameter: detail.value })} />
        </FormField>
      ) : null}
    </SpaceBetween>
  );
}
