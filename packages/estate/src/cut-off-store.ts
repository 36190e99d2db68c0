import { uuidv7, type Queryable, type Transaction } from '@cordon/kernel';
import { LIST_MAX } from './page.ts';
import { tablesOf } from './tables.ts';

export interface GatewayReach {
  readonly id: string;
  readonly pid: number;
  /** From the decision's commit to the gateway's own application of it. */
  readonly delayMs: number;
}

export interface CutOff {
  readonly id: string;
  readonly integrationId: string;
  readonly epoch: number;
  readonly decidedAt: number;
  /** When the last gateway had applied it; null while one has not reported. */
  readonly reachedAt: number | null;
  readonly gateways: readonly GatewayReach[];
}

export async function insertCutOff(
  tx: Transaction,
  input: { integrationId: string; epoch: number; at: number },
): Promise<string> {
  const id = uuidv7(input.at);
  await tablesOf(tx)
    .insertInto('cut_offs')
    .values({
      id,
      integration_id: input.integrationId,
      epoch: input.epoch,
      decided_at: new Date(input.at),
      reached_at: null,
      gateways: null,
    })
    .execute();
  return id;
}

/** Writes an outcome down once; `at` is null when not every gateway reported. False when it was written before. */
export async function saveReach(
  db: Queryable,
  id: string,
  reach: readonly GatewayReach[],
  at: number | null,
): Promise<boolean> {
  const saved = await tablesOf(db)
    .updateTable('cut_offs')
    .set({ reached_at: at === null ? null : new Date(at), gateways: JSON.stringify(reach) })
    .where('id', '=', id)
    .where('gateways', 'is', null)
    .executeTakeFirst();
  return saved.numUpdatedRows > 0n;
}

export async function listCutOffs(db: Queryable, integrationId: string): Promise<CutOff[]> {
  const rows = await tablesOf(db)
    .selectFrom('cut_offs')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .orderBy('decided_at', 'desc')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    integrationId: row.integration_id,
    epoch: row.epoch,
    decidedAt: row.decided_at.getTime(),
    reachedAt: row.reached_at?.getTime() ?? null,
    gateways: (row.gateways as GatewayReach[] | null) ?? [], // written by saveReach only
  }));
}
