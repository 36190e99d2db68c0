import {
  advanceForward,
  type DueForward,
  dueForwards,
  failForward,
  rewrapSealed,
  sealContext,
} from '@cordon/detection';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { sendForward } from './forward-send.ts';
import { repeat } from './repeating.ts';

const FORWARD_MS = 1_000;
const REWRAP_MS = 600_000;
const BATCH_EVENTS = 500;

export interface ForwardDeps {
  readonly db: Database;
  readonly lake: Pick<Lake, 'journal'>;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Less than the journal's own only in tests. */
  readonly settleMs?: number;
  readonly batchEvents?: number;
}

/** Sends what a target lacks. The cursor moves only after the target has a batch: what is cut short comes again. */
async function forwardTo({ target, sealed }: DueForward, deps: ForwardDeps, isStopped: () => boolean): Promise<void> {
  const { db, lake, envelope, clock, logger, settleMs, batchEvents = BATCH_EVENTS } = deps;
  let { position, failures } = target;
  try {
    const secret =
      sealed === null ? '' : envelope.open(sealed, sealContext('forward_target', target.id)).toString('utf8');
    while (!isStopped()) {
      const page = await lake.journal.next({
        query: target.query,
        after: position,
        limit: batchEvents,
        ...(settleMs !== undefined && { settleMs }),
      });
      const { events } = page;
      const { failure, refused, refusal } =
        events.length === 0
          ? { failure: null, refused: 0, refusal: null }
          : await sendForward(target, secret, events, clock);
      if (failure !== null) throw new Error(failure);
      const moved = { from: position, to: page.position, sent: events.length - refused, refused, refusal };
      if (!(await advanceForward(db, target.id, { ...moved, now: clock.now() }))) return;
      ({ position } = page);
      failures = 0;
      if (page.isCaughtUp) return;
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    logger.warn({ target: target.name, failures: failures + 1, failure: said }, 'events could not be forwarded');
    await failForward(db, { id: target.id, failures }, said, clock.now());
  }
}

/** Forwards the lake to every target at its own pace: one that hangs holds up no other. */
export function startForwarding(deps: ForwardDeps): { stop(): Promise<void> } {
  const { db, envelope, clock, logger } = deps;
  const running = new Map<string, Promise<void>>();
  let stopped = false;
  const duty = repeat('forwarding', FORWARD_MS, logger, async () => {
    for (const due of await dueForwards(db, clock.now())) {
      const { id, name } = due.target;
      if (stopped || running.has(id)) continue;
      const work = forwardTo(due, deps, () => stopped)
        .catch((error: unknown) => logger.error({ err: error, target: name }, 'forwarding failed'))
        .finally(() => running.delete(id));
      running.set(id, work);
    }
  });
  const rewrapping = repeat('forwarding keys', REWRAP_MS, logger, async () => {
    for (const table of ['forward_target', 'event_source', 'notification_target'] as const) {
      await rewrapSealed({ db, envelope }, table);
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all([duty.stop(), rewrapping.stop()]);
      await Promise.all(running.values());
    },
  };
}
