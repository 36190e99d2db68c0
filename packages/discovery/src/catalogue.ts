import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CatalogueInvalid } from './errors.ts';
import { suffixesOf } from './host.ts';

const domain = z
  .string()
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/)
  .max(253);
const key = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(80);
const text = z.string().min(1).max(200);
const source = z.url({ protocol: /^https$/ });

const hint = z.strictObject({ text, weight: z.int().min(1).max(50), source });
const hintsFile = z.strictObject({ hints: z.record(key, hint), categories: z.record(key, hint) });
const incidentsFile = z.strictObject({
  incidents: z.array(z.strictObject({ app: key, year: z.int().min(2000).max(2100), text, source })),
});
const appsFile = z.strictObject({
  category: key,
  title: text,
  apps: z.array(
    z.strictObject({
      id: key,
      name: text,
      company: text,
      domains: z.array(domain).min(1).max(20),
      /** Names under which it asks for OAuth grants, besides its own. */
      clients: z.array(text).max(20).default([]),
      ai: z.boolean().default(false),
      hints: z.array(key).max(10).default([]),
    }),
  ),
});

/** Why something deserves a look, and where that can be read. */
export interface RiskHint {
  readonly code: string;
  readonly text: string;
  /** Points, of 100. */
  readonly weight: number;
  /** https address; null: seen by Cordon itself. */
  readonly source: string | null;
}

export interface CatalogueApp {
  readonly id: string;
  readonly name: string;
  readonly company: string;
  readonly category: string;
  readonly categoryTitle: string;
  readonly domains: readonly string[];
  readonly clients: readonly string[];
  readonly ai: boolean;
  readonly hints: readonly RiskHint[];
}

export interface Catalogue {
  readonly apps: readonly CatalogueApp[];
  /** By id. */
  find(id: string): CatalogueApp | undefined;
  /** By the longest domain that the host ends in. */
  byHost(host: string): CatalogueApp | undefined;
  /** By the name under which it asks for grants. */
  byClient(name: string): CatalogueApp | undefined;
  /** By what a card statement or an expense report calls the payee. */
  byMerchant(text: string): CatalogueApp | undefined;
}

const INCIDENT_WEIGHT = 10;
/** Shorter names are words of the language: as the beginning of a payee they would match anything. */
const PREFIX_CHARS_MIN = 7;

const plain = (name: string): string =>
  name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9. ]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Legal forms, and what card networks put before the payee. */
const CEREMONY = /^(?:paypal|stripe|sq|sp|fs|fsprg|goo?gle|apple|amzn|in) ?\*\s*/i;
const LEGAL = / (?:inc|llc|ltd|limited|gmbh|corp|corporation|co|sas|bv|ab|ag|plc|pty|pbc|subscription|subscr)\.?$/;

function parseFile<T extends z.ZodType>(folder: string, name: string, schema: T): z.output<T> {
  const result = schema.safeParse(parse(readFileSync(join(folder, name), 'utf8')));
  if (result.success) return result.data;
  throw new CatalogueInvalid(`content/catalogue/${name}: ${z.prettifyError(result.error)}`, { file: name });
}

/** Reads `content/catalogue`. Throws `CatalogueInvalid` for what is unknown, doubled or malformed. */
export function loadCatalogue(folder: string): Catalogue {
  const { hints, categories } = parseFile(folder, 'hints.yaml', hintsFile);
  const { incidents } = parseFile(folder, 'incidents.yaml', incidentsFile);
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const files = names.filter((name) => name !== 'hints.yaml' && name !== 'incidents.yaml').sort();
  const apps: CatalogueApp[] = [];
  for (const name of files) {
    const { category, title, apps: list } = parseFile(folder, name, appsFile);
    if (name !== `${category}.yaml`) throw new CatalogueInvalid(`${name} holds the category ${category}.`);
    const ofCategory = categories[category];
    for (const app of list) {
      const codes = [...(app.ai ? ['ai'] : []), ...app.hints];
      const found: RiskHint[] = codes.map((code) => {
        const known = hints[code];
        if (!known) throw new CatalogueInvalid(`${name}: ${app.id} has the unknown hint ${code}.`);
        return { code, ...known };
      });
      if (ofCategory) found.push({ code: `category-${category}`, ...ofCategory });
      for (const { app: id, year, text: what, source: where } of incidents) {
        if (id === app.id) {
          found.push({ code: `incident-${year}`, text: `${year}: ${what}`, weight: INCIDENT_WEIGHT, source: where });
        }
      }
      apps.push({ ...app, category, categoryTitle: title, hints: found });
    }
  }
  const unknown = incidents.find(({ app }) => !apps.some(({ id }) => id === app));
  if (unknown) throw new CatalogueInvalid(`incidents.yaml names ${unknown.app}, which is no app.`);
  return createCatalogue(apps);
}

/** An index over apps; `loadCatalogue` is what reads them. */
export function createCatalogue(apps: readonly CatalogueApp[]): Catalogue {
  const ids = new Map<string, CatalogueApp>();
  const domains = new Map<string, CatalogueApp>();
  const clients = new Map<string, CatalogueApp>();
  for (const app of apps) {
    if (ids.has(app.id)) throw new CatalogueInvalid(`The id ${app.id} is used twice.`);
    ids.set(app.id, app);
    for (const one of app.domains) {
      const other = domains.get(one);
      if (other) throw new CatalogueInvalid(`${one} belongs to ${other.id} and ${app.id}.`);
      domains.set(one, app);
    }
    for (const name of [app.name, ...app.clients]) {
      if (!clients.has(plain(name))) clients.set(plain(name), app);
    }
  }
  const byHost = (host: string): CatalogueApp | undefined => {
    for (const suffix of suffixesOf(host)) {
      const app = domains.get(suffix);
      if (app) return app;
    }
    return undefined;
  };
  return {
    apps,
    find: (id) => ids.get(id),
    byHost,
    byClient: (name) =>
      clients.get(plain(name)) ?? clients.get(plain(name).replace(/ (?:for|by|app|sso|oauth)\b.*$/, '')),
    byMerchant(raw) {
      const payee = plain(raw.trim().replace(CEREMONY, '')).replace(LEGAL, '');
      const whole = clients.get(payee);
      if (whole) return whole;
      const words = payee.split(' ');
      for (const word of words) {
        const app = word.includes('.') ? byHost(word.replace(/^\.+|\.+$/g, '')) : undefined;
        if (app) return app;
      }
      for (let count = words.length - 1; count > 0; count--) {
        const start = words.slice(0, count).join(' ');
        const isReference = words.slice(count).every((word) => /\d/.test(word));
        const app = start.length >= PREFIX_CHARS_MIN || count > 1 || isReference ? clients.get(start) : undefined;
        if (app) return app;
      }
      return undefined;
    },
  };
}
