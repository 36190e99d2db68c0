import { createLearner, StateUnreadable } from '@cordon/openapi';
import type { Clock, Database, Logger, Transaction } from '@cordon/kernel';
import type { LessonLine } from './lesson.ts';
import { isApp, lockTraffic, markBatch, saveTraffic } from './learning-store.ts';

/** A gateway repeats a batch for as long as its disk holds it; a week is more than any outage should last. */
const REMEMBERED_MS = 7 * 24 * 3_600_000;
/** What is known of one integration's calls of one app; beyond it only counts grow. */
const STATE_BYTES_MAX = 4 * 1024 * 1024;

export interface TakeLessonsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes a batch of a gateway over, once: its key is written in the transaction of its content. */
export async function takeLessons(
  { db, clock, logger }: TakeLessonsDeps,
  key: string,
  lines: readonly LessonLine[],
): Promise<number> {
  const now = clock.now();
  return db.transaction(async (tx) => {
    if (!(await markBatch(tx, key, new Date(now), new Date(now - REMEMBERED_MS)))) return 0;
    let taken = 0;
    // In one order everywhere, so that two batches never wait for each other in a circle.
    for (const line of lines.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))) {
      if (!(await isApp(tx, line.app))) continue;
      if (await takeLine(tx, line)) taken += 1;
      else logger.warn({ app: line.app, integration: line.integration.id }, 'a lesson could not be kept');
    }
    return taken;
  });
}

const orderOf = ({ app, integration }: LessonLine): string => `${app} ${integration.id}`;

async function takeLine(tx: Transaction, line: LessonLine): Promise<boolean> {
  const { integration, calls } = line;
  const at = new Date(line.at);
  const stored = await lockTraffic(tx, line.app, integration.id);
  const learner = createLearner();
  if (stored !== undefined) learner.absorb(stored);
  const before = learner.state();
  try {
    learner.absorb(line.state);
  } catch (error) {
    if (!(error instanceof StateUnreadable)) throw error;
    return false;
  }
  const state = learner.state();
  const fits = JSON.stringify(state).length <= STATE_BYTES_MAX;
  const kept = fits ? { calls, dropped: 0, state } : { calls: 0, dropped: calls, state: before };
  await saveTraffic(tx, line.app, { integration, at, ...kept });
  return fits;
}
