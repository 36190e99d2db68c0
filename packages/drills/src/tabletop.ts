import { appendAudit, type Clock, type Database, type Transaction } from '@cordon/kernel';
import { type Drill, dueMs, elapsedMs } from './drill.ts';
import { addEntry, listDrills, listEntries, lockDrill, setDrill } from './drill-store.ts';
import { NO_FACTS } from './facts.ts';
import type { Inject } from './scenario.ts';
import { scoreDrill } from './score.ts';

const RUNNING_MAX = 50;

/** Tells an inject to the table; the second time changes nothing. */
export async function releaseInject(tx: Transaction, drill: Drill, inject: Inject, at: number): Promise<boolean> {
  return addEntry(tx, drill.id, {
    key: `inject:${inject.id}`,
    kind: 'inject',
    at,
    author: inject.message?.from ?? 'facilitator',
    text: inject.message?.text ?? inject.title,
    detail: { inject: inject.id, title: inject.title, ...(inject.message?.to && { to: inject.message.to }) },
  });
}

async function advanceOne(tx: Transaction, id: string, now: number): Promise<number> {
  const drill = await lockDrill(tx, id);
  if (drill.status !== 'running' || drill.pausedAt !== null) return 0;
  const elapsed = elapsedMs(drill, now);
  let told = 0;
  for (const inject of drill.document.injects.filter(({ at }) => dueMs(drill, at) <= elapsed)) {
    // Released by hand, it is there already.
    if (drill.pace === 'clock' && (await releaseInject(tx, drill, inject, now))) told += 1;
  }
  if (elapsed < dueMs(drill, drill.document.limit)) return told;
  const score = scoreDrill({ ...drill, endedAt: now }, await listEntries(tx, id), NO_FACTS);
  await setDrill(tx, id, { status: 'ended', ended_at: now, score });
  await addEntry(tx, id, {
    key: 'ended',
    kind: 'status',
    at: now,
    author: 'cordon',
    text: 'Time is over.',
    detail: {},
  });
  await appendAudit(tx, {
    actor: { kind: 'system', name: 'drill' },
    action: 'drill.ended',
    target: { type: 'drill', id, name: drill.title },
    detail: { met: score.met, total: score.total, digest: drill.digest },
    at: now,
  });
  return told;
}

export async function releaseDue(db: Database, clock: Clock): Promise<number> {
  const open = await listDrills(db, { status: ['running'], limit: RUNNING_MAX });
  let told = 0;
  for (const { id, mode } of open) {
    if (mode === 'tabletop') told += await db.transaction((tx) => advanceOne(tx, id, clock.now()));
  }
  return told;
}
