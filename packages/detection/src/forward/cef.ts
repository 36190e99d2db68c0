import type { ForwardEvent } from './forward.ts';

const VALUE_CHARS_MAX = 1_000;
/** OCSF severity_id to the 0 to 10 of CEF (0 unknown, 1 informational … 6 fatal). */
const SEVERITIES = [0, 1, 3, 5, 7, 9, 10] as const;
/** RFC 5424: facility 13 (log audit), severity informational. */
const PRIORITY = 13 * 8 + 6;

function inner(value: unknown, path: string): string {
  let at = value;
  for (const key of path.split('.')) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return typeof at === 'string' || typeof at === 'number' ? String(at).slice(0, VALUE_CHARS_MAX) : '';
}

const first = (value: unknown, ...paths: readonly string[]): string =>
  paths.map((path) => inner(value, path)).find((text) => text !== '') ?? '';

/** In the header a pipe and a backslash are escaped; a line break can't be said there. */
const header = (text: string): string => text.replaceAll(/[\\|]/g, String.raw`\$&`).replaceAll(/[\r\n]+/g, ' ');
/** In an extension an equals sign and a backslash are escaped, and line breaks are written as such. */
const extension = (text: string): string =>
  text
    .replaceAll(/[\\=]/g, String.raw`\$&`)
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`);

/** CEF keys (ArcSight Common Event Format, version 0) and where the OCSF event has them. */
const KEYS: readonly (readonly [string, ...string[]])[] = [
  ['act', 'unmapped.cordon.decision', 'activity_name'],
  ['outcome', 'status'],
  ['reason', 'status_detail', 'status_code'],
  ['suid', 'actor.user.uid', 'user.uid'],
  ['suser', 'actor.user.email_addr', 'user.email_addr', 'actor.user.name', 'user.name'],
  ['src', 'src_endpoint.ip'],
  ['dhost', 'dst_endpoint.hostname'],
  ['app', 'api.service.name', 'metadata.product.name'],
  ['requestMethod', 'http_request.http_method'],
  ['request', 'http_request.url.path'],
  ['requestClientApplication', 'http_request.user_agent'],
  ['in', 'http_request.body_length'],
  ['out', 'http_response.body_length'],
];
const LABELLED: readonly (readonly [string, string, string])[] = [
  ['cs1', 'integration', 'actor.app_name'],
  ['cs2', 'operation', 'api.operation'],
  ['cs3', 'correlation', 'metadata.correlation_uid'],
  ['cs4', 'rule', 'finding_info.uid'],
];

/** The event as one CEF line. It is a summary: the whole event stays in the lake under `externalId`. */
export function cefLine({ id, time, event }: ForwardEvent): string {
  const name = first(event, 'finding_info.title', 'api.operation', 'activity_name', 'message', 'class_name');
  const head = [
    'CEF:0',
    'Cordon',
    first(event, 'metadata.product.name') || 'Cordon',
    first(event, 'metadata.version') || '1',
    first(event, 'type_uid', 'class_uid') || '0',
    name || 'event',
    String(SEVERITIES[Number(inner(event, 'severity_id'))] ?? 0),
  ].map((part, index) => (index === 0 ? part : header(part)));
  const pairs: [string, string][] = [
    ['rt', String(time)],
    ['externalId', id],
  ];
  for (const [key, ...paths] of KEYS) pairs.push([key, first(event, ...paths)]);
  for (const [key, label, path] of LABELLED) {
    const value = inner(event, path);
    if (value !== '') pairs.push([key, value], [`${key}Label`, label]);
  }
  const said = pairs.filter(([, value]) => value !== '').map(([key, value]) => `${key}=${extension(value)}`);
  return `${head.join('|')}|${said.join(' ')}`;
}

/** RFC 5424 messages with CEF inside, each behind its length in bytes (RFC 6587, 3.4.1). */
export function syslogFrames(events: readonly ForwardEvent[], host: string): Buffer {
  return Buffer.concat(
    events.map((one) => {
      const text = `<${PRIORITY}>1 ${new Date(one.time).toISOString()} ${host} cordon - - - ${cefLine(one)}`;
      const bytes = Buffer.from(text);
      return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
    }),
  );
}
