import { sql } from 'kysely';
import type { IdentityDb } from '../context.ts';

/** OpenID CIBA Core 1.0, section 7.3: what holds when the answer names no interval. */
const INTERVAL_S = 5;
/** Section 11: who polls too fast waits this much longer from then on. */
const STEP_S = 5;
const INTERVAL_S_MAX = 60;
/** Timers and networks aren't exact. */
const EARLY_MS = 500;

/**
 * Notes a poll for a request that still waits, in one statement for all processes. True: it came too soon, and its
 * client has to leave more time from now on.
 */
export async function notePoll(db: IdentityDb, model: string, hash: Buffer, now: number): Promise<boolean> {
  const result = await sql<{ soon: boolean }>`
    with before as (
      select hash, model, coalesce(poll_interval_s, ${INTERVAL_S}) as wait_s, polled_at
      from oauth_artifacts where model = ${model} and hash = ${hash} for update
    ), judged as (
      select *, polled_at is not null
        and ${new Date(now + EARLY_MS)}::timestamptz < polled_at + make_interval(secs => wait_s) as soon
      from before
    )
    update oauth_artifacts kept set polled_at = ${new Date(now)},
      poll_interval_s = case when soon then least(wait_s + ${STEP_S}, ${INTERVAL_S_MAX}) else wait_s end
    from judged where kept.model = judged.model and kept.hash = judged.hash
    returning judged.soon`.execute(db);
  return result.rows[0]?.soon ?? false;
}
