import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  uuidv7,
} from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { SloUnknown, WatchInputInvalid } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { type Slo, type sloInput, type SloState, sloState } from './slo.ts';

const SLOS_MAX = 200;

function toSlo(row: Selectable<WatchTables['monitor_slo']>): Slo {
  const state = sloState.safeParse(row.state);
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    appId: row.app_id,
    integrationId: row.integration_id,
    operation: row.operation,
    objective: row.objective,
    periodDays: row.period_days,
    latencyMs: row.latency_ms,
    callsMin: row.calls_min,
    state: state.success ? state.data : null,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

export async function listSlos(db: Queryable): Promise<Slo[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('monitor_slo')
    .selectAll()
    .orderBy('name')
    .limit(SLOS_MAX)
    .execute();
  return rows.map(toSlo);
}

/** Written by the worker as it measures; a promise that was removed meanwhile is left alone. */
export async function saveSloState(db: Queryable, id: string, state: SloState): Promise<void> {
  await db
    .tables<WatchTables>()
    .updateTable('monitor_slo')
    .set({ state: JSON.stringify(state) })
    .where('id', '=', id)
    .execute();
}

/** What people change about promises; each change is one audit record. */
export function createSloCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }) {
  return {
    async add(actor: Actor, input: z.output<typeof sloInput>): Promise<Slo> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      const slo: Slo = { ...input, id: uuidv7(at), state: null, createdAt: at, createdBy: describeActor(actor).name };
      await db.transaction(async (tx) => {
        const known = await listSlos(tx);
        if (known.some(({ name }) => name === input.name)) throw new WatchInputInvalid('The name is taken.');
        if (known.length >= SLOS_MAX) throw new WatchInputInvalid(`There are ${SLOS_MAX} SLOs already.`);
        await tx
          .tables<WatchTables>()
          .insertInto('monitor_slo')
          .values({
            id: slo.id,
            name: slo.name,
            kind: slo.kind,
            app_id: slo.appId,
            integration_id: slo.integrationId,
            operation: slo.operation,
            objective: slo.objective,
            period_days: slo.periodDays,
            latency_ms: slo.latencyMs,
            calls_min: slo.callsMin,
            state: null,
            created_at: at,
            created_by: slo.createdBy,
          })
          .execute();
        const target = { type: 'slo', id: slo.id, name: slo.name };
        await appendAudit(tx, { actor, action: 'slo.created', target, detail: { ...input }, at });
      });
      return slo;
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .deleteFrom('monitor_slo')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new SloUnknown('There is no such SLO.');
        await appendAudit(tx, { actor, action: 'slo.removed', target: { type: 'slo', id, name: row.name }, at });
      });
    },
  };
}

export type SloCommands = ReturnType<typeof createSloCommands>;
