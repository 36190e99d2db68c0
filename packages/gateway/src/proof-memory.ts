import { PROOF_AGE_MS_MAX } from './dpop-proof.ts';

/**
 * What is known of a proof's use. `full`: its source has used more proofs than are remembered for one. `alone`: not
 * used here, and nobody who remembers for all could be asked.
 */
export type ProofUse = 'first' | 'used' | 'full' | 'alone';

/** A proof may lie so far before our time, and so far after it. */
export const PROOF_KEPT_MS = 2 * PROOF_AGE_MS_MAX;

export interface ProofBounds {
  /** Proofs of all sources together, some 150 bytes each. */
  readonly allMax: number;
  /** Proofs of one source: what it can use within two minutes. */
  readonly sourceMax: number;
  /** What a source always has, however many others there are. */
  readonly sourceReserve: number;
}

/** 4,000 proofs a second, 800 of one integration, and 8 of each when others have used up the rest. */
export const PROOF_BOUNDS: ProofBounds = { allMax: 500_000, sourceMax: 100_000, sourceReserve: 1_000 };

/**
 * Proofs seen within their window, so that none is used twice by way of whoever remembers them. Each source (an
 * integration) has its own part: one that uses proofs without end is refused, and no other.
 */
export class ProofMemory {
  readonly #bounds: ProofBounds;
  /** Until when each proof of a source is kept, the oldest first. */
  readonly #sources = new Map<string, Map<string, number>>();
  #size = 0;

  constructor(bounds: ProofBounds = PROOF_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Those that may still come again, with their source. */
  *fresh(now: number): Generator<readonly [id: string, source: string]> {
    for (const [source, proofs] of this.#sources) for (const [id, until] of proofs) if (until > now) yield [id, source];
  }

  admit(id: string, source: string, now: number): Exclude<ProofUse, 'alone'> {
    let proofs = this.#sources.get(source);
    if (!proofs) this.#sources.set(source, (proofs = new Map()));
    this.#forget(proofs, now);
    if (proofs.has(id)) return 'used';
    const { allMax, sourceMax, sourceReserve } = this.#bounds;
    if (proofs.size >= sourceMax) return 'full';
    if (proofs.size >= sourceReserve && this.#size >= allMax) this.#forgetAll(now);
    if (proofs.size >= sourceReserve && this.#size >= allMax) return 'full';
    proofs.set(id, now + PROOF_KEPT_MS);
    this.#size += 1;
    return 'first';
  }

  #forget(proofs: Map<string, number>, now: number): void {
    for (const [id, until] of proofs) {
      if (until > now) return;
      proofs.delete(id);
      this.#size -= 1;
    }
  }

  #forgetAll(now: number): void {
    for (const [source, proofs] of this.#sources) {
      this.#forget(proofs, now);
      if (proofs.size === 0) this.#sources.delete(source);
    }
  }
}
