import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { DlpConflict, DlpInputInvalid, DlpUnknown } from './errors.ts';
import { scanWorkflow } from './scan-run.ts';
import { loadScan, type Scan, SCAN_MODES } from './scan-store.ts';
import { tablesOf } from './tables.ts';

const HOURS_MAX = 24 * 31;
const HOUR_MS = 3_600_000;
const SCHEDULES_MAX = 1_000;

export const scanInput = z.strictObject({
  connectionId: z.string().min(1).max(200),
  mode: z.enum(SCAN_MODES).default('full'),
  /** Do what rules say to what is found; otherwise it waits in the queue. */
  enforce: z.boolean().default(false),
  /** Streams of records; all without. */
  streams: z.array(z.string().min(1).max(64)).min(1).max(50).optional(),
});
export const scheduleInput = z.strictObject({
  everyHours: z.int().min(1).max(HOURS_MAX),
  enforce: z.boolean().default(false),
});

/** A connection with streams of records, as control knows it. */
export interface ScanTarget {
  readonly connectionId: string;
  readonly app: string;
  readonly name: string;
  readonly streams: readonly string[];
}

export interface ScanSchedule {
  readonly connectionId: string;
  readonly everyHours: number;
  readonly enforce: boolean;
  readonly nextAt: Date;
  readonly setBy: string;
}

export interface ScanCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly targets: () => Promise<readonly ScanTarget[]>;
}

/** Begins a scan; null while another of the connection runs. */
export async function requestScan(
  deps: ScanCommandDeps,
  actor: Actor,
  target: ScanTarget,
  wish: { readonly mode: Scan['mode']; readonly enforce: boolean; readonly streams: readonly string[] },
): Promise<string | null> {
  const { db, clock, workflows } = deps;
  const at = clock.now();
  const id = uuidv7(at);
  const { connectionId, app, name } = target;
  return db.transaction(async (tx) => {
    const running = await tablesOf(tx)
      .selectFrom('dlp_scan')
      .select('id')
      .where('connection_id', '=', connectionId)
      .where('status', 'in', ['queued', 'running'])
      .executeTakeFirst();
    if (running) return null;
    await tablesOf(tx)
      .insertInto('dlp_scan')
      .values({
        id,
        connection_id: connectionId,
        app,
        name,
        mode: wish.mode,
        enforce: wish.enforce,
        status: 'queued',
        requested_by: actor.name,
        requested_at: new Date(at),
        started_at: null,
        ended_at: null,
        error: null,
      })
      .execute();
    const rows = wish.streams.map((stream, place) => ({ scan_id: id, stream, place, status: 'waiting', reason: null }));
    await tablesOf(tx).insertInto('dlp_scan_stream').values(rows).execute();
    const detail = { scan: id, mode: wish.mode, enforce: wish.enforce, streams: wish.streams };
    await appendAudit(tx, {
      actor,
      action: 'dlp.scan_requested',
      target: { type: 'connection', id: connectionId, name },
      detail,
      at,
    });
    await workflows.enqueue(tx, scanWorkflow, id, { scanId: id });
    return id;
  });
}

async function targetOf(deps: ScanCommandDeps, connectionId: string): Promise<ScanTarget> {
  const target = (await deps.targets()).find((one) => one.connectionId === connectionId);
  if (!target) throw new DlpUnknown('There is no such connection.', { id: connectionId });
  if (target.streams.length === 0) throw new DlpInputInvalid(`${target.name} shows no records that could be scanned.`);
  return target;
}

