import type { Logger } from '@cordon/kernel';
import type { ControlClient } from './control-client.ts';
import { GatewayError } from './errors.ts';
import type { SourceLock } from './source-locks.ts';

/** Approvals are counted at control, whose database decides among all gateways. */
export class ControlApprovals {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  /** Rejects when control doesn't answer: then nobody knows, and the call isn't made. */
  async consume(sha256: string, requestId: string): Promise<boolean> {
    const answer = await this.#client.post('/internal/gateway/approvals/consume', { sha256, requestId });
    if (answer.status !== 200) {
      throw new GatewayError('gateway.control_unavailable', `control answered ${answer.status}`);
    }
    const parsed: unknown = JSON.parse(answer.body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && 'taken' in parsed && parsed.taken === true;
  }
}

/** Shows a lock to people, at control. It holds here whether or not control hears of it. */
export async function reportLock(client: ControlClient, lock: SourceLock, logger: Logger): Promise<void> {
  try {
    await client.post('/internal/gateway/locks', lock);
  } catch (error) {
    logger.warn({ err: error }, 'control could not be told of a locked address');
  }
}
