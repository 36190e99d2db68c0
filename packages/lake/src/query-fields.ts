import { SEVERITY, STATUS } from './ocsf.ts';
import type { EventColumn } from './lake-schema.ts';

/**
 * What a search can name. Only these columns ever reach SQL; any other name with a dot is a path into the raw event,
 * and travels as a bound value.
 */
export type FieldKind =
  /** Compared without regard to case; several columns mean: any of them. */
  | { readonly kind: 'text'; readonly columns: readonly EventColumn[] }
  /** Ids are compared as they are, so that an index can find them. */
  | { readonly kind: 'id'; readonly column: EventColumn }
  | { readonly kind: 'number'; readonly column: EventColumn }
  | { readonly kind: 'named-number'; readonly column: EventColumn; readonly names: Readonly<Record<string, number>> }
  | { readonly kind: 'address'; readonly column: EventColumn }
  | { readonly kind: 'time'; readonly column: EventColumn }
  | { readonly kind: 'list'; readonly column: EventColumn };

export interface FieldInfo {
  readonly name: string;
  readonly field: FieldKind;
  /** One line for completion in the console and for the guide. */
  readonly help: string;
}

const text = (...columns: EventColumn[]): FieldKind => ({ kind: 'text', columns });
const number = (column: EventColumn): FieldKind => ({ kind: 'number', column });

const CLASS_NAMES = {
  'detection-finding': 2004,
  'account-change': 3001,
  authentication: 3002,
  'entity-management': 3004,
  'http-activity': 4002,
  'api-activity': 6003,
} as const;

/** The table of fields: name, column, what it is. Add a row to add a field; the guide is checked against it. */
export const FIELDS: readonly FieldInfo[] = [
  { name: 'app', field: text('app_name', 'app_id'), help: 'SaaS tool, by name or id' },
  { name: 'integration', field: text('integration_name', 'integration_id'), help: 'who called, by name or id' },
  { name: 'actor', field: text('actor_email', 'actor_name', 'actor_id'), help: 'person, by email, name or id' },
  { name: 'actor.email', field: text('actor_email'), help: 'email of the person' },
  { name: 'actor.name', field: text('actor_name'), help: 'name of the person' },
  { name: 'actor.id', field: text('actor_id'), help: 'id of the person' },
  { name: 'target', field: text('target_name', 'target_id'), help: 'what was acted on, by name or id' },
  { name: 'target.type', field: text('target_type'), help: 'kind of what was acted on: user, app, integration' },
  { name: 'operation', field: text('operation'), help: 'operation id of the API description' },
  { name: 'method', field: text('method'), help: 'HTTP method' },
  { name: 'host', field: text('host'), help: 'host that was called' },
  { name: 'path', field: text('path'), help: 'path that was called' },
  { name: 'status', field: { kind: 'named-number', column: 'status_id', names: STATUS }, help: 'success or failure' },
  { name: 'http_status', field: number('http_status'), help: 'HTTP status that was answered' },
  {
    name: 'severity',
    field: { kind: 'named-number', column: 'severity_id', names: SEVERITY },
    help: 'informational to fatal',
  },
  {
    name: 'class',
    field: { kind: 'named-number', column: 'class_uid', names: CLASS_NAMES },
    help: 'OCSF class, by name or number',
  },
  { name: 'activity', field: number('activity_id'), help: 'OCSF activity number within its class' },
  { name: 'decision', field: text('decision'), help: 'allow, redact, deny or error' },
  { name: 'reason', field: text('reason'), help: 'code of the refusal or failure' },
  { name: 'policy', field: { kind: 'list', column: 'policies' }, help: 'id of a policy that decided' },
  { name: 'data_class', field: { kind: 'list', column: 'data_classes' }, help: 'sensitive data that was seen' },
  { name: 'redactions', field: number('redactions'), help: 'values removed from bodies' },
  { name: 'latency', field: number('duration_ms'), help: 'milliseconds, first byte in to last byte out' },
  { name: 'upstream_latency', field: number('upstream_ms'), help: 'milliseconds spent waiting for the app' },
  { name: 'request_bytes', field: number('request_bytes'), help: 'body bytes that the integration sent' },
  { name: 'response_bytes', field: number('response_bytes'), help: 'body bytes that it got' },
  { name: 'records', field: number('records'), help: 'records in the answer' },
  { name: 'src_ip', field: { kind: 'address', column: 'src_ip' }, help: 'address of the caller; takes CIDR' },
  { name: 'user_agent', field: text('user_agent'), help: 'User-Agent header' },
  { name: 'country', field: text('country'), help: 'country of the address, two letters' },
  { name: 'asn', field: number('asn'), help: 'autonomous system of the address, by number' },
  { name: 'network', field: { kind: 'list', column: 'network_flags' }, help: 'hosting, vpn, tor, proxy or relay' },
  { name: 'threat', field: { kind: 'list', column: 'threats' }, help: 'threat list that names something in it' },
  {
    name: 'first_seen',
    field: { kind: 'list', column: 'first_seen' },
    help: 'what its actor was never seen with before: country, network, client, app',
  },
  { name: 'client', field: text('client'), help: 'client, as its User-Agent names it' },
  { name: 'label', field: text('label'), help: 'label of the data behind the app' },
  { name: 'source', field: text('source'), help: 'where the event came from, such as cordon.gateway' },
  { name: 'product', field: text('product'), help: 'product that reported it' },
  { name: 'rule', field: text('rule_id'), help: 'detection rule of a finding' },
  { name: 'gateway', field: text('gateway_id'), help: 'gateway that served the call' },
  { name: 'correlation', field: { kind: 'id', column: 'correlation_id' }, help: 'id that ties events together' },
  { name: 'id', field: { kind: 'id', column: 'event_id' }, help: 'id of the event' },
  { name: 'batch', field: { kind: 'id', column: 'batch_id' }, help: 'id of the batch that brought it' },
  { name: 'time', field: { kind: 'time', column: 'time' }, help: 'when it happened' },
  { name: 'ingested', field: { kind: 'time', column: 'ingested_at' }, help: 'when the lake took it' },
];

