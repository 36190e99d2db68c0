import { createHash } from 'node:crypto';
import type { EventRecord } from './scenario.ts';

/**
 * Records of a scenario at the time of a drill. A text may hold, in double braces: `iso`, `sql`, `epoch`, `epochMs`
 * (the moment, with an offset as in `iso:-90s`), `drill` (a short name of the drill) and `uuid:name` (the same for the
 * same name and drill). A text that is nothing but `epoch` or `epochMs` becomes a number.
 */
const PLACE = /\{\{(iso|isoMs|sql|epochMs|epoch|drill|uuid)(?::([^{}]{1,60}))?\}\}/g;
const OFFSET = /^([+-]?\d{1,5})(ms|s|m|h|d)$/;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export interface RenderContext {
  /** The drill's id. */
  readonly drillId: string;
  readonly now: number;
}

/** A name that is short enough for names of apps and people, and told by its beginning. */
export function shortName(drillId: string): string {
  return createHash('sha256').update(drillId).digest('hex').slice(0, 8);
}

function momentOf(offset: string | undefined, now: number): number {
  const match = OFFSET.exec(offset ?? '0s');
  if (!match) throw new TypeError(`"${offset}" is no offset such as -90s.`);
  return now + Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS]; // by the pattern
}

function uuidOf(name: string, drillId: string): string {
  const hex = createHash('sha256').update(`${drillId} ${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function renderText(text: string, { drillId, now }: RenderContext): string | number {
  const number = /^\{\{(epochMs|epoch)(?::([^{}]{1,60}))?\}\}$/.exec(text);
  if (number) {
    const at = momentOf(number[2], now);
    return number[1] === 'epochMs' ? at : Math.floor(at / 1_000);
  }
  return text.replaceAll(PLACE, (_whole, kind: string, argument: string | undefined) => {
    if (kind === 'drill') return shortName(drillId);
    if (kind === 'uuid') return uuidOf(argument ?? '', drillId);
    const at = momentOf(argument, now);
    if (kind === 'epoch') return String(Math.floor(at / 1_000));
    if (kind === 'epochMs') return String(at);
    const iso = new Date(at).toISOString();
    if (kind === 'sql') return iso.slice(0, 19).replace('T', ' ');
    return kind === 'isoMs' ? iso : `${iso.slice(0, 19)}Z`;
  });
}

function renderValue(value: unknown, context: RenderContext): unknown {
  if (typeof value === 'string') return renderText(value, context);
  if (Array.isArray(value)) return value.map((one) => renderValue(one, context));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, renderValue(one, context)]));
}

export function renderRecords(records: readonly EventRecord[], context: RenderContext): Record<string, unknown>[] {
  return records.map((record) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, renderValue(value, context)])),
  );
}
