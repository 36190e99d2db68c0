import {
  atTime,
  type FailedRecord,
  firstTimes,
  normaliseRecords,
  type ParserSet,
  recordDelivery,
  settleReplay,
  loadSourceCredential,
  type SourceCredential,
  type SourceRecord,
  stableId,
  takeReplays,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { type Observed, vendorEvent } from './observed-event.ts';
import type { Watch } from './watch.ts';

/** One vendor record may hold thousands of events; the lake takes them in batches of this size. */
const BATCH_EVENTS_MAX = 10_000;

export interface Taken {
  /** New events that are now on disk. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Records that no event could be made of; kept as dead letters. */
  readonly failed: readonly FailedRecord[];
}

export interface SourceIngest {
  /** Resolves when everything is on disk: events in the lake, failures as dead letters, counts. */
  take(source: SourceCredential, records: readonly SourceRecord[]): Promise<Taken>;
  /** Tries dead letters again that someone asked for; gives how many became events. */
  replay(): Promise<number>;
}

export function createSourceIngest(deps: {
  readonly db: Database;
  readonly parsers: ParserSet;
  readonly watch: Watch;
  readonly clock: Clock;
}): SourceIngest {
  const { db, parsers, watch, clock } = deps;

  const store = async (source: SourceCredential, records: readonly SourceRecord[], receivedAt: number) => {
    const context = { parsers, sourceId: source.id, product: source.product };
    const { events, timeless, failed } = normaliseRecords(records, context);
    const withoutTime = events.filter((event) => timeless.has(event.id));
    const times = await firstTimes(db, source.id, [...new Set(withoutTime.map(({ id }) => id))], receivedAt);
    const observed: Observed[] = [];
    const broken: FailedRecord[] = [...failed];
    for (const event of events) {
      const made = vendorEvent(times.has(event.id) ? atTime(event, times.get(event.id) ?? 0) : event, receivedAt);
      if (typeof made !== 'string') observed.push(made);
      else broken.push({ record: { text: JSON.stringify(event.raw), externalId: event.id }, reason: made });
    }
    if (observed.length === 0) return { taken: { accepted: 0, duplicates: 0, failed: broken }, newestAt: null };
    let accepted = 0;
    const stored = new Set<string>();
    for (let at = 0; at < observed.length; at += BATCH_EVENTS_MAX) {
      const batch = observed.slice(at, at + BATCH_EVENTS_MAX);
      const ids = [...new Set(batch.map((one) => one.stored.metadata.uid))];
      const { known } = await watch.ingest(`source-${source.id}-${stableId(ids)}`, batch);
      for (const id of ids) {
        if (!known.has(id) && !stored.has(id)) accepted += 1;
        stored.add(id);
      }
    }
    const newestAt = observed.reduce((newest, { stored }) => Math.max(newest, stored.time), 0);
    return { taken: { accepted, duplicates: observed.length - accepted, failed: broken }, newestAt };
  };

  return {
    async take(source, records) {
      const receivedAt = clock.now();
      const { taken, newestAt } = await store(source, records, receivedAt);
      await db.transaction((tx) => recordDelivery(tx, { sourceId: source.id, ...taken, newestAt, receivedAt }));
      return taken;
    },

    async replay() {
      let mended = 0;
      for (;;) {
        const letters = await takeReplays(db);
        if (letters.length === 0) return mended;
        for (const letter of letters) {
          const source = await loadSourceCredential(db, letter.sourceId);
          if (!source) continue;
          const { raw, externalId } = letter;
          const record = externalId === null ? { text: raw } : { text: raw, externalId };
          const { taken, newestAt } = await store(source, [record], letter.receivedAt);
          const [failure] = taken.failed;
          await db.transaction(async (tx) => {
            await settleReplay(tx, letter.id, failure?.reason ?? null, clock.now());
            const { accepted, duplicates } = taken;
            const counted = { sourceId: source.id, accepted, duplicates, failed: [], newestAt };
            if (!failure) await recordDelivery(tx, { ...counted, receivedAt: clock.now() });
          });
          mended += failure ? 0 : 1;
        }
      }
    },
  };
}
