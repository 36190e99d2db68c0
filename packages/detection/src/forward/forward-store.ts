import type { Queryable } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { WatchTables } from '../watch-tables.ts';
import {
  forwardDelayMs,
  type ForwardKind,
  type ForwardPosition,
  type ForwardSettings,
  placeOf,
  readSettings,
} from './forward.ts';

const TARGETS_MAX = 50;
const ERROR_CHARS_MAX = 500;

export interface ForwardTarget {
  readonly id: string;
  readonly name: string;
  readonly kind: ForwardKind;
  readonly query: string;
  readonly settings: ForwardSettings;
  readonly place: string;
  readonly privateAddresses: readonly string[];
  /** `failing`: the last try went wrong and another one is due at `nextAt`. */
  readonly status: 'active' | 'paused' | 'failing';
  readonly position: ForwardPosition;
  readonly sent: number;
  readonly refused: number;
  readonly failures: number;
  readonly nextAt: number;
  readonly lastError: string | null;
  readonly lastRefusal: string | null;
  readonly lastSentAt: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

function toTarget(row: Selectable<WatchTables['forward_target']>): ForwardTarget {
  const settings = readSettings(row.kind, row.settings);
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    query: row.query,
    settings,
    place: placeOf(settings),
    privateAddresses: row.private_addresses,
    status: row.status === 'active' && row.failures > 0 ? 'failing' : row.status,
    position: { at: row.position_at, id: row.position_id },
    sent: row.sent,
    refused: row.refused,
    failures: row.failures,
    nextAt: row.next_at,
    lastError: row.last_error,
    lastRefusal: row.last_refusal,
    lastSentAt: row.last_sent_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

export async function listForwards(db: Queryable): Promise<ForwardTarget[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('forward_target')
    .selectAll()
    .orderBy('name')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map(toTarget);
}

export interface DueForward {
  readonly target: ForwardTarget;
  readonly sealed: string | null;
}

/** Targets that may be sent to now. */
export async function dueForwards(db: Queryable, now: number): Promise<DueForward[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('forward_target')
    .selectAll()
    .where('status', '=', 'active')
    .where('next_at', '<=', now)
    .limit(TARGETS_MAX)
    .execute();
  return rows.map((row) => ({ target: toTarget(row), sealed: row.sealed }));
}

export interface ForwardProgress {
  readonly from: ForwardPosition;
  readonly to: ForwardPosition;
  readonly sent: number;
  readonly refused: number;
  readonly refusal: string | null;
  readonly now: number;
}

/**
 * Moves a target's cursor, after the target has the events. False when a person moved it meanwhile, or paused or
 * removed the target: their word stands.
 */
export async function advanceForward(db: Queryable, id: string, progress: ForwardProgress): Promise<boolean> {
  const { from, to, sent, refused, refusal, now } = progress;
  const moved = await db
    .tables<WatchTables>()
    .updateTable('forward_target')
    .set((set) => ({
      position_at: to.at,
      position_id: to.id,
      sent: set('sent', '+', sent),
      refused: set('refused', '+', refused),
      failures: 0,
      last_error: null,
      ...(refusal !== null && { last_refusal: refusal.slice(0, ERROR_CHARS_MAX) }),
      ...(sent > 0 && { last_sent_at: now }),
    }))
    .where('id', '=', id)
    .where('status', '=', 'active')
    .where('position_at', '=', from.at)
    .where('position_id', '=', from.id)
    .executeTakeFirst();
  return moved.numUpdatedRows > 0n;
}

export async function failForward(
  db: Queryable,
  { id, failures }: Pick<ForwardTarget, 'id' | 'failures'>,
  error: string,
  now: number,
): Promise<void> {
  await db
    .tables<WatchTables>()
    .updateTable('forward_target')
    .set({
      failures: failures + 1,
      next_at: now + forwardDelayMs(failures),
      last_error: error.slice(0, ERROR_CHARS_MAX),
    })
    .where('id', '=', id)
    .execute();
}
