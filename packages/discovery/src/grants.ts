import type { Catalogue } from './catalogue.ts';
import type { FoundUse } from './found-app.ts';
import { readHost } from './host.ts';
import { clientKeyOf } from './record-evidence.ts';

/** A grant as a connector shows it, as far as discovery needs to know it. */
export interface GrantFact {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly subject: { readonly kind: string; readonly id: string; readonly name?: string | null | undefined };
  readonly client?:
    | {
        readonly name?: string | null | undefined;
        readonly url?: string | null | undefined;
        readonly own?: boolean | null | undefined;
      }
    | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly grantedBy?: string | null | undefined;
  readonly createdAt?: string | null | undefined;
  readonly lastUsedAt?: string | null | undefined;
  readonly endpoint?: { readonly url?: string | null | undefined } | undefined;
}

const SOFTWARE = new Set(['oauth', 'installed_app', 'api', 'automation', 'agent', 'webhook']);

/** Which app a grant is of, and the name of software that no catalogue knows. Null: it is of no other software. */
export function appOfGrant(catalogue: Catalogue, fact: GrantFact): { key: string; name: string } | null {
  if (!SOFTWARE.has(fact.kind) || fact.status === 'revoked' || fact.client?.own === true) return null;
  if (fact.kind === 'webhook') {
    const host = readHost(fact.endpoint?.url ?? '');
    const app = host === null ? undefined : catalogue.byHost(host);
    return app ? { key: app.id, name: app.name } : null;
  }
  const name = fact.client?.name ?? (fact.subject.kind === 'app' ? fact.subject.name : null) ?? null;
  // An address often is the page in the tool's own marketplace: it tells only of software without a name.
  const host = name === null ? readHost(fact.client?.url ?? '') : null;
  const app = name === null ? (host === null ? undefined : catalogue.byHost(host)) : catalogue.byClient(name);
  if (app) return { key: app.id, name: app.name };
  return name === null || name.trim() === '' ? null : { key: clientKeyOf(name), name: name.trim() };
}

const momentOf = (text: string | null | undefined): number | null => {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : at;
};

/** What the grants of one connected tool tell: which software people let into it. */
export function usesOfGrants(
  catalogue: Catalogue,
  connection: { readonly id: string; readonly name: string },
  grants: readonly GrantFact[],
  people: ReadonlyMap<string, string>,
  now: number,
): { uses: FoundUse[]; names: Map<string, string> } {
  const names = new Map<string, string>();
  const found = new Map<string, FoundUse>();
  for (const fact of grants) {
    const app = appOfGrant(catalogue, fact);
    if (!app) continue;
    names.set(app.key, app.name);
    const holder = fact.subject.kind === 'account' ? fact.subject.id : fact.grantedBy;
    const who = (holder ? (people.get(holder) ?? holder) : '').toLowerCase();
    const at = momentOf(fact.createdAt) ?? now;
    const lastAt = Math.max(at, momentOf(fact.lastUsedAt) ?? at);
    const before = found.get(`${app.key}\0${who}`);
    const scopes = [...new Set([...(before?.detail?.split(', ') ?? []), ...(fact.scopes ?? [])])].filter(
      (one) => one !== '',
    );
    found.set(`${app.key}\0${who}`, {
      app: app.key,
      evidence: fact.kind === 'webhook' ? 'webhook' : 'grant',
      bucket: connection.id,
      who,
      source: connection.name,
      detail: scopes.length === 0 ? null : scopes.join(', ').slice(0, 500),
      firstAt: Math.min(at, before?.firstAt ?? at),
      lastAt: Math.max(lastAt, before?.lastAt ?? lastAt),
      events: (before?.events ?? 0) + 1,
      bytes: 0,
    });
  }
  return { uses: [...found.values()], names };
}
