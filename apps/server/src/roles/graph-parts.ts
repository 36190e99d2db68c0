import { loadDetectors } from '@cordon/classifier';
import {
  type ActionCommands,
  ENTITIES_PAGE_MAX,
  listConnections,
  listEntities,
  type Manifests,
} from '@cordon/connectors';
import {
  CLASSIFICATIONS,
  type CutPorts,
  createGraphCommands,
  type EntityFact,
  type Estate,
  type GraphPorts,
  type ToolAction,
  type ToolFact,
} from '@cordon/estate';
import type { Actor, Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { covers, type OperationFacts, parseUnknownOperation } from '@cordon/policy';
import { listVendors } from '@cordon/vendors';

/** Entities of one connection that the graph takes in; beyond, the rest is left out. */
const ENTITIES_MAX = 100_000;
const TRAFFIC_ROWS_MAX = 10_000;
const KINDS = new Set(['account', 'group', 'grant', 'credential']);

async function entitiesOf(db: Database, connectionId: string): Promise<EntityFact[]> {
  const found: EntityFact[] = [];
  let after: string | undefined;
  do {
    const page = await listEntities(db, { connectionId, limit: ENTITIES_PAGE_MAX, ...(after ? { after } : {}) });
    for (const { entity } of page.items) {
      if (KINDS.has(entity.type)) found.push(entity as EntityFact); // these four kinds have what the graph reads
    }
    after = page.next ?? undefined;
  } while (after !== undefined && found.length < ENTITIES_MAX);
  return found;
}

/** Connected tools with what is in them. */
export async function readTools(db: Database, manifests: Manifests): Promise<ToolFact[]> {
  const found: ToolFact[] = [];
  for (const { id, app, name, credential } of await listConnections(db)) {
    const title = manifests.find(app)?.manifest.title ?? app;
    const entities = await entitiesOf(db, id);
    found.push({ connectionId: id, app, title, name, credentialAt: credential.createdAt, entities });
  }
  return found;
}

/** The most harmful label of a class; what no detector knows counts as confidential. */
function classifier(): GraphPorts['classificationOf'] {
  const labels = new Map<string, number>();
  for (const detector of loadDetectors()) {
    const rank = CLASSIFICATIONS.indexOf(detector.label);
    labels.set(detector.class, Math.max(labels.get(detector.class) ?? 0, rank));
  }
  return (dataClass) => CLASSIFICATIONS[labels.get(dataClass) ?? 2] ?? 'confidential';
}

/** Whether grants cover operations, by the operations that their apps describe. */
export async function createCovers(
  appIds: Iterable<string>,
  operationsOf: (appId: string) => Promise<readonly OperationFacts[]>,
): Promise<(appId: string, operationId: string) => OperationFacts | undefined> {
  const tables = new Map<string, ReadonlyMap<string, OperationFacts>>();
  for (const appId of new Set(appIds)) {
    tables.set(appId, new Map((await operationsOf(appId)).map((operation) => [operation.id, operation])));
  }
  return (appId, id) => parseUnknownOperation(id) ?? tables.get(appId)?.get(id);
}

/** What the connectors of connected tools can do, by connection. */
export async function readToolActions(db: Database, manifests: Manifests) {
  const found = new Map<string, readonly ToolAction[]>();
  for (const { id, app } of await listConnections(db)) {
    const specs = Object.entries(manifests.find(app)?.manifest.actions ?? {});
    const list = specs.map(([name, { title, kind, input, state, undo }]) => ({
      name,
      title,
      kind,
      input: Object.entries(input).flatMap(([field, { required }]) => (required ? [field] : [])),
      canVerify: state !== undefined,
      canUndo: undo.length > 0,
    }));
    found.set(id, list);
  }
  return found;
}

function createCutPorts(estate: Estate, db: Database, manifests: Manifests, actions: ActionCommands): CutPorts {
  return {
    revokeIntegration: (actor, id, reason) => estate.integrations.revoke(actor, id, reason),
    removeGrant: (actor, id) => estate.grants.remove(actor, id),
    toolActions: () => readToolActions(db, manifests),
    async runAction(actor, { connectionId, action, input }, idempotencyKey) {
      const run = await actions.request(actor, { connectionId, action, input, mode: 'run', idempotencyKey });
      return run.id;
    },
  };
}

export interface GraphPartsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly estate: Estate;
  readonly manifests: Manifests;
  readonly connectorActions: ActionCommands;
  readonly people: (actor: Actor) => Promise<readonly { id: string; email: string; name: string }[]>;
  readonly operationsOf: (appId: string) => Promise<readonly OperationFacts[]>;
}

/** What the graph asks of connectors, vendors, the lake and identity. */
export function createGraphParts(deps: GraphPartsDeps) {
  const { db, clock, lake, estate, manifests } = deps;
  const facts: GraphPorts = {
    people: () => deps.people({ kind: 'system', name: 'graph' }),
    vendors: async () => (await listVendors(db)).map(({ id, name, appIds }) => ({ id, name, appIds })),
    tools: () => readTools(db, manifests),
    async traffic(from) {
      const to = clock.now() + 1;
      const [rows, seen] = await Promise.all([
        lake.traffic({ by: ['app', 'integration'], from, to, limit: TRAFFIC_ROWS_MAX }),
        lake.usage.exposure({ from, to }),
      ]);
      const traffic = rows.flatMap(({ app, integration, calls, refusals, lastAt }) =>
        app && integration && calls > refusals
          ? [{ integrationId: integration.id, appId: app.id, calls: calls - refusals, lastAt }]
          : [],
      );
      return { traffic, seen };
    },
    async covers(grants) {
      const find = await createCovers(
        grants.map(({ appId }) => appId),
        deps.operationsOf,
      );
      return (grant, id) => {
        const operation = find(grant.appId, id);
        return operation !== undefined && grant.select.some((selector) => covers(selector, operation));
      };
    },
    classificationOf: classifier(),
  };
  const cuts = createCutPorts(estate, db, manifests, deps.connectorActions);
  return { graph: createGraphCommands({ db, clock, facts, cuts }) };
}
