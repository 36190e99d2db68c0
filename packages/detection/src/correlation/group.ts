import { type Correlation } from './correlation.ts';
import { compareEntries, satisfies, type Entry } from './window.ts';

const ENTRIES_MAX = 20_000;
const ALERT_EVENTS_MAX = 100;

/** What became of the alert of one stretch of time. */
export interface BucketChange {
  readonly kind: 'raised' | 'updated' | 'withdrawn';
  readonly bucket: number;
  readonly from: number;
  readonly to: number;
  readonly eventIds: readonly string[];
}

interface Bucket {
  /** Ends of windows that satisfy the condition. */
  readonly ends: Set<Entry>;
  raised: boolean;
  changed: boolean;
}

/** The signals of one correlation and one group, and which of their windows satisfy the condition. */
export class CorrelationGroup {
  readonly key: Readonly<Record<string, string>>;
  readonly #correlation: Correlation;
  readonly #entries: Entry[] = [];
  readonly #known = new Set<string>();
  readonly #buckets = new Map<number, Bucket>();
  /** Windows to be computed, by the entry that ends them. */
  readonly #dirty = new Set<Entry>();

  constructor(correlation: Correlation, key: Readonly<Record<string, string>>) {
    this.#correlation = correlation;
    this.key = key;
  }

  isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  isWaiting(watermark: number): boolean {
    for (const entry of this.#dirty) if (entry.time <= watermark) return true;
    return false;
  }

  /** False when the group is full. An entry that is known already changes nothing. */
  add(entry: Entry): boolean {
    const id = `${entry.rule}\0${entry.eventId}`;
    if (this.#known.has(id)) return true;
    if (this.#entries.length >= ENTRIES_MAX) return false;
    this.#known.add(id);
    const at = this.#position(entry);
    this.#entries.splice(at, 0, entry);
    this.#touch(at, entry.time);
    return true;
  }

  /** Takes away what a chained correlation no longer claims. */
  remove(eventId: string): boolean {
    const at = this.#entries.findIndex((entry) => entry.eventId === eventId);
    const entry = this.#entries[at];
    if (!entry) return false;
    this.#entries.splice(at, 1);
    this.#known.delete(`${entry.rule}\0${entry.eventId}`);
    this.#dirty.delete(entry);
    this.#setEnd(entry, false);
    this.#touch(at, entry.time);
    return true;
  }

  /** Computes the windows that end no later than `until` and were touched since, and says what that changed. */
  changes(until: number): BucketChange[] {
    for (const entry of this.#dirty) {
      if (entry.time > until) continue;
      this.#dirty.delete(entry);
      this.#setEnd(entry, satisfies(this.#correlation, this.#window(entry)));
    }
    const changes: BucketChange[] = [];
    for (const [bucket, state] of this.#buckets) {
      if (!state.changed) continue;
      state.changed = false;
      const kind = state.ends.size === 0 ? 'withdrawn' : state.raised ? 'updated' : 'raised';
      if (kind === 'withdrawn' && !state.raised) continue;
      state.raised = kind !== 'withdrawn';
      changes.push({ kind, bucket, ...this.#extent(bucket, state) });
    }
    return changes;
  }

  forgetBefore(time: number): void {
    let count = 0;
    for (const entry of this.#entries) {
      if (entry.time >= time) break;
      this.#known.delete(`${entry.rule}\0${entry.eventId}`);
      this.#dirty.delete(entry);
      count++;
    }
    this.#entries.splice(0, count);
    const oldest = Math.floor(time / this.#correlation.timespanMs);
    for (const bucket of this.#buckets.keys()) if (bucket < oldest) this.#buckets.delete(bucket);
  }

  /** First position whose entry isn't before this one. */
  #position(entry: Entry): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#entries[middle];
      if (other && compareEntries(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Every window that ends from here on and reaches back to `time` is to be computed again. */
  #touch(from: number, time: number): void {
    // Entries of the same moment may stand before the new one and end windows that hold it.
    let at = from;
    while (at > 0 && this.#entries[at - 1]?.time === time) at--;
    for (; at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (!entry || entry.time >= time + this.#correlation.timespanMs) return;
      this.#dirty.add(entry);
    }
  }

  /** The entries of (end - timespan, end]. */
  #window(end: Entry): Entry[] {
    const start: Entry = {
      time: end.time - this.#correlation.timespanMs,
      eventId: '\uFFFF',
      rule: Number.MAX_SAFE_INTEGER,
      value: undefined,
    };
    const last: Entry = { time: end.time, eventId: '\uFFFF', rule: Number.MAX_SAFE_INTEGER, value: undefined };
    return this.#entries.slice(this.#position(start), this.#position(last));
  }

  #setEnd(entry: Entry, satisfied: boolean): void {
    const bucket = Math.floor(entry.time / this.#correlation.timespanMs);
    const state = this.#buckets.get(bucket) ?? { ends: new Set<Entry>(), raised: false, changed: false };
    const had = state.ends.has(entry);
    if (!satisfied && !had) return;
    if (satisfied) state.ends.add(entry);
    else state.ends.delete(entry);
    state.changed = true;
    this.#buckets.set(bucket, state);
  }

  #extent(bucket: number, state: Bucket): { from: number; to: number; eventIds: readonly string[] } {
    const start = bucket * this.#correlation.timespanMs;
    if (state.ends.size === 0) return { from: start, to: start + this.#correlation.timespanMs, eventIds: [] };
    const ends = [...state.ends].sort(compareEntries);
    const first = ends[0];
    const last = ends.at(-1);
    if (!first || !last) return { from: start, to: start, eventIds: [] };
    const opening = this.#window(first);
    const from = opening[0]?.time ?? first.time;
    const events = this.#entries.filter((entry) => entry.time >= from && entry.time <= last.time);
    return { from, to: last.time, eventIds: events.slice(0, ALERT_EVENTS_MAX).map((entry) => entry.eventId) };
  }
}
