import type { Clock, Logger } from '@cordon/kernel';
import type { Credential } from '@cordon/policy';
import type { ControlClient } from './control-client.ts';

export type RenewableCredential = Extract<Credential, { kind: 'bearer' }>;

/** As long as control waits for a vendor, and a little for the snapshot. */
const WAIT_MS_MAX = 12_000;
const LOOK_AGAIN_MS = 20;
/** A vendor that goes on refusing isn't a reason to mint on and on. */
const COOL_DOWN_MS = 10_000;
const ASKED_MAX = 10_000;

export function renewalOf(credential: Credential | null): RenewableCredential['renewal'] {
  return credential?.kind === 'bearer' ? credential.renewal : null;
}

/**
 * Asks control for a newer token when a vendor refuses the one in use: once for all calls of this process, and not
 * again for a while. The token itself comes as every change does, in a signed snapshot.
 */
export class CredentialRenewals {
  readonly #client: Pick<ControlClient, 'post'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #askedAt = new Map<string, number>();

  constructor(client: Pick<ControlClient, 'post'>, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Resolves to whether `current` gives a newer credential than the refused one by now. */
  renew(refused: NonNullable<RenewableCredential['renewal']>, current: () => Credential | null): Promise<boolean> {
    const isNewer = (): boolean => {
      const now = current();
      const renewal = renewalOf(now);
      // Another id: it was replaced, which is as good.
      return now !== null && (renewal === null || renewal.id !== refused.id || renewal.generation > refused.generation);
    };
    if (isNewer()) return Promise.resolve(true);
    const asking = this.#asking.get(refused.id);
    if (asking) return asking;
    const askedAt = this.#askedAt.get(refused.id) ?? 0;
    if (this.#clock.now() - askedAt < COOL_DOWN_MS) return Promise.resolve(false);
    if (this.#askedAt.size >= ASKED_MAX) this.#askedAt.clear();
    this.#askedAt.set(refused.id, this.#clock.now());
    const started = this.#ask(refused, isNewer).finally(() => this.#asking.delete(refused.id));
    this.#asking.set(refused.id, started);
    return started;
  }

  async #ask(refused: { id: string; generation: number }, isNewer: () => boolean): Promise<boolean> {
    const end = performance.now() + WAIT_MS_MAX;
    const asked = { isHopeless: false };
    void this.#post(refused).then((isRenewed) => {
      asked.isHopeless = !isRenewed;
      return isRenewed;
    });
    // The snapshot may be here before control's answer is.
    while (!isNewer() && !asked.isHopeless && performance.now() < end) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, LOOK_AGAIN_MS);
      });
    }
    return isNewer();
  }

  async #post(refused: { id: string; generation: number }): Promise<boolean> {
    try {
      const { status, body } = await this.#client.post('/internal/gateway/credentials/renew', refused);
      return status === 200 && body.toString('utf8').includes('"renewed"');
    } catch (error) {
      this.#logger.warn({ err: error, credential: refused.id }, 'control could not be asked for a newer token');
      return false;
    }
  }
}
