import { PlaybookInvalid } from '../errors.ts';
import type { Playbook } from './playbook.ts';
import { fillIn, type Variables } from './variables.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LINE = /^\s*(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+(\S+)(?:\s+HTTP\/?\d(?:\.\d)?)?\s*$/i;

/** An HTTP command's start line, `GET /path HTTP/1.1`: method and path. */
export function parseHttpLine(line: string): { method: string; path: string } {
  const match = LINE.exec(line);
  if (!match) throw new PlaybookInvalid(`"${line}" is no HTTP command such as GET /path HTTP/1.1.`);
  const [, method = '', path = ''] = match;
  return { method: method.toUpperCase(), path: /^https?:/i.test(path) || path.startsWith('/') ? path : `/${path}` };
}

type Party = NonNullable<Playbook['target_definitions']>[string];

/** Where an `http-api` target is: its `url`, else a host name or address with its port, by TLS unless the port is 80. */
function baseOf(target: Party): string {
  const address = target.address ?? {};
  const first = (kind: string): string | undefined =>
    address[kind]?.[0] === undefined ? undefined : String(address[kind][0]);
  const url = first('url');
  if (url !== undefined) return url.replace(/\/+$/, '');
  const v6 = first('ipv6');
  const host = first('dname') ?? first('ipv4') ?? (v6 === undefined ? undefined : `[${v6}]`);
  if (host === undefined) throw new PlaybookInvalid(`The target ${target.name ?? ''} has no address.`);
  const { port } = target;
  return `${port === '80' ? 'http' : 'https'}://${host}${port === undefined || port === '80' ? '' : `:${port}`}`;
}

function authorization(playbook: Playbook, target: Party, variables: Variables): Record<string, string> {
  const info = playbook.authentication_info_definitions?.[target.authentication_info ?? ''];
  if (!info) return {};
  const text = (key: string): string => (typeof info[key] === 'string' ? fillIn(info[key], variables) : '');
  if (info.type === 'http-basic') {
    const user = text('user_id') || text('username');
    return { authorization: `Basic ${Buffer.from(`${user}:${text('password')}`).toString('base64')}` };
  }
  if (info.type === 'oauth2') return { authorization: `${text('oauth_header') || 'Bearer'} ${text('token')}`.trim() };
  return {};
}

/** The request that a command line, a target and the variables make. */
export function httpRequest(
  given: {
    readonly line: string;
    readonly headers?: Readonly<Record<string, readonly string[]>> | undefined;
    readonly content?: string | undefined;
    readonly contentB64?: string | undefined;
  },
  target: Party,
  playbook: Playbook,
  variables: Variables,
): HttpRequest {
  const { method, path } = parseHttpLine(fillIn(given.line, variables));
  const base = fillIn(baseOf(target), variables);
  const body =
    given.contentB64 === undefined ? (given.content ?? '') : Buffer.from(given.contentB64, 'base64').toString();
  const headers = Object.entries(given.headers ?? {}).map(([name, values]) => [
    name.toLowerCase(),
    fillIn(values.join(', '), variables),
  ]);
  return {
    method,
    url: path.startsWith('/') ? `${base}${path}` : path,
    headers: {
      ...(Object.fromEntries(headers) as Record<string, string>),
      ...authorization(playbook, target, variables),
    }, // pairs of texts
    body: fillIn(body, variables),
  };
}
