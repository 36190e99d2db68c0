import { isIP } from 'node:net';
import type { EventColumn } from './lake-schema.ts';
import type { OcsfEvent } from './ocsf-events.ts';

/** One line of the bulk insert: the typed columns of an event. `ingested_at` is the server's to fill. */
export type EventRow = Record<Exclude<EventColumn, 'ingested_at'>, string | number | readonly string[]>;

const KEY_CHARS_MAX = 512;

type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = {};

/** An object's fields, or none: vendors put anything anywhere. */
function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : NOTHING;
}

function text(...values: readonly unknown[]): string {
  for (const value of values) {
    if (typeof value === 'string' && value !== '')
      return value.length > KEY_CHARS_MAX ? value.slice(0, KEY_CHARS_MAX) : value;
  }
  return '';
}

function number(...values: readonly unknown[]): number {
  for (const value of values) if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  return 0;
}

const whole = (...values: readonly unknown[]) => Math.trunc(number(...values));
const within = (value: number, max: number) => (value > max ? max : value);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const words = (value: unknown): string[] => [
  ...new Set(
    list(value)
      .map((one) => text(one))
      .filter(Boolean),
  ),
];

function address(value: unknown): string {
  return typeof value === 'string' && isIP(value) !== 0 && !value.includes('%') ? value : '::';
}

/** The event's own user where its class is about one, else the thing it is about. */
function target(event: Fields): { id: string; name: string; type: string } {
  const entity = fields(event['entity']);
  if (event['entity'] !== undefined) {
    return { id: text(entity['uid']), name: text(entity['name']), type: text(entity['type']) };
  }
  const user = fields(event['user']);
  if (event['user'] !== undefined) {
    return { id: text(user['uid'], user['email_addr']), name: text(user['email_addr'], user['name']), type: 'user' };
  }
  const resource = fields(list(event['resources'])[0]);
  return { id: text(resource['uid']), name: text(resource['name']), type: text(resource['type']) };
}

/** Columns of an event. `raw` is the whole event as JSON; nothing is lost by a column that has no place for it. */
export function eventRow(event: OcsfEvent, batchId: string): EventRow {
  const actor = fields(event['actor']);
  const user = fields(actor['user']);
  const api = fields(event['api']);
  const service = fields(api['service'] ?? event['service']);
  const source = fields(event['src_endpoint']);
  const destination = fields(event['dst_endpoint']);
  const request = fields(event['http_request']);
  const response = fields(event['http_response']);
  const url = fields(request['url']);
  const traffic = fields(event['traffic']);
  const cordon = fields(fields(event.unmapped)['cordon']);
  const policies = list(event['authorizations']).map((entry) => text(fields(fields(entry)['policy'])['uid']));
  const classes = list(cordon['findings']).map((entry) => text(fields(entry)['class']));
  const analytic = fields(fields(event['finding_info'])['analytic']);
  const enriched = fields(fields(event.unmapped)['enrichment']);
  const ownApp = fields(enriched['app']);
  const network = fields(source['autonomous_system']);
  const client = fields(enriched['client']);
  const about = target(event);
  const resource = fields(list(event['resources'])[0]);
  const product = text(event.metadata.product.name);
  return {
    time: event.time,
    event_id: event.metadata.uid,
    batch_id: batchId,
    source: text(event.metadata.log_name, product),
    product,
    class_uid: within(event.class_uid, 0xffff_ffff),
    activity_id: within(event.activity_id, 0xffff),
    severity_id: event.severity_id,
    status_id: event.status_id ?? 0,
    app_id: text(
      service['uid'],
      event.class_uid === 4002 ? destination['uid'] : '',
      resource['type'] === 'app' ? resource['uid'] : '',
      ownApp['uid'],
    ),
    app_name: text(
      service['name'],
      event['app_name'],
      destination['svc_name'],
      resource['type'] === 'app' ? resource['name'] : '',
      product,
    ),
    integration_id: text(actor['app_uid']),
    integration_name: text(actor['app_name']),
    actor_id: text(user['uid'], user['email_addr'], user['name']),
    actor_name: text(user['full_name'], user['name']),
    actor_email: text(user['email_addr']),
    target_id: about.id,
    target_name: about.name,
    target_type: about.type,
    operation: text(api['operation']),
    method: text(request['http_method']),
    host: text(url['hostname'], destination['hostname']),
    path: text(url['path']),
    http_status: within(whole(response['code']), 0xffff),
    user_agent: text(request['user_agent']),
    src_ip: address(source['ip']),
    decision: text(cordon['decision']),
    reason: text(cordon['reason'], event.status_code),
    policies: [...new Set(policies.filter(Boolean))],
    data_classes: [...new Set(classes.filter(Boolean))],
    redactions: within(whole(cordon['redactions']), 0xffff_ffff),
    duration_ms: number(event.duration, response['latency']),
    upstream_ms: number(cordon['upstream_ms']),
    country: text(fields(source['location'])['country']),
    asn: within(whole(network['number']), 0xffff_ffff),
    client: text(client['name']),
    network_flags: words(enriched['network']),
    threats: words(enriched['threats']),
    first_seen: words(enriched['first_seen']),
    label: text(enriched['label']),
    records: whole(cordon['records']),
    request_bytes: whole(request['body_length'], request['length'], traffic['bytes_out']),
    response_bytes: whole(response['body_length'], response['length'], traffic['bytes_in']),
    gateway_id: text(cordon['gateway_id']),
    rule_id: text(analytic['uid']),
    correlation_id: text(event.metadata.correlation_uid),
    raw: JSON.stringify(event),
  };
}
