import { addTool } from './assemble-tool.ts';
import { Draft } from './draft.ts';
import { buildGraph, type Graph } from './graph.ts';
import type { GraphFacts } from './graph-facts.ts';
import type { EdgeKind } from './node.ts';

/** Makes the graph of everything that is known. Says what may be reached, and beside it what was. */
export function assembleGraph(facts: GraphFacts): Graph {
  const draft = new Draft();
  for (const { id, email, name } of facts.people) draft.knowPerson(id, email, name);
  addApps(draft, facts);
  addIntegrations(draft, facts);
  addTraffic(draft, facts);
  addVendors(draft, facts);
  for (const tool of facts.tools) addTool(draft, tool);
  return buildGraph(draft.nodes.values(), draft.edges);
}

function addApps(draft: Draft, facts: GraphFacts): void {
  for (const { id, name, title, owner, createdAt } of facts.apps) {
    draft.add({
      id: `app:${id}`,
      kind: 'app',
      name: title,
      reference: { type: 'app', id },
      sanctioned: true,
      createdAt,
      ...(owner ? { owner: owner.name } : {}),
    });
    draft.nameApp(name, `app:${id}`);
    draft.nameApp(title, `app:${id}`);
    if (owner) draft.link(draft.person(owner.id, owner.name), `app:${id}`, 'owns');
  }
  for (const { id, appId, createdAt } of facts.vaultCredentials) {
    const app = draft.nodes.get(`app:${appId}`);
    if (!app) continue;
    const reference = { type: 'vault_credential', id } as const;
    draft.add({
      id: `vault:${id}`,
      kind: 'credential',
      name: `Vendor credential of ${app.name}`,
      reference,
      app: app.name,
      createdAt,
    });
    draft.link(`vault:${id}`, `app:${appId}`, 'opens');
  }
}

const INTEGRATION_NODES: Readonly<Record<string, 'agent' | 'webhook' | 'automation'>> = {
  agent: 'agent',
  webhook: 'webhook',
  automation: 'automation',
};

function addIntegrations(draft: Draft, { integrations, grants }: GraphFacts): void {
  const live = new Set<string>();
  for (const one of integrations) {
    const node = `integration:${one.id}`;
    if (one.status === 'active') live.add(one.id);
    draft.add({
      id: node,
      kind: INTEGRATION_NODES[one.kind] ?? 'integration',
      name: one.name,
      reference: { type: 'integration', id: one.id },
      status: one.status,
      owner: one.owner.name,
      createdAt: one.createdAt,
      ...(one.expiresAt === null ? {} : { expiresAt: one.expiresAt }),
    });
    draft.link(draft.person(one.owner.id, one.owner.name), node, 'owns');
  }
  // Who is cut off reaches nothing, whatever was granted.
  for (const grant of grants) {
    if (live.has(grant.integrationId))
      draft.link(`integration:${grant.integrationId}`, `app:${grant.appId}`, 'granted');
  }
}

/** What was seen makes data sets; who is granted an operation that showed a class may see that class. */
function addTraffic(draft: Draft, { traffic, seen, grants, integrations, covers, classificationOf }: GraphFacts): void {
  for (const { integrationId, appId, ...measures } of traffic) {
    draft.link(`integration:${integrationId}`, `app:${appId}`, 'reached', measures);
  }
  const active = new Set(integrations.filter(({ status }) => status === 'active').map(({ id }) => id));
  const byApp = Map.groupBy(
    grants.filter(({ integrationId }) => active.has(integrationId)),
    ({ appId }) => appId,
  );
  const sums = new Map<string, { from: string; to: string; calls: number; values: number; lastAt: number }>();
  const may = new Set<string>();
  for (const row of seen) {
    const app = draft.nodes.get(`app:${row.appId}`);
    if (!app) continue;
    const to = `data:${row.appId}:${row.dataClass}`;
    draft.add({
      id: to,
      kind: 'data_set',
      name: `${row.dataClass} in ${app.name}`,
      reference: { type: 'none', id: '' },
      classification: classificationOf(row.dataClass),
      dataClass: row.dataClass,
      app: app.name,
    });
    draft.linkOnce(app.id, to, 'holds');
    const from = `integration:${row.integrationId}`;
    const sum = sums.get(`${from} ${to}`) ?? { from, to, calls: 0, values: 0, lastAt: 0 };
    sum.calls += row.calls;
    sum.values += row.values;
    sum.lastAt = Math.max(sum.lastAt, row.lastAt);
    sums.set(`${from} ${to}`, sum);
    for (const grant of byApp.get(row.appId) ?? []) {
      const key = `${grant.integrationId} ${to}`;
      if (may.has(key) || !covers(grant, row.operation)) continue;
      may.add(key);
      draft.link(`integration:${grant.integrationId}`, to, 'may_see' satisfies EdgeKind);
    }
  }
  for (const { from, to, ...measures } of sums.values()) draft.link(from, to, 'saw', measures);
}

function addVendors(draft: Draft, { vendors }: GraphFacts): void {
  for (const { id, name, appIds } of vendors) {
    draft.add({ id: `vendor:${id}`, kind: 'vendor', name, reference: { type: 'vendor', id } });
    draft.nameVendor(name, `vendor:${id}`);
    for (const appId of appIds) draft.link(`vendor:${id}`, `app:${appId}`, 'operates');
  }
}
