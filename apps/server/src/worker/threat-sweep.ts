import {
  createIndicatorIndex,
  type IndicatorKind,
  INDICATOR_KINDS,
  loadIndicators,
  nextSweep,
  settleSweep,
} from '@cordon/enrichment';
import { lakeToDetection } from '@cordon/detection';
import type { Clock, Database, Logger } from '@cordon/kernel';
import { type Lake, ocsfEvent, SWEPT_COLUMNS, type SweptColumn } from '@cordon/lake';
import { ownEvent, type Observed } from './observed-event.ts';
import type { Watch } from './watch.ts';

/** What a column of the lake may be named as by a list. */
const KINDS: Readonly<Record<SweptColumn, readonly IndicatorKind[]>> = {
  address: ['address'],
  host: ['domain'],
  email: ['email', 'domain'],
  agent: ['user-agent'],
  integration: ['client-id'],
  target: ['client-id'],
};

/**
 * Looks for a new list's entries in what was stored before it came. Each event found goes through the rules again with
 * the list's name on it; findings and alerts have ids that follow from rule and event, so that a sweep that is run
 * again raises nothing twice.
 */
export async function sweepThreats(deps: {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watch: Watch;
}): Promise<void> {
  const { db, lake, clock, logger } = deps;
  for (;;) {
    const list = await nextSweep(db);
    if (!list?.sweep) return;
    const now = clock.now();
    const index = createIndicatorIndex(await loadIndicators(db, now, list.id));
    const span = { from: list.sweep.from, to: now + 1 };
    const found = new Map<string, Observed>();
    for (const column of SWEPT_COLUMNS) {
      const named: string[] = [];
      for await (const values of lake.sweep.values(column, span)) {
        named.push(...values.filter((value) => index.match(observable(column, value), now).length > 0));
      }
      if (named.length === 0) continue;
      for (const { id, raw } of await lake.sweep.events(column, named, span)) {
        if (!found.has(id)) found.set(id, observedAgain(raw, list.name, now));
      }
    }
    const events = [...found.values()];
    if (events.length > 0) await deps.watch.reconsider(`sweep-${list.id}-${list.importedAt}`, events);
    await settleSweep(db, list.id, { at: clock.now(), found: events.length, error: null });
    logger.info({ list: list.name, indicators: index.size, found: events.length }, 'a threat list was looked for');
  }
}

function observable(column: SweptColumn, value: string): Readonly<Record<IndicatorKind, readonly string[]>> {
  const kinds = KINDS[column];
  const of = (kind: IndicatorKind): readonly string[] => {
    if (!kinds.includes(kind)) return [];
    return kind === 'domain' && column === 'email' ? [value.slice(value.indexOf('@') + 1)] : [value];
  };
  return Object.fromEntries(INDICATOR_KINDS.map((kind) => [kind, of(kind)])) as Record<
    IndicatorKind,
    readonly string[]
  >; // all kinds
}

/** A stored event as it would come today. */
function observedAgain(raw: string, list: string, now: number): Observed {
  const stored = ocsfEvent.parse(JSON.parse(raw));
  const before = stored.unmapped?.['enrichment'];
  const known = typeof before === 'object' && before !== null ? before : {};
  const named = { ...stored, unmapped: { ...stored.unmapped, enrichment: { ...known, threats: [list] } } };
  return { ...ownEvent(named), seen: lakeToDetection(named), receivedAt: now };
}
