import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** A nonce is good while it is new and for the two steps after. */
const STEP_MS = 60_000;
const STEPS_KEPT = 3;

/**
 * Nonces for DPoP proofs (RFC 9449, section 9). They follow from the gateways' common key and the time, so that each
 * process takes what another gave out and none has to remember.
 */
export class DpopNonces {
  readonly #secret: Buffer;
  #step = -1;
  #nonces: readonly Buffer[] = [];

  constructor(key: string) {
    this.#secret = Buffer.from(hkdfSync('sha256', key, '', 'cordon gateway dpop nonce', 32));
  }

  #at(now: number): readonly Buffer[] {
    const step = Math.floor(now / STEP_MS);
    if (step !== this.#step) {
      this.#step = step;
      this.#nonces = Array.from({ length: STEPS_KEPT }, (_, back) =>
        Buffer.from(
          createHmac('sha256', this.#secret)
            .update(String(step - back))
            .digest('base64url'),
        ),
      );
    }
    return this.#nonces;
  }

  /** The one to give out. */
  current(now: number): string {
    return this.#at(now)[0]!.toString(); // there are STEPS_KEPT
  }

  accepts(nonce: string, now: number): boolean {
    const given = Buffer.from(nonce);
    return this.#at(now).some((known) => known.length === given.length && timingSafeEqual(known, given));
  }
}
