import type { Selectable } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { type EstateTables, tablesOf } from '../tables.ts';
import type { CutTarget } from './cut-plan.ts';
import type { GraphNode } from './node.ts';

export interface CutResult {
  readonly target: CutTarget;
  /** planned: ordered, and nothing is known of it yet. requested: a connector's run does it, see its outcome. */
  readonly outcome: 'planned' | 'done' | 'requested' | 'manual' | 'failed';
  /** The cut-off, the grant that is gone, or the connector's run. */
  readonly evidence: string | null;
  readonly problem: string | null;
}

export interface Cut {
  readonly id: string;
  readonly node: { readonly id: string; readonly name: string };
  readonly reason: string;
  readonly digest: string;
  readonly results: readonly CutResult[];
  readonly createdAt: number;
  readonly createdBy: string;
  /** null: under way, or the process died; the results say how far it came. */
  readonly endedAt: number | null;
}

const CUTS_MAX = 100;

function toCut(row: Selectable<EstateTables['graph_cuts']>): Cut {
  return {
    id: row.id,
    node: { id: row.node_id, name: row.node_name },
    reason: row.reason,
    digest: row.digest,
    results: row.targets as readonly CutResult[], // written by the two functions below
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    endedAt: row.ended_at?.getTime() ?? null,
  };
}

export async function insertCut(
  tx: Transaction,
  cut: {
    readonly id: string;
    readonly node: GraphNode;
    readonly reason: string;
    readonly digest: string;
    readonly targets: readonly CutTarget[];
    readonly at: number;
    readonly by: string;
  },
): Promise<void> {
  const planned = cut.targets.map((target): CutResult => ({
    target,
    outcome: 'planned',
    evidence: null,
    problem: null,
  }));
  await tablesOf(tx)
    .insertInto('graph_cuts')
    .values({
      id: cut.id,
      node_id: cut.node.id,
      node_name: cut.node.name,
      reason: cut.reason,
      digest: cut.digest,
      targets: JSON.stringify(planned),
      created_at: new Date(cut.at),
      created_by: cut.by,
      ended_at: null,
    })
    .execute();
}

export async function finishCut(tx: Transaction, id: string, results: readonly CutResult[], at: number): Promise<Cut> {
  const row = await tablesOf(tx)
    .updateTable('graph_cuts')
    .set({ targets: JSON.stringify(results), ended_at: new Date(at) })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toCut(row);
}

/** The newest first. */
export async function listCuts(db: Queryable): Promise<Cut[]> {
  const rows = await tablesOf(db)
    .selectFrom('graph_cuts')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(CUTS_MAX)
    .execute();
  return rows.map(toCut);
}
