import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor, uuidv7 } from '@cordon/kernel';
import { listApps } from '../app-store.ts';
import { NotFound, StateConflict } from '../errors.ts';
import { listGrants } from '../grant-store.ts';
import { listIntegrations } from '../integration-store.ts';
import { tablesOf } from '../tables.ts';
import { assembleGraph } from './assemble.ts';
import { type Cut, type CutResult, finishCut, insertCut } from './cut-store.ts';
import { type CutPlan, type CutTarget, planCut, type ToolAction } from './cut-plan.ts';
import { type Graph, type Neighbour, neighboursOf } from './graph.ts';
import type { GraphPorts, ToolFact } from './graph-facts.ts';
import type { GraphNode, NodeKind } from './node.ts';
import { answerPaths, type PathAnswer, type PathQuestion } from './path-question.ts';
import { blastRadius, type Radius } from './radius.ts';

/** How long a built graph answers questions; a cut is always planned on a fresh one. */
const GRAPH_AGE_MS_MAX = 15_000;
/** What counts as "did reach". */
const TRAFFIC_MS = 90 * 86_400_000;
const NODES_MAX = 200;
const VAULT_MAX = 10_000;
const REASON_CHARS_MAX = 2_000;

/** Commands of other parts that a cut is made of; each knows its own permission. */
export interface CutPorts {
  revokeIntegration(actor: Actor, id: string, reason: string): Promise<{ readonly cutOffId: string }>;
  removeGrant(actor: Actor, id: string): Promise<void>;
  toolActions(): Promise<ReadonlyMap<string, readonly ToolAction[]>>;
  /** Asks the worker; the run's id is the evidence, and its outcome is read from the run. */
  runAction(actor: Actor, target: Extract<CutTarget, { act: 'connector_action' }>, key: string): Promise<string>;
}

export interface GraphDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly facts: GraphPorts;
  readonly cuts: CutPorts;
}

interface Loaded {
  readonly at: number;
  readonly graph: Graph;
  readonly tools: readonly ToolFact[];
}

async function vaultCredentials(db: Database) {
  const rows = await tablesOf(db)
    .selectFrom('credentials')
    .select(['id', 'app_id', 'created_at'])
    .where('retired_at', 'is', null)
    .limit(VAULT_MAX)
    .execute();
  return rows.map(({ id, app_id: appId, created_at: at }) => ({ id, appId, createdAt: at.getTime() }));
}