/** OCSF's own names for the same, so that what stands in an event can be searched as it stands there. */
const ALIASES: Readonly<Record<string, string>> = {
  'actor.app_name': 'integration',
  'actor.app_uid': 'integration',
  'actor.user.email_addr': 'actor.email',
  'actor.user.uid': 'actor.id',
  'api.operation': 'operation',
  'api.service.name': 'app',
  'api.service.uid': 'app',
  'http_request.http_method': 'method',
  'http_request.url.path': 'path',
  'http_request.user_agent': 'user_agent',
  'http_response.code': 'http_status',
  'metadata.uid': 'id',
  'metadata.log_name': 'source',
  'metadata.product.name': 'product',
  'src_endpoint.ip': 'src_ip',
  'src_endpoint.location.country': 'country',
  'src_endpoint.autonomous_system.number': 'asn',
  application: 'app',
  class_uid: 'class',
  activity_id: 'activity',
  severity_id: 'severity',
  status_id: 'status',
  duration: 'latency',
  bytes_out: 'request_bytes',
  bytes_in: 'response_bytes',
  ip: 'src_ip',
};

const BY_NAME: ReadonlyMap<string, FieldInfo> = new Map([
  ...FIELDS.map((info) => [info.name, info] as const),
  ...Object.entries(ALIASES).flatMap(([alias, name]) => {
    const info = FIELDS.find((candidate) => candidate.name === name);
    return info ? [[alias, info] as const] : [];
  }),
]);

export function fieldNamed(name: string): FieldInfo | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** The field that was probably meant: fewest letters to change, at most two. */
export function nearestField(name: string): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let distance = 3;
  for (const { name: candidate } of FIELDS) {
    const cost = candidate.startsWith(wanted) ? 1 : editDistance(wanted, candidate);
    if (cost < distance) {
      best = candidate;
      distance = cost;
    }
  }
  return best;
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
