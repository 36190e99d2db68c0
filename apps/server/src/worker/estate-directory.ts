import type { EstateDirectory } from '@cordon/enrichment';
import { listApps } from '@cordon/estate';
import { LABELS, type Label, listSets } from '@cordon/governance';
import type { Database } from '@cordon/kernel';

/** Who is known, by address. */
export type LoadPeople = () => Promise<
  readonly { readonly id: string; readonly email: string; readonly name: string }[]
>;

type KnownApp = NonNullable<ReturnType<EstateDirectory['appById']>>;

const SETS_MAX = 20_000;

/** The strictest label of an app's data sets, by the app's name. */
async function strictestLabels(db: Database): Promise<ReadonlyMap<string, Label>> {
  const labels = new Map<string, Label>();
  let after: string | undefined;
  for (let read = 0; read < SETS_MAX;) {
    const sets = await listSets(db, { after });
    for (const { app, label } of sets) {
      const before = labels.get(app);
      if (before === undefined || LABELS.indexOf(label) > LABELS.indexOf(before)) labels.set(app, label);
    }
    const last = sets.at(-1);
    if (!last) break;
    read += sets.length;
    after = `${last.app}/${last.object}`;
  }
  return labels;
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname.toLowerCase() : '');
const NAMES_OF_PRODUCTS: Readonly<Record<string, readonly string[]>> = {
  google_workspace: ['google', 'google-workspace', 'gmail', 'drive'],
  microsoft365: ['microsoft', 'microsoft-365', 'office365', 'graph'],
  entra: ['microsoft', 'entra-id', 'azure-ad', 'graph'],
  atlassian: ['jira', 'confluence'],
  onepassword: ['1password'],
};

/** The estate as it is now, for enrichment: apps by id, product or host, people by address. */
export async function loadEstateDirectory(db: Database, loadPeople: LoadPeople): Promise<EstateDirectory> {
  const [apps, labels, people] = await Promise.all([listApps(db), strictestLabels(db), loadPeople()]);
  const byId = new Map<string, KnownApp>();
  const byName = new Map<string, KnownApp>();
  const byHost = new Map<string, KnownApp>();
  for (const { id, name, title, settings } of apps) {
    const app = { id, name: title, label: labels.get(name) ?? labels.get(id) ?? null };
    byId.set(id, app);
    byName.set(name.toLowerCase(), app);
    for (const url of [settings.upstream, ...settings.hosts.map(({ upstream }) => upstream)])
      byHost.set(hostOf(url), app);
  }
  const byEmail = new Map(people.map(({ id, email, name }) => [email.toLowerCase(), { id, name }]));
  return {
    appById: (id) => byId.get(id) ?? null,
    app(product, host) {
      const names = [product, product.replaceAll('_', '-'), ...(NAMES_OF_PRODUCTS[product] ?? [])];
      for (const name of names) {
        const found = byName.get(name);
        if (found) return found;
      }
      return host === '' ? null : (byHost.get(host.toLowerCase()) ?? null);
    },
    person: (email) => byEmail.get(email) ?? null,
  };
}
