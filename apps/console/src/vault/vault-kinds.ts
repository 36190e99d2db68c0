/** One field of a kind of credential, as the form shows it and the API takes it. */
export interface VaultField {
  readonly key: string;
  readonly label: string;
  readonly hint?: string;
  readonly isSecret?: true;
  readonly isLong?: true;
  readonly isOptional?: true;
  /** Words with spaces between them become a list. */
  readonly isList?: true;
  readonly initial?: string;
  readonly options?: readonly string[];
}

export interface VaultKind {
  readonly kind: string;
  readonly label: string;
  readonly hint: string;
  readonly fields: readonly VaultField[];
}

const secret = (label: string, key = 'secret'): VaultField => ({ key, label, isSecret: true });
const scheme: VaultField = { key: 'scheme', label: 'Word before the token', initial: 'Bearer' };
const scopes: VaultField = {
  key: 'scopes',
  label: 'Scopes',
  hint: 'With spaces between them.',
  isList: true,
  isOptional: true,
};
const tokenUrl: VaultField = { key: 'tokenUrl', label: 'Token endpoint' };
const pem: VaultField = { key: 'privateKey', label: 'Private key (PEM)', isSecret: true, isLong: true };
const client: readonly VaultField[] = [
  { key: 'clientId', label: 'Client id' },
  {
    key: 'clientAuth',
    label: 'The client proves itself by',
    initial: 'client_secret_basic',
    options: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  },
  { key: 'clientSecret', label: 'Client secret', isSecret: true, isOptional: true },
  { ...pem, label: 'Private key (PEM), for private_key_jwt', isOptional: true },
  { key: 'keyId', label: 'Key id', isOptional: true },
];

export const VAULT_KINDS: readonly VaultKind[] = [
  {
    kind: 'oauth2-authorization-code',
    label: 'OAuth 2.0, by the vendor’s consent page',
    hint: 'Somebody goes through the vendor’s page once; Cordon renews the token from then on.',
    fields: [
      ...client,
      { key: 'authorizeUrl', label: 'Authorization endpoint' },
      tokenUrl,
      scopes,
      { key: 'scopeSeparator', label: 'Between scopes', initial: 'space', options: ['space', 'comma'] },
      {
        key: 'parameters',
        label: 'Further parameters of the page',
        hint: 'Such as access_type=offline prompt=consent, with spaces between them.',
        isOptional: true,
      },
      {
        key: 'issuer',
        label: 'Issuer',
        hint: 'Only for vendors that name it in their answers (iss).',
        isOptional: true,
      },
    ],
  },
  {
    kind: 'oauth2-client-credentials',
    label: 'OAuth 2.0, client credentials',
    hint: 'Tokens are minted with the client’s secret or key.',
    fields: [...client, tokenUrl, scopes, { key: 'audience', label: 'Audience', isOptional: true }],
  },
  {
    kind: 'oauth2-refresh-token',
    label: 'OAuth 2.0, a refresh token you have',
    hint: 'Each renewal may replace it; the old one then stops working elsewhere.',
    fields: [...client, tokenUrl, secret('Refresh token', 'refreshToken')],
  },
  {
    kind: 'github-app',
    label: 'GitHub App',
    hint: 'Installation tokens of an hour, minted with the app’s key.',
    fields: [
      { key: 'appId', label: 'App id or client id' },
      { key: 'installationId', label: 'Installation id' },
      pem,
      { key: 'apiUrl', label: 'API', initial: 'https://api.github.com' },
    ],
  },
  {
    kind: 'google-service-account',
    label: 'Google service account',
    hint: 'With a subject it acts for that person (domain-wide delegation).',
    fields: [
      { key: 'clientEmail', label: 'Service account’s address' },
      pem,
      { key: 'subject', label: 'Acts for', isOptional: true },
      scopes,
      { ...tokenUrl, initial: 'https://oauth2.googleapis.com/token' },
    ],
  },
  {
    kind: 'slack-token-rotation',
    label: 'Slack token rotation',
    hint: 'Tokens of 12 hours, from a refresh token that is good once.',
    fields: [
      { key: 'clientId', label: 'Client id' },
      secret('Client secret', 'clientSecret'),
      secret('Refresh token', 'refreshToken'),
      { ...tokenUrl, initial: 'https://slack.com/api/oauth.v2.access' },
    ],
  },
  {
    kind: 'aws-sigv4',
    label: 'AWS (Signature Version 4)',
    hint: 'Each call is signed at the gateway.',
    fields: [
      { key: 'accessKeyId', label: 'Access key id' },
      secret('Secret access key', 'secretAccessKey'),
      { key: 'sessionToken', label: 'Session token', isSecret: true, isOptional: true },
      { key: 'region', label: 'Region' },
      { key: 'service', label: 'Service' },
    ],
  },
  { kind: 'bearer', label: 'Token in the Authorization header', hint: '', fields: [secret('Token'), scheme] },
  { kind: 'basic', label: 'User and password (Basic)', hint: '', fields: [secret('user:password')] },
  {
    kind: 'api-key-header',
    label: 'Key in a header',
    hint: '',
    fields: [secret('Key'), { key: 'header', label: 'Header', initial: 'X-Api-Key' }],
  },
  {
    kind: 'api-key-query',
    label: 'Key in the query',
    hint: '',
    fields: [secret('Key'), { key: 'parameter', label: 'Query parameter', initial: 'api_key' }],
  },
  {
    kind: 'api-key-form',
    label: 'Key in a form field',
    hint: '',
    fields: [secret('Key'), { key: 'field', label: 'Form field', initial: 'api_key' }],
  },
];

export type VaultValues = Readonly<Record<string, string>>;

export function kindOf(kind: string): VaultKind {
  return VAULT_KINDS.find((one) => one.kind === kind) ?? VAULT_KINDS[0]!; // never empty
}

export function labelOfKind(kind: string): string {
  return VAULT_KINDS.find((one) => one.kind === kind)?.label ?? kind;
}

export function valueOf(field: VaultField, values: VaultValues): string {
  return values[field.key] ?? field.initial ?? '';
}

export function isComplete({ fields }: VaultKind, values: VaultValues): boolean {
  return fields.every((field) => field.isOptional || valueOf(field, values).trim() !== '');
}

function pairsOf(text: string): Record<string, string> {
  const pairs = text.trim().split(/\s+/);
  return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]));
}

/** What the API takes; the server checks it and names the field that is wrong. */
export function vaultBody(kind: VaultKind, values: VaultValues): Record<string, unknown> {
  const body: Record<string, unknown> = { kind: kind.kind };
  for (const field of kind.fields) {
    const text = valueOf(field, values);
    if (text.trim() === '') continue;
    if (field.isList) body[field.key] = text.trim().split(/\s+/);
    else if (field.key === 'parameters') body[field.key] = pairsOf(text);
    else if (field.key === 'scopeSeparator') body[field.key] = text === 'comma' ? ',' : ' ';
    else body[field.key] = field.isLong ? text : text.trim();
  }
  const verifyPath = (values['verifyPath'] ?? '').trim();
  return verifyPath === '' ? body : { ...body, verifyPath };
}
