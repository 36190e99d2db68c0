import type { Draft } from './draft.ts';
import type { EntityFact, ToolFact } from './graph-facts.ts';
import type { GraphNode, NodeKind } from './node.ts';

type Fact<Type extends EntityFact['type']> = Extract<EntityFact, { type: Type }>;

/** Kinds of grants that are things of their own; the others are links between account and group. */
const GRANT_NODES: Readonly<Record<string, NodeKind>> = {
  oauth: 'oauth_grant',
  installed_app: 'installed_app',
  api: 'api_grant',
  webhook: 'webhook',
  automation: 'automation',
  agent: 'agent',
};

const SERVICE_ACCOUNTS = new Set(['service', 'bot']);
const ENDED = new Set(['suspended', 'deleted', 'revoked', 'expired']);

function instant(text: string | null | undefined): number | undefined {
  const ms = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

type Moments = Pick<GraphNode, 'createdAt' | 'lastUsedAt' | 'expiresAt'>;

function momentsOf(fact: {
  readonly createdAt?: string | null | undefined;
  readonly lastUsedAt?: string | null | undefined;
  readonly expiresAt?: string | null | undefined;
}): Moments {
  const [createdAt, lastUsedAt, expiresAt] = [fact.createdAt, fact.lastUsedAt, fact.expiresAt].map(instant);
  return {
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** What one connected tool shows. The tool and an app of the same name behind the gateway are one node. */
export function addTool(draft: Draft, tool: ToolFact): void {
  const app =
    draft.appNamed(tool.app, tool.title) ??
    draft.add({
      id: `tool:${tool.app}`,
      kind: 'app',
      name: tool.title,
      reference: { type: 'connection', id: tool.connectionId },
      sanctioned: true,
    });
  draft.nameApp(tool.app, app);
  draft.nameApp(tool.title, app);
  draft.add({
    id: `connection:${tool.connectionId}`,
    kind: 'credential',
    name: `Connection ${tool.name}`,
    reference: { type: 'connection', id: tool.connectionId },
    app: tool.title,
    createdAt: tool.credentialAt,
  });
  draft.link(`connection:${tool.connectionId}`, app, 'opens');
  const adder = new ToolAdder(draft, tool, app);
  // Accounts and groups first: what refers to them finds them then.
  for (const fact of tool.entities) if (fact.type === 'account') adder.addAccount(fact);
  for (const fact of tool.entities) if (fact.type === 'group') adder.addGroup(fact);
  for (const fact of tool.entities) {
    if (fact.type === 'grant') adder.addGrant(fact);
    else if (fact.type === 'credential') adder.addCredential(fact);
  }
}

class ToolAdder {
  readonly #draft: Draft;
  readonly #tool: ToolFact;
  readonly #app: string;
  readonly #accounts = new Map<string, string>();

  constructor(draft: Draft, tool: ToolFact, app: string) {
    this.#draft = draft;
    this.#tool = tool;
    this.#app = app;
  }

  #entity(kind: string, id: string): GraphNode['reference'] {
    return { type: 'entity', id, connectionId: this.#tool.connectionId, entityKind: kind };
  }

  #key(kind: string, id: string): string {
    return `${kind}:${this.#tool.connectionId}:${id}`;
  }

  addAccount(fact: Fact<'account'>): void {
    const name = fact.name ?? fact.login ?? fact.email ?? fact.id;
    const isPerson = !SERVICE_ACCOUNTS.has(fact.kind) && fact.kind !== 'agent';
    const address = fact.email ?? (fact.login?.includes('@') ? fact.login : null);
    const node =
      isPerson && address
        ? this.#draft.personByEmail(address, name)
        : this.#draft.add({
            id: this.#key('account', fact.id),
            kind: isPerson ? 'person' : fact.kind === 'agent' ? 'agent' : 'service_account',
            name,
            reference: this.#entity('account', fact.id),
            app: this.#tool.title,
            status: fact.status,
            ...momentsOf({ createdAt: fact.createdAt, lastUsedAt: fact.lastActiveAt }),
          });
    this.#accounts.set(fact.id, node);
    // A suspended account opens nothing.
    if (!ENDED.has(fact.status)) this.#draft.linkOnce(node, this.#app, 'uses');
  }

  #group(id: string, name: string): string {
    return this.#draft.add({
      id: this.#key('group', id),
      kind: 'group',
      name,
      reference: this.#entity('group', id),
      app: this.#tool.title,
    });
  }

  addGroup(fact: Fact<'group'>): void {
    const group = this.#group(fact.id, fact.name);
    for (const member of fact.members ?? []) {
      const account = this.#accounts.get(member);
      if (account !== undefined) this.#draft.linkOnce(account, group, 'member');
    }
  }

  /** Software that holds a grant: an app that Cordon knows, or one that nobody has decided on. */
  #client(fact: Fact<'grant'>): string | null {
    const { client, subject, endpoint } = fact;
    const isSoftware = subject.kind === 'app' || subject.kind === 'integration';
    if (!client && !isSoftware && !endpoint?.url) return null;
    const host = endpoint?.url && URL.canParse(endpoint.url) ? new URL(endpoint.url).hostname : undefined;
    const name = client?.name ?? (isSoftware ? subject.name : undefined) ?? host ?? client?.id ?? subject.id;
    const node =
      this.#draft.appNamed(name) ??
      this.#draft.add({
        id: `client:${name.toLowerCase()}`,
        kind: 'app',
        name,
        reference: { type: 'none', id: client?.id ?? subject.id },
        sanctioned: client?.own === true,
      });
    if (client?.publisher) this.#draft.linkOnce(this.#draft.vendorNamed(client.publisher), node, 'operates');
    return node;
  }

  addGrant(fact: Fact<'grant'>): void {
    if (ENDED.has(fact.status)) return;
    const kind = GRANT_NODES[fact.kind];
    if (kind === undefined) return this.#addMembership(fact);
    const client = this.#client(fact);
    const holder = fact.subject.kind === 'account' ? this.#accounts.get(fact.subject.id) : undefined;
    const giver = fact.grantedBy ? this.#accounts.get(fact.grantedBy) : undefined;
    const clientName = client === null ? undefined : this.#draft.nodes.get(client)?.name;
    const node = this.#draft.add({
      id: this.#key('grant', fact.id),
      kind,
      name: `${clientName ?? fact.subject.name ?? fact.subject.id} in ${this.#tool.title}`,
      reference: this.#entity('grant', fact.id),
      app: this.#tool.title,
      status: fact.status,
      ...(fact.scopes ? { scopes: fact.scopes } : {}),
      ...momentsOf(fact),
    });
    if (client !== null) this.#draft.linkOnce(client, node, 'holds');
    for (const person of [holder, giver]) {
      if (person !== undefined) this.#draft.linkOnce(person, client ?? node, client === null ? 'holds' : 'uses');
    }
    this.#draft.linkOnce(node, this.#app, 'reaches');
  }

  #addMembership({ subject, object }: Fact<'grant'>): void {
    const from = this.#accounts.get(subject.id);
    if (from === undefined) return;
    if (object.kind === 'group' || object.kind === 'role') {
      this.#draft.linkOnce(from, this.#group(object.id, object.name ?? object.id), 'member');
    } else if (object.kind === 'app') {
      const name = object.name ?? object.id;
      const app =
        this.#draft.appNamed(name) ??
        this.#draft.add({
          id: `client:${name.toLowerCase()}`,
          kind: 'app',
          name,
          reference: { type: 'none', id: object.id },
          sanctioned: false,
        });
      this.#draft.linkOnce(from, app, 'uses');
    }
  }

  addCredential(fact: Fact<'credential'>): void {
    if (ENDED.has(fact.status)) return;
    const node = this.#draft.add({
      id: this.#key('credential', fact.id),
      kind: 'api_key',
      name: fact.name ?? `${fact.kind.replaceAll('_', ' ')} ${fact.id}`,
      reference: this.#entity('credential', fact.id),
      app: this.#tool.title,
      status: fact.status,
      ...(fact.scopes ? { scopes: fact.scopes } : {}),
      ...momentsOf(fact),
    });
    const owner = fact.ownerId ? this.#accounts.get(fact.ownerId) : undefined;
    if (owner !== undefined) this.#draft.linkOnce(owner, node, 'holds');
    this.#draft.linkOnce(node, this.#app, 'opens');
  }
}
