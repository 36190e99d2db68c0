import { createDeidentifier } from '@cordon/classifier';
import { type Entries, listEntries } from '@cordon/policy';
import type { GatewayRuntime } from './runtime.ts';

/** Takes the key of reversible tokens from the snapshot; the newest where a rotation shows both. */
export class TokenKey {
  readonly #runtime: Pick<GatewayRuntime, 'envelope' | 'inspector' | 'logger'>;
  #id: string | undefined;

  constructor(runtime: Pick<GatewayRuntime, 'envelope' | 'inspector' | 'logger'>) {
    this.#runtime = runtime;
  }

  apply(entries: Entries): void {
    const { envelope, inspector, logger } = this.#runtime;
    const newest = listEntries(entries, 'token-key').toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
    if (newest?.id === this.#id) return;
    this.#id = newest?.id;
    if (!newest) return inspector.setTokens(undefined);
    try {
      const secret = envelope.open(newest.sealed, `token-key:${newest.id}`);
      inspector.setTokens(createDeidentifier({ id: newest.id, secret }));
    } catch (error) {
      // What rules name is masked then: nothing passes that should not, and nothing can be read back.
      logger.error({ err: error }, 'the key of tokens cannot be opened; values are masked instead');
      inspector.setTokens(undefined);
    }
  }
}