/** Questions about who can reach what, and the one act that ends it. */
export function createGraphCommands(deps: GraphDeps) {
  const { db, clock, facts: ports, cuts } = deps;
  let loaded: Loaded | null = null;

  const build = async (): Promise<Loaded> => {
    const at = clock.now();
    const grants = await listGrants(db);
    const [apps, integrations, vault, people, vendors, tools, seen, covers] = await Promise.all([
      listApps(db),
      listIntegrations(db),
      vaultCredentials(db),
      ports.people(),
      ports.vendors(),
      ports.tools(),
      ports.traffic(at - TRAFFIC_MS),
      ports.covers(grants),
    ]);
    const { classificationOf } = ports;
    const own = { apps, integrations, grants, vaultCredentials: vault };
    const graph = assembleGraph({ ...own, people, vendors, tools, ...seen, covers, classificationOf });
    return { at, graph, tools };
  };

  const current = async (fresh = false): Promise<Loaded> => {
    if (fresh || loaded === null || clock.now() - loaded.at > GRAPH_AGE_MS_MAX) loaded = await build();
    return loaded;
  };

  const indexIn = (graph: Graph, id: string): number => {
    const index = graph.indexOf.get(id);
    if (index === undefined) throw new NotFound('There is no such node in the graph.', { node: id });
    return index;
  };

  const plan = async (id: string): Promise<CutPlan> => {
    const { graph, tools } = await current(true);
    const [grants, actions] = [await listGrants(db), await cuts.toolActions()];
    const actionsOf = (connection: string): readonly ToolAction[] => actions.get(connection) ?? [];
    return planCut({ graph, tools, grants, actionsOf }, indexIn(graph, id));
  };

  const carryOut = async (actor: Actor, target: CutTarget, reason: string, cutId: string): Promise<CutResult> => {
    try {
      if (target.act === 'revoke_integration') {
        const { cutOffId } = await cuts.revokeIntegration(actor, target.id, reason);
        return { target, outcome: 'done', evidence: cutOffId, problem: null };
      }
      if (target.act === 'remove_grant') {
        await cuts.removeGrant(actor, target.id);
        return { target, outcome: 'done', evidence: target.id, problem: null };
      }
      if (target.act === 'connector_action') {
        const run = await cuts.runAction(actor, target, `cut-${cutId}-${target.id}`.slice(0, 200));
        return { target, outcome: 'requested', evidence: run, problem: null };
      }
      return { target, outcome: 'manual', evidence: null, problem: null };
    } catch (error) {
      // One target that can't be cut must not leave the others open; what went wrong stands in the evidence.
      const problem = error instanceof Error ? error.message : String(error);
      return { target, outcome: 'failed', evidence: null, problem };
    }
  };

  return {
    async nodes(actor: Actor, query: { text?: string | undefined; kind?: NodeKind | undefined }) {
      authorize(actor, 'graph.read');
      const { graph, at } = await current();
      const text = query.text?.toLowerCase() ?? '';
      const counts: Partial<Record<NodeKind, number>> = {};
      const items: GraphNode[] = [];
      for (const node of graph.nodes) {
        counts[node.kind] = (counts[node.kind] ?? 0) + 1;
        const isMeant = query.kind === undefined || node.kind === query.kind;
        const isNamed = node.name.toLowerCase().includes(text) || node.id.toLowerCase() === text;
        if (items.length < NODES_MAX && isMeant && isNamed) items.push(node);
      }
      return { items, counts, nodes: graph.nodes.length, edges: graph.edgeFrom.length, at };
    },

    async radius(actor: Actor, id: string, limit: number): Promise<Radius & { neighbours: Neighbour[] }> {
      authorize(actor, 'graph.read');
      const { graph } = await current();
      const index = indexIn(graph, id);
      return { ...blastRadius(graph, index, limit), neighbours: neighboursOf(graph, index, limit).items };
    },

    async paths(actor: Actor, question: PathQuestion): Promise<PathAnswer> {
      authorize(actor, 'graph.read');
      const { graph } = await current();
      return answerPaths(graph, question);
    },

    /** The dry run of a cut: what would be done, and what only a person can do. */
    async planCut(actor: Actor, id: string): Promise<CutPlan> {
      authorize(actor, 'graph.read');
      return plan(id);
    },

    /**
     * Carries out a cut as it was shown. Throws `StateConflict` when the plan is another by now: whoever decides must
     * see what they decide on. Every target ends with its evidence or with what stood against it.
     */
    async cut(actor: Actor, id: string, input: { readonly digest: string; readonly reason: string }): Promise<Cut> {
      authorize(actor, 'graph.cut');
      const reason = input.reason.trim();
      if (reason.length < 3 || reason.length > REASON_CHARS_MAX) {
        throw new StateConflict('Say why, in 3 to 2000 characters: it is kept as evidence.');
      }
      const { node, targets, digest } = await plan(id);
      if (digest !== input.digest) {
        throw new StateConflict('What this cut would do has changed since it was shown. Look again, then decide.', {
          digest,
        });
      }
      if (targets.every(({ act }) => act === 'manual')) {
        throw new StateConflict('There is nothing here that Cordon can cut by itself.');
      }
      const at = clock.now();
      const cutId = uuidv7(at);
      const target = { type: node.kind, id: node.id, name: node.name };
      const by = describeActor(actor).name;
      await db.transaction(async (tx) => {
        await insertCut(tx, { id: cutId, node, reason, digest, targets, at, by });
        const detail = { cut: cutId, reason, digest, targets: targets.length };
        await appendAudit(tx, { actor, action: 'graph.cut_ordered', target, detail, at });
      });
      const results: CutResult[] = [];
      // One after the other: each takes the lock of the snapshot's version.
      for (const one of targets) results.push(await carryOut(actor, one, reason, cutId));
      loaded = null;
      return db.transaction(async (tx) => {
        const cut = await finishCut(tx, cutId, results, clock.now());
        const detail = {
          cut: cutId,
          results: results.map(({ target: { act, id: to }, outcome, evidence }) => ({
            act,
            id: to,
            outcome,
            evidence,
          })),
        };
        await appendAudit(tx, { actor, action: 'graph.cut_done', target, detail, at: clock.now() });
        return cut;
      });
    },
  };
}
export type GraphCommands = ReturnType<typeof createGraphCommands>;
