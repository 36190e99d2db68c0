import { createHash } from 'node:crypto';
import type { Grant } from '../grant.ts';
import { edgeKindOf, type Graph } from './graph.ts';
import type { EntityFact, ToolFact } from './graph-facts.ts';
import type { GraphNode } from './node.ts';

/** An action of a connector, as far as a cut needs to know it. */
export interface ToolAction {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  /** Names of the inputs that it requires. */
  readonly input: readonly string[];
  readonly canVerify: boolean;
  readonly canUndo: boolean;
}

export type CutTarget =
  | { readonly act: 'revoke_integration'; readonly id: string; readonly name: string; readonly why: string }
  | { readonly act: 'remove_grant'; readonly id: string; readonly name: string; readonly why: string }
  | {
      readonly act: 'connector_action';
      readonly id: string;
      readonly name: string;
      readonly why: string;
      readonly connectionId: string;
      readonly action: string;
      readonly input: Readonly<Record<string, string>>;
      readonly canVerify: boolean;
      readonly canUndo: boolean;
    }
  /** Nothing that Cordon could do by itself: what a person has to do. */
  | { readonly act: 'manual'; readonly id: string; readonly name: string; readonly why: string };

export interface CutPlan {
  readonly node: GraphNode;
  readonly targets: readonly CutTarget[];
  /** Of node and targets: a cut is only carried out as it was shown. */
  readonly digest: string;
}

export interface CutFacts {
  readonly graph: Graph;
  readonly grants: readonly Grant[];
  readonly tools: readonly ToolFact[];
  /** Actions of a connection. */
  readonly actionsOf: (connectionId: string) => readonly ToolAction[];
}

const KINDS_OF: Readonly<Record<string, readonly string[]>> = {
  grant: ['revoke_grant'],
  credential: ['revoke_key', 'revoke_grant'],
  account: ['suspend_user'],
};

/** Inputs that name a credential, and the prefixes of ids that they take. */
const CREDENTIAL_INPUTS: Readonly<Record<string, readonly string[]>> = {
  token: ['pat', 'token'],
  key: ['key'],
  credential: ['authorization', 'credential'],
};

/** Ids of entities carry the stream's prefix (`hook:17`); tools want what comes after. */
const bare = (id: string): string => id.slice(id.indexOf(':') + 1);

/** The value of an action's input that an entity gives, or nothing: a guess would act on something else. */
function inputOf(name: string, fact: EntityFact): string | undefined {
  if (fact.type === 'account') return name === 'user' || name === 'account' ? fact.id : undefined;
  if (fact.type === 'credential') {
    // The stream's prefix says which of a tool's actions knows this id: another would find nothing, and take that for done.
    if (CREDENTIAL_INPUTS[name]?.includes(fact.id.split(':', 1)[0] ?? '')) return bare(fact.id);
    if (name === 'repository') {
      const repository = fact.attributes?.['repository'];
      return typeof repository === 'string' ? repository : undefined;
    }
    return name === 'user' && fact.ownerKind === 'account' ? (fact.ownerId ?? undefined) : undefined;
  }
  if (fact.type !== 'grant') return undefined;
  const isHook = fact.kind === 'webhook';
  if (name === 'hook' || name === 'webhook') return isHook ? bare(fact.id) : undefined;
  if (isHook) return undefined;
  if (name === 'grant') return fact.id.startsWith('grant:') || !fact.id.includes(':') ? bare(fact.id) : undefined;
  if (name === 'client') return fact.client?.id ?? undefined;
  if (name === 'app') return fact.subject.kind === 'app' ? fact.subject.id : (fact.client?.id ?? undefined);
  return name === 'user' && fact.subject.kind === 'account' ? fact.subject.id : undefined;
}

/** The first action of these kinds whose every required input the entity itself gives. */
export function actionFor(
  fact: EntityFact,
  actions: readonly ToolAction[],
  kinds: readonly string[] = KINDS_OF[fact.type] ?? [],
): { readonly action: ToolAction; readonly input: Readonly<Record<string, string>> } | null {
  for (const action of actions) {
    if (!kinds.includes(action.kind)) continue;
    const input = action.input.map((field) => [field, inputOf(field, fact)] as const);
    if (input.some(([, value]) => value === undefined)) continue;
    return { action, input: Object.fromEntries(input.map(([field, value]) => [field, value ?? ''])) };
  }
  return null;
}

class Planner {
  readonly #facts: CutFacts;
  readonly targets = new Map<string, CutTarget>();

  constructor(facts: CutFacts) {
    this.#facts = facts;
  }

