import { readdir, readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ssoSettings } from './sso-app.ts';

const FILE = /^[a-z0-9-]{1,60}\.yaml$/;
const FILES_MAX = 500;

const field = z.strictObject({
  name: z.string().regex(/^[a-z][a-z_]{0,40}$/),
  title: z.string().min(1).max(100),
  /** Where the tool shows it. */
  help: z.string().min(1).max(500),
  example: z.string().min(1).max(500),
  pattern: z.string().max(200).default('.{1,500}'),
});

const step = z.string().min(1).max(600);

/** `{name}` stands for a field, `{oidcIssuer}` and the like for an address of Cordon. */
const catalogueEntry = z.strictObject({
  app: z.string().regex(/^[a-z0-9-]{1,60}$/),
  title: z.string().min(1).max(100),
  vendor: z.string().min(1).max(100),
  category: z.string().min(1).max(60),
  protocol: z.enum(['oidc', 'saml']),
  /** The vendor's own page that the settings follow. */
  sources: z
    .array(z.url({ protocol: /^https$/ }))
    .min(1)
    .max(10),
  /** `described`: after the vendor's documentation, not tried with the vendor's service; `tried`: a sign-on was done. */
  evidence: z.enum(['described', 'tried']),
  /** What edition or role it needs at the tool. */
  needs: z.string().max(300).optional(),
  fields: z.array(field).max(12).default([]),
  settings: z.record(z.string(), z.unknown()),
  launchUrl: z.string().max(1_000).optional(),
  /** What to do at the tool, in order. */
  steps: z.array(step).min(1).max(15),
  /** What goes wrong most often, and what it means. */
  notes: z.array(step).max(10).default([]),
});
export type CatalogueEntry = z.output<typeof catalogueEntry>;

/** Replaces `{name}` in every text of a value. Names that are not given stay as they are. */
export function fillIn(value: unknown, fields: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{([A-Za-z_]+)\}/g, (whole, name: string) =>
      Object.hasOwn(fields, name) ? (fields[name] ?? whole) : whole,
    );
  }
  if (Array.isArray(value)) return value.map((one: unknown) => fillIn(one, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one, fields)]));
}

/** Parses one file; its settings, filled in with the examples, must be settings of an app. */
export function parseCatalogueEntry(text: string): CatalogueEntry {
  const entry = catalogueEntry.parse(parseYaml(text));
  const examples = Object.fromEntries(entry.fields.map(({ name, example }) => [name, example]));
  ssoSettings.parse(fillIn({ protocol: entry.protocol, ...entry.settings }, examples));
  for (const { name, example, pattern } of entry.fields) {
    // The vendor's own examples must pass; written by us, so the pattern is no stranger's.
    if (!new RegExp(`^(?:${pattern})$`).test(example))
      throw new Error(`${entry.app}: the example of ${name} does not match`);
  }
  return entry;
}

/** Reads the catalogue once; a file that breaks the rules fails loudly, with its name. */
export async function loadSsoCatalogue(folder: URL): Promise<readonly CatalogueEntry[]> {
  const files = (await readdir(folder))
    .filter((file) => FILE.test(file))
    .toSorted()
    .slice(0, FILES_MAX);
  return Promise.all(
    files.map(async (file) => {
      try {
        return parseCatalogueEntry(await readFile(new URL(file, folder), 'utf8'));
      } catch (cause) {
        throw new Error(`content/sso/${file} can’t be read`, { cause });
      }
    }),
  );
}
