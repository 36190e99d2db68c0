import { hash } from 'node:crypto';
import type { SnapshotTables } from './snapshot-tables.ts';

/** Failures within the window that lock an address; each lock in a row lasts twice as long as the one before. */
export const LOCK_FAILURES = 100;
const WINDOW_MS = 600_000;
const FIRST_LOCK_MS = 60_000;
const LOCK_MS_MAX = 900_000;
const ADDRESSES_MAX = 50_000;

interface Source {
  failures: number;
  windowStart: number;
  locks: number;
  lockedAt: number;
  lockedUntil: number;
}

export interface SourceLock {
  readonly address: string;
  readonly failures: number;
  readonly since: number;
  readonly lockedUntil: number;
}

/** Addresses that went on presenting bad tokens after they were slowed. Calls with good tokens are never looked at. */
export class SourceLocks {
  readonly #sources = new Map<string, Source>();

  /** Counts a failure; returns the lock when this one caused it. */
  count(address: string, now: number): SourceLock | undefined {
    let source = this.#sources.get(address);
    if (!source || (now - source.windowStart > WINDOW_MS && source.lockedUntil <= now)) {
      if (this.#sources.size >= ADDRESSES_MAX) this.#sources.delete(this.#sources.keys().next().value!); // not empty
      source = { failures: 0, windowStart: now, locks: source?.locks ?? 0, lockedAt: 0, lockedUntil: 0 };
      this.#sources.set(address, source);
    }
    source.failures += 1;
    if (source.failures < LOCK_FAILURES || source.lockedUntil > now) return undefined;
    source.lockedAt = now;
    source.lockedUntil = now + Math.min(LOCK_MS_MAX, FIRST_LOCK_MS * 2 ** source.locks);
    source.locks = Math.min(source.locks + 1, 10);
    const { failures, windowStart: since, lockedUntil } = source;
    source.failures = 0;
    source.windowStart = now;
    return { address, failures, since, lockedUntil };
  }

  /** Milliseconds until the address may try again; a person's unlocking, in the snapshot, ends it at once. */
  wait(address: string, now: number, tables: SnapshotTables): number {
    const source = this.#sources.get(address);
    if (!source || source.lockedUntil <= now) return 0;
    if (tables.unlockedAt(hash('sha256', address, 'hex')) < source.lockedAt) return source.lockedUntil - now;
    this.#sources.delete(address);
    return 0;
  }
}
