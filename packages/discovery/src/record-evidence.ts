import type { Database } from '@cordon/kernel';
import { appsOfBucket, insertApps, type NewApp, replaceUses, sumUses } from './app-store.ts';
import type { Catalogue } from './catalogue.ts';
import type { FoundUse } from './found-app.ts';

/** An app that Cordon serves already: what is known needs no review. */
export interface ServedApp {
  readonly title: string;
  /** Hosts of its upstream, or none. */
  readonly hosts: readonly string[];
}

const CLIENT_KEY_CHARS_MAX = 80;

/** The key of software that no catalogue knows, by the name under which it asks for grants. */
export function clientKeyOf(name: string): string {
  const slug = name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return `client-${slug.slice(0, CLIENT_KEY_CHARS_MAX) || 'nameless'}`;
}

/** Keys of the catalogue that stand for apps which Cordon serves, and the title of each. */
export function servedKeys(catalogue: Catalogue, served: readonly ServedApp[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { title, hosts } of served) {
    const apps = [...hosts.map((host) => catalogue.byHost(host)), catalogue.byClient(title)];
    for (const app of apps) if (app) found.set(app.id, title);
  }
  return found;
}

export interface Evidence {
  readonly evidence: FoundUse['evidence'];
  /** Where it comes from; what was known from there before is replaced. */
  readonly bucket: string;
  readonly uses: readonly FoundUse[];
  /** Names of software that the catalogue doesn't know, by key. */
  readonly names?: ReadonlyMap<string, string>;
}

/** Writes what one place tells, makes apps that are new, and sums up. Returns the keys of the new ones. */
export async function recordEvidence(
  db: Database,
  deps: { readonly catalogue: Catalogue; readonly served: readonly ServedApp[]; readonly now: number },
  { evidence, bucket, uses, names }: Evidence,
): Promise<string[]> {
  const served = servedKeys(deps.catalogue, deps.served);
  const apps = [...new Set(uses.map(({ app }) => app))].map((key): NewApp => {
    const known = deps.catalogue.find(key);
    const title = served.get(key);
    return {
      key,
      name: known?.name ?? names?.get(key) ?? key,
      company: known?.company ?? null,
      category: known?.category ?? null,
      state: title === undefined ? 'new' : 'sanctioned',
      reason: title === undefined ? null : `Cordon serves it as ${title}`,
    };
  });
  return db.transaction(async (tx) => {
    const before = await appsOfBucket(tx, evidence, bucket);
    const made = await insertApps(tx, apps, deps.now);
    await replaceUses(tx, uses, { evidence, bucket });
    await sumUses(tx, [...new Set([...before, ...apps.map(({ key }) => key)])]);
    return made;
  });
}