  #add(target: CutTarget): void {
    const key = `${target.act} ${target.id}`;
    if (!this.targets.has(key)) this.targets.set(key, target);
  }

  #nodesBy(index: number, direction: 'out' | 'in', kinds: readonly string[]): number[] {
    const { graph } = this.#facts;
    const { start, edges } = graph[direction];
    const found: number[] = [];
    for (let at = start[index] ?? 0; at < (start[index + 1] ?? 0); at++) {
      const edge = edges[at]!; // within the range
      if (kinds.includes(edgeKindOf(graph, edge))) {
        found.push((direction === 'out' ? graph.edgeTo : graph.edgeFrom)[edge]!);
      }
    }
    return found;
  }

  plan(index: number, why: string): void {
    const node = this.#facts.graph.nodes[index]!; // an index of the graph
    const { type } = node.reference;
    if (type === 'integration') this.#integration(node, why);
    else if (type === 'vault_credential' || (type === 'connection' && node.kind === 'credential')) {
      this.#add({
        act: 'manual',
        id: node.id,
        name: node.name,
        why: `Replace it: make a new one at the vendor of ${node.app ?? 'the app'}, give it to Cordon, and revoke the old one there.`,
      });
    } else if (type === 'entity') this.#entity(node, why);
    else if (node.kind === 'vendor') {
      for (const app of this.#nodesBy(index, 'out', ['operates'])) this.plan(app, `of ${node.name}`);
    } else if (node.kind === 'app') this.#app(index, node);
    else if (node.kind === 'person') this.#person(index, node);
  }

  #integration(node: GraphNode, why: string): void {
    if (node.status === 'revoked') return;
    this.#add({ act: 'revoke_integration', id: node.reference.id, name: node.name, why });
  }

  /** An integration that serves other apps too loses only its grants on this one. */
  #app(index: number, node: GraphNode): void {
    const { graph, grants } = this.#facts;
    const appId = node.reference.type === 'app' ? node.reference.id : null;
    const byIntegration = Map.groupBy(grants, ({ integrationId }) => integrationId);
    for (const [integrationId, all] of byIntegration) {
      const theirs = all.filter((grant) => grant.appId === appId);
      const at = graph.indexOf.get(`integration:${integrationId}`);
      const integration = at === undefined ? undefined : graph.nodes[at];
      if (theirs.length === 0 || !integration || integration.status === 'revoked') continue;
      if (theirs.length === all.length) this.#integration(integration, `reaches ${node.name} and nothing else`);
      else {
        for (const { id, name } of theirs) {
          const text = `${integration.name}: grant ${name} on ${node.name}`;
          this.#add({ act: 'remove_grant', id, name: text, why: `${integration.name} has grants on other apps too` });
        }
      }
    }
    for (const grant of this.#nodesBy(index, 'out', ['holds'])) {
      if (graph.nodes[grant]?.kind !== 'data_set') this.plan(grant, `held by ${node.name}`);
    }
  }

  #person(index: number, node: GraphNode): void {
    for (const owned of this.#nodesBy(index, 'out', ['owns', 'holds'])) {
      if (this.#facts.graph.nodes[owned]?.kind !== 'app') this.plan(owned, `of ${node.name}`);
    }
    const address = node.reference.id;
    for (const tool of this.#facts.tools) {
      const theirs = tool.entities.filter(
        (fact) =>
          fact.type === 'account' &&
          (fact.email?.toLowerCase() === address || fact.login?.toLowerCase() === address) &&
          fact.status === 'active',
      );
      const ids = new Set(theirs.map(({ id }) => id));
      for (const fact of theirs) this.#act(tool, fact, `${node.name} in ${tool.title}`, 'their account');
      for (const fact of tool.entities) {
        const isTheirs = fact.type === 'grant' && fact.subject.kind === 'account' && ids.has(fact.subject.id);
        if (isTheirs && fact.client) {
          this.#act(tool, fact, `${fact.client.name ?? fact.id} in ${tool.title}`, `connected by ${node.name}`);
        }
      }
    }
  }

  #entity(node: GraphNode, why: string): void {
    const { connectionId, id, entityKind } = node.reference;
    const tool = this.#facts.tools.find((one) => one.connectionId === connectionId);
    const fact = tool?.entities.find((one) => one.type === entityKind && one.id === id);
    if (tool && fact) this.#act(tool, fact, node.name, why);
  }

  #act(tool: ToolFact, fact: EntityFact, name: string, why: string): void {
    const id = `${tool.connectionId}/${fact.type}/${fact.id}`;
    const found = actionFor(fact, this.#facts.actionsOf(tool.connectionId));
    if (found) {
      const { canVerify, canUndo } = found.action;
      const rest = {
        connectionId: tool.connectionId,
        action: found.action.name,
        input: found.input,
        canVerify,
        canUndo,
      };
      this.#add({ act: 'connector_action', id, name: `${name}: ${found.action.title}`, why, ...rest });
      return;
    }
    const text = `The connector of ${tool.title} has no action for it: end ${fact.type} ${fact.id} in ${tool.title} itself.`;
    this.#add({ act: 'manual', id, name, why: text });
  }
}

/** The least that takes away what a node can reach, by commands that exist. Changes nothing. */
export function planCut(facts: CutFacts, index: number): CutPlan {
  const planner = new Planner(facts);
  planner.plan(index, 'the node itself');
  const node = facts.graph.nodes[index]!; // an index of the graph
  const targets = [...planner.targets.values()].sort((a, b) => `${a.act} ${a.id}`.localeCompare(`${b.act} ${b.id}`));
  const digest = createHash('sha256')
    .update(JSON.stringify([node.id, targets]))
    .digest('hex');
  return { node, targets, digest };
}