export function createScanCommands(deps: ScanCommandDeps) {
  const { db, clock } = deps;
  return {
    async start(actor: Actor, input: z.output<typeof scanInput>): Promise<Scan> {
      // What a rule does to records in a tool is an act of whoever asks for it.
      authorize(actor, input.enforce ? 'dlp.remedy' : 'dlp.write');
      const target = await targetOf(deps, input.connectionId);
      const unknown = (input.streams ?? []).filter((stream) => !target.streams.includes(stream));
      if (unknown.length > 0) throw new DlpInputInvalid(`${target.name} has no records in ${unknown.join(', ')}.`);
      const streams = input.streams ?? target.streams;
      const id = await requestScan(deps, actor, target, { mode: input.mode, enforce: input.enforce, streams });
      if (id === null) throw new DlpConflict('A scan of this connection is under way.');
      return loadScan(db, id);
    },

    /** Ends it after the page that is being read; what it found stays. */
    async cancel(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'dlp.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const scan = await loadScan(tx, id);
        const row = await tablesOf(tx)
          .updateTable('dlp_scan')
          .set({ status: 'cancelled' })
          .where('id', '=', id)
          .where('status', 'in', ['queued', 'running'])
          .executeTakeFirst();
        if (Number(row.numUpdatedRows) === 0) throw new DlpConflict('This scan has ended.', { id });
        const target = { type: 'connection', id: scan.connectionId, name: scan.name };
        await appendAudit(tx, { actor, action: 'dlp.scan_cancel_asked', target, detail: { scan: id }, at });
      });
    },

    /** Scans what changed, again and again; the first one reads everything. */
    async setSchedule(actor: Actor, connectionId: string, input: z.output<typeof scheduleInput>): Promise<void> {
      authorize(actor, input.enforce ? 'dlp.remedy' : 'dlp.write');
      const target = await targetOf(deps, connectionId);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const set = {
          every_hours: input.everyHours,
          enforce: input.enforce,
          next_at: new Date(at),
          set_by: actor.name,
        };
        await tablesOf(tx)
          .insertInto('dlp_schedule')
          .values({ connection_id: connectionId, ...set })
          .onConflict((conflict) => conflict.column('connection_id').doUpdateSet(set))
          .execute();
        const named = { type: 'connection', id: connectionId, name: target.name };
        await appendAudit(tx, { actor, action: 'dlp.schedule_set', target: named, detail: input, at });
      });
    },

    async removeSchedule(actor: Actor, connectionId: string): Promise<void> {
      authorize(actor, 'dlp.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const gone = await tablesOf(tx)
          .deleteFrom('dlp_schedule')
          .where('connection_id', '=', connectionId)
          .executeTakeFirst();
        if (Number(gone.numDeletedRows) === 0) throw new DlpUnknown('No scan of this connection is scheduled.');
        const target = { type: 'connection', id: connectionId, name: connectionId };
        await appendAudit(tx, { actor, action: 'dlp.schedule_removed', target, detail: {}, at });
      });
    },
  };
}
export type ScanCommands = ReturnType<typeof createScanCommands>;

export async function listSchedules(db: Database): Promise<ScanSchedule[]> {
  const rows = await tablesOf(db)
    .selectFrom('dlp_schedule')
    .selectAll()
    .orderBy('next_at')
    .limit(SCHEDULES_MAX)
    .execute();
  return rows.map((row) => ({
    connectionId: row.connection_id,
    everyHours: row.every_hours,
    enforce: row.enforce,
    nextAt: row.next_at,
    setBy: row.set_by,
  }));
}

const SCHEDULER: Actor = { kind: 'system', name: 'scan schedule' };

/** Begins the scans that are due; one that still runs is left alone and tried again at the next look. */
export async function startDueScans(deps: ScanCommandDeps): Promise<number> {
  const { db, clock } = deps;
  const now = clock.now();
  const due = (await listSchedules(db)).filter(({ nextAt }) => nextAt.getTime() <= now);
  const targets = due.length === 0 ? [] : await deps.targets();
  let begun = 0;
  for (const { connectionId, everyHours, enforce } of due) {
    const target = targets.find((one) => one.connectionId === connectionId);
    if (!target || target.streams.length === 0) continue;
    const id = await requestScan(deps, SCHEDULER, target, { mode: 'incremental', enforce, streams: target.streams });
    if (id === null) continue;
    begun += 1;
    await tablesOf(db)
      .updateTable('dlp_schedule')
      .set({ next_at: new Date(now + everyHours * HOUR_MS) })
      .where('connection_id', '=', connectionId)
      .execute();
  }
  return begun;
}
