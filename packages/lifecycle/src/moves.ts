import {
  type Actor,
  appendAudit,
  type Clock,
  describeActor,
  type Queryable,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { sql } from 'kysely';
import type { TargetState } from './leaver.ts';
import {
  endIfClosed,
  insertRun,
  insertTargets,
  listOpenMoves,
  listWaitingOf,
  markDispatched,
  settle,
} from './leaver-store.ts';

/** One thing that somebody may use now, or may not use any more. */
export interface MovedEntitlement {
  /** `target`: an account in a tool that people are pushed to. */
  readonly kind: 'role' | 'app' | 'target';
  readonly id: string;
  readonly name: string;
}

/** What a change of groups or roles meant for one person. */
export interface Moved {
  readonly person: { readonly id: string; readonly name: string };
  readonly isJoiner: boolean;
  readonly cause: string;
  readonly gained: readonly MovedEntitlement[];
  readonly lost: readonly MovedEntitlement[];
  /** Sign-ons that ended with an app that was lost, by the app's id. */
  readonly endedSignOns: Readonly<Record<string, number>>;
}

const SYSTEM = { kind: 'system', name: 'provisioning' } as const;
const keyOf = (targetId: string, isGain: boolean): string => `target/${targetId}/${isGain ? 'gained' : 'lost'}`;

function evidenceOf(one: MovedEntitlement, isGain: boolean, endedSignOns: Moved['endedSignOns']): string {
  if (one.kind === 'role') return isGain ? 'Holds since this change.' : 'Taken in the same transaction.';
  if (isGain) return 'May sign on since this change.';
  const ended = endedSignOns[one.id] ?? 0;
  return `Refused since this change; ${ended} ${ended === 1 ? 'sign-on' : 'sign-ons'} there ended, and the app is told.`;
}

/**
 * A joiner or mover, in the transaction of the change itself. Roles and apps are done by then; an account in a tool
 * waits for the push that makes or takes it, and is settled by that push.
 */
export async function beginMove(
  tx: Transaction,
  deps: { readonly clock: Clock },
  input: { readonly actor: Actor; readonly move: Moved },
): Promise<void> {
  const { actor, move } = input;
  const { person, isJoiner, cause } = move;
  const at = deps.clock.now();
  const id = uuidv7(at);
  const kind = isJoiner ? ('joiner' as const) : ('mover' as const);
  await insertRun(tx, { id, kind, person, reason: cause, startedBy: describeActor(actor).name, at });
  const rows = [
    ...move.lost.map((one) => ({ one, isGain: false })),
    ...move.gained.map((one) => ({ one, isGain: true })),
  ].map(({ one, isGain }) => ({
    key: one.kind === 'target' ? keyOf(one.id, isGain) : `${one.kind}/${one.id}/${isGain ? 'gained' : 'lost'}`,
    kind: { role: 'role', app: 'app to sign on to', target: 'account in a tool' }[one.kind],
    name: one.name,
    act: isGain ? 'Give' : 'Take away',
    input: {},
    state: one.kind === 'target' ? ('waiting' as const) : ('done' as const),
    detail: one.kind === 'target' ? 'The next push does it.' : evidenceOf(one, isGain, move.endedSignOns),
  }));
  for (const one of [...move.lost, ...move.gained]) {
    if (one.kind === 'target') await supersede(tx, person.id, one.id, at);
  }
  await insertTargets(tx, id, rows, at);
  await appendAudit(tx, {
    actor,
    action: `${kind}.began`,
    target: { type: 'person', id: person.id, name: person.name },
    detail: { run: id, cause, gained: move.gained, lost: move.lost },
    at,
  });
  await markDispatched(tx, id, at);
  await endIfClosed(tx, id, at);
}

/** What waited for a push that a later change makes needless. */
async function supersede(tx: Transaction, personId: string, targetId: string, at: number): Promise<void> {
  for (const isGain of [true, false]) {
    const end = { state: 'nothing', detail: 'A later change came before the push.' } as const;
    await settleMoves(tx, { targetId, personId, isGain }, { ...end, at });
  }
}

/** A push came to an end for one person at one target: whatever waited for it is settled with its evidence. */
export async function settleMoves(
  tx: Transaction,
  which: { readonly targetId: string; readonly personId: string; readonly isGain: boolean },
  end: { readonly state: Exclude<TargetState, 'waiting'>; readonly detail: string; readonly at: number },
): Promise<void> {
  const key = keyOf(which.targetId, which.isGain);
  for (const runId of await listOpenMoves(tx, { key, personId: which.personId })) {
    // What only a person can do stays open here: it is closed where the task is.
    if (end.state === 'task' || end.state === 'failed') continue;
    if (!(await settle(tx, runId, key, { ...end, from: ['waiting'] }))) continue;
    if (!(await endIfClosed(tx, runId, end.at))) continue;
    await appendAudit(tx, {
      actor: SYSTEM,
      action: 'mover.complete',
      target: { type: 'person', id: which.personId },
      detail: { run: runId },
      at: end.at,
    });
  }
}

/** Somebody leaves: what they waited for is the leaver's now. */
export async function closeMovesOf(tx: Transaction, personId: string, at: number): Promise<void> {
  const end = { state: 'nothing', detail: 'The person left before the push.', from: ['waiting'] } as const;
  for (const { runId, key } of await listWaitingOf(tx, personId)) {
    if (await settle(tx, runId, key, { ...end, at })) await endIfClosed(tx, runId, at);
  }
}

/** A push went through whole: what still waits for this target had nothing to be done. */
export async function settleUntouched(tx: Transaction, targetId: string, at: number, before: number): Promise<void> {
  const detail = 'The push found it as wanted already.';
  for (const isGain of [true, false]) {
    const key = keyOf(targetId, isGain);
    for (const runId of await listOpenMoves(tx, { key, before })) {
      if (!(await settle(tx, runId, key, { state: 'nothing', detail, at, from: ['waiting'] }))) continue;
      await endIfClosed(tx, runId, at);
    }
  }
}

/** Targets whose members are in any of these groups, for whoever has to know what a group gives. */
export async function targetsOfGroups(
  source: Pick<Queryable, 'tables'>,
  groups: readonly string[],
): Promise<{ id: string; name: string }[]> {
  if (groups.length === 0) return [];
  return source
    .tables<{ provision_target: { id: string; name: string; groups: string[] } }>()
    .selectFrom('provision_target')
    .select(['id', 'name'])
    .where(sql<boolean>`groups && ${[...groups]}::uuid[]`)
    .orderBy('name')
    .execute();
}
