import { textOf } from './field-path.ts';
import { type ColumnRef, type SqlMapping } from './sigma/sql.ts';
import { type DetectionEvent } from './signal.ts';

/** OCSF paths that the lake keeps in a column of their own. An address is typed there, so it stays with the JSON. */
const COLUMNS: Readonly<Record<string, ColumnRef>> = {
  'ocsf.actor.user.email_addr': { column: 'actor_email', kind: 'text' },
  'ocsf.api.operation': { column: 'operation', kind: 'text' },
  'ocsf.http_request.http_method': { column: 'method', kind: 'text' },
  'ocsf.http_request.user_agent': { column: 'user_agent', kind: 'text' },
  'ocsf.src_endpoint.location.country': { column: 'country', kind: 'text' },
  'ocsf.class_uid': { column: 'class_uid', kind: 'number' },
  'ocsf.activity_id': { column: 'activity_id', kind: 'number' },
};

/**
 * The lake's events table as rules see it: `raw` is the normalised event, which carries the vendor's own as OCSF's
 * `raw_data`. `metadata.product.uid` and `metadata.log_name` are our product and service.
 */
export function lakeMapping(table = 'events'): SqlMapping {
  return {
    table,
    rawColumn: "JSONExtractString(raw, 'raw_data')",
    ocsfColumn: 'raw',
    productColumn: "JSONExtractString(raw, 'metadata', 'product', 'uid')",
    serviceColumn: 'source',
    timeColumn: 'time',
    idColumn: 'event_id',
    column: (field) => COLUMNS[field.name],
  };
}

/**
 * What of an event is put into the lake: its OCSF form with the vendor's record inside as `raw_data`, so that every
 * rule can be run on it later. `unmapped` is left out, because `raw_data` holds all of it.
 */
export function lakeEvent(event: DetectionEvent): Record<string, unknown> {
  const ocsf: Record<string, unknown> = typeof event.ocsf === 'object' && event.ocsf !== null ? { ...event.ocsf } : {};
  delete ocsf['unmapped'];
  return { ...ocsf, raw_data: JSON.stringify(event.raw) };
}

/** The way back: an event of the lake as rules saw it when it came. */
export function lakeToDetection(stored: Readonly<Record<string, unknown>>): DetectionEvent {
  const metadata = record(stored['metadata']);
  const service = textOf(metadata['log_name'] ?? '');
  const about = { id: textOf(metadata['uid'] ?? ''), time: Number(stored['time']) };
  const { raw_data: text } = stored;
  if (typeof text !== 'string') {
    const ocsf = { ...stored, class_name: CLASS_NAMES[Number(stored['class_uid'])] ?? '' };
    return { ...about, product: 'cordon', service: 'events', raw: stored, ocsf };
  }
  const raw: unknown = JSON.parse(text);
  return { ...about, product: textOf(record(metadata['product'])['uid'] ?? ''), service, raw, ocsf: stored };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}; // an object
}

/** What the worker gives Cordon's own events as `class_name`; the lake keeps only the number. */
export const CLASS_NAMES: Readonly<Record<number, string>> = {
  2004: 'Detection Finding',
  3001: 'Account Change',
  3002: 'Authentication',
  3004: 'Entity Management',
  4002: 'HTTP Activity',
  6003: 'API Activity',
};

/**
 * Cordon's own events: a rule sees such an event as it is stored, so `raw` is both the vendor's and the normalised
 * form, the product is ours, and the service is always `events`.
 */
export function ownMapping(table = 'events'): SqlMapping {
  const own = "startsWith(source, 'cordon.')";
  const numbers = Object.keys(CLASS_NAMES).join(', ');
  const names = Object.values(CLASS_NAMES)
    .map((name) => `'${name}'`)
    .join(', ');
  const className = `transform(class_uid, [${numbers}], [${names}], '')`;
  return {
    table,
    rawColumn: 'raw',
    ocsfColumn: 'raw',
    productColumn: `if(${own}, 'cordon', '')`,
    serviceColumn: `if(${own}, 'events', '')`,
    className: `replaceAll(lower(${className}), ' ', '_')`,
    timeColumn: 'time',
    idColumn: 'event_id',
    column: (field) => (field.name === 'ocsf.class_name' ? { column: className, kind: 'text' } : COLUMNS[field.name]),
  };
}
