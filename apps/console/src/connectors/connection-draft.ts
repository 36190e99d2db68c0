import type { Connector } from './connector-queries.ts';

/** What each kind of credential asks for; the names are those of the API. */
const FIELDS: Readonly<
  Record<string, readonly { readonly name: string; readonly title: string; readonly long?: boolean }[]>
> = {
  bearer: [{ name: 'token', title: 'Token' }],
  basic: [
    { name: 'user', title: 'User' },
    { name: 'password', title: 'Password or token' },
  ],
  header: [{ name: 'value', title: 'Key' }],
  query: [{ name: 'value', title: 'Key' }],
  oauth2_client_credentials: [
    { name: 'clientId', title: 'Client ID' },
    { name: 'clientSecret', title: 'Client secret' },
  ],
  oauth2_refresh_token: [
    { name: 'clientId', title: 'Client ID' },
    { name: 'clientSecret', title: 'Client secret' },
    { name: 'refreshToken', title: 'Refresh token' },
  ],
  google_service_account: [
    { name: 'email', title: 'E-mail address of the service account' },
    { name: 'privateKey', title: 'Private key (PEM)', long: true },
  ],
  github_app: [{ name: 'privateKey', title: 'Private key (PEM)', long: true }],
  jwt_bearer: [{ name: 'privateKey', title: 'Private key (PEM)', long: true }],
};

export interface SecretField {
  readonly name: string;
  readonly title: string;
  readonly isLong: boolean;
}

export function secretFields(auth: Connector['auth'][number] | undefined): readonly SecretField[] {
  const own = (FIELDS[auth?.kind ?? ''] ?? []).map(({ name, title, long = false }) => ({ name, title, isLong: long }));
  const extra = (auth?.extra ?? []).map(({ header, title }) => ({ name: `extra.${header}`, title, isLong: false }));
  return [...own, ...extra];
}

/** The credential as the API takes it; the server checks it member by member. */
export function credentialOf(kind: string, values: Readonly<Record<string, string>>): Record<string, unknown> {
  const extra = Object.entries(values).filter(([name]) => name.startsWith('extra.'));
  const own = Object.entries(values).filter(([name]) => !name.startsWith('extra.'));
  return {
    kind,
    ...Object.fromEntries(own),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra.map(([name, value]) => [name.slice(6), value])) } : {}),
  };
}
