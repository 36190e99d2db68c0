/** A vendor credential as it is written in a form. */
export interface CredentialDraft {
  readonly kind: 'bearer' | 'basic' | 'api-key-header' | 'api-key-query';
  readonly secret: string;
  readonly scheme: string;
  readonly header: string;
  readonly prefix: string;
  readonly parameter: string;
}

export const EMPTY_CREDENTIAL: CredentialDraft = {
  kind: 'bearer',
  secret: '',
  scheme: 'Bearer',
  header: 'X-Api-Key',
  prefix: '',
  parameter: 'api_key',
};

export const CREDENTIAL_KINDS = [
  { value: 'bearer', label: 'Token in the Authorization header' },
  { value: 'basic', label: 'User and password (Basic)' },
  { value: 'api-key-header', label: 'Key in a header' },
  { value: 'api-key-query', label: 'Key in the query' },
] as const;

export function isCredentialKind(value: string | undefined): value is CredentialDraft['kind'] {
  return CREDENTIAL_KINDS.some((kind) => kind.value === value);
}

/** The body that the API takes for a draft. */
export function credentialBody(draft: CredentialDraft) {
  const { kind, secret } = draft;
  switch (kind) {
    case 'basic':
      return { kind, secret };
    case 'api-key-header':
      return { kind, secret, header: draft.header, prefix: draft.prefix };
    case 'api-key-query':
      return { kind, secret, parameter: draft.parameter };
    default:
      return { kind, secret, scheme: draft.scheme };
  }
}
