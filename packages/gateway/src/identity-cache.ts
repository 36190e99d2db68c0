import type { TokenEntry } from '@cordon/policy';
import type { Introspection, SnapshotSource } from './snapshot-source.ts';

const TOKENS_MAX = 50_000;
const MISSES_MAX = 50_000;
/** How long control's "unknown" is believed: a token issued meanwhile arrives with the snapshot anyway. */
const MISS_MS_MAX = 2_000;
/** How long an introspected token is believed before control is asked again, whatever its own expiry. */
export const INTROSPECTED_MS_MAX = 30_000;
const INTROSPECTIONS_MAX = 64;

interface Known {
  readonly token: TokenEntry;
  readonly epoch: number;
  readonly until: number;
}

/** Too many tokens are being asked about at once. */
export class IntrospectionBusy extends Error {}

/**
 * Tokens that were proved otherwise than by the snapshot: JWTs by their signature, opaque ones by control. Kept by
 * hash until they expire or the epoch moves, which is when something was revoked.
 */
export class IdentityCache {
  readonly #known = new Map<string, Known>();
  readonly #missed = new Map<string, number>();
  readonly #asking = new Map<string, Promise<Introspection>>();

  get(hash: string, epoch: number, now: number): TokenEntry | undefined {
    const known = this.#known.get(hash);
    if (!known) return undefined;
    if (known.epoch === epoch && known.until > now) return known.token;
    this.#known.delete(hash);
    return undefined;
  }

  set(hash: string, token: TokenEntry, epoch: number, until = token.expiresAt): void {
    if (this.#known.size >= TOKENS_MAX) this.#known.delete(this.#known.keys().next().value!); // not empty
    this.#known.set(hash, { token, epoch, until });
  }

  hasMissed(hash: string, now: number): boolean {
    const until = this.#missed.get(hash);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#missed.delete(hash);
    return false;
  }

  miss(hash: string, now: number): void {
    if (this.#missed.size >= MISSES_MAX) this.#missed.delete(this.#missed.keys().next().value!); // not empty
    this.#missed.set(hash, now + MISS_MS_MAX);
  }

  /** Asks control once for all calls that carry the same token at the same time. */
  ask(hash: string, source: SnapshotSource): Promise<Introspection> {
    const asking = this.#asking.get(hash);
    if (asking) return asking;
    if (this.#asking.size >= INTROSPECTIONS_MAX) return Promise.reject(new IntrospectionBusy());
    const answer = source.introspect(hash).finally(() => this.#asking.delete(hash));
    this.#asking.set(hash, answer);
    return answer;
  }
}
