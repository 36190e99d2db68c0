import type { Observables } from './indicator-index.ts';

type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}; // no list
}

/** The value at a path of objects. */
export function at(root: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (value === undefined ? undefined : fieldsOf(value)[key]), root);
}

export function textAt(root: unknown, ...keys: readonly string[]): string {
  const value = at(root, ...keys);
  return typeof value === 'string' ? value : '';
}

const kept = (...values: readonly string[]): string[] => [
  ...new Set(values.filter((value) => value !== '').map((value) => value.toLowerCase())),
];

/** What an OCSF event names that an indicator could name. */
export function observablesOf(event: unknown): Observables {
  const email = textAt(event, 'actor', 'user', 'email_addr');
  const own = textAt(event, 'user', 'email_addr');
  const url = textAt(event, 'http_request', 'url', 'url_string');
  const hosts = [
    textAt(event, 'http_request', 'url', 'hostname'),
    textAt(event, 'dst_endpoint', 'hostname'),
    textAt(event, 'src_endpoint', 'hostname'),
    URL.canParse(url) ? new URL(url).hostname : '',
    email.slice(email.indexOf('@') + 1),
    own.slice(own.indexOf('@') + 1),
  ];
  return {
    address: kept(
      textAt(event, 'src_endpoint', 'ip'),
      textAt(event, 'dst_endpoint', 'ip'),
      textAt(event, 'device', 'ip'),
    ),
    domain: kept(...hosts),
    url: kept(url),
    email: kept(email, own),
    'user-agent': kept(textAt(event, 'http_request', 'user_agent')),
    hash: kept(textAt(event, 'file', 'hash')),
    'client-id': kept(textAt(event, 'actor', 'app_uid'), textAt(event, 'entity', 'uid')),
  };
}
