import type { SsoCatalogueEntry } from '../api/wire.ts';

/** Replaces `{name}` in every text; names without a value stay, so that nobody overlooks them. */
export function fillIn(value: unknown, fields: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{([A-Za-z_]+)\}/g, (whole, name: string) => fields[name] || whole);
  }
  if (Array.isArray(value)) return value.map((one: unknown) => fillIn(one, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one, fields)]));
}

export function isFilled(entry: Pick<SsoCatalogueEntry, 'fields'>, values: Readonly<Record<string, string>>): boolean {
  return entry.fields.every(({ name, pattern }) => new RegExp(`^(?:${pattern})$`).test(values[name] ?? ''));
}

/** The body that adds a tool of the catalogue. */
export function bodyOf(
  entry: SsoCatalogueEntry,
  values: Readonly<Record<string, string>>,
  input: { readonly name: string; readonly everyone: boolean },
) {
  const settings = { protocol: entry.protocol, ...(fillIn(entry.settings, values) as object) };
  return {
    name: input.name,
    catalogue: entry.app,
    settings: settings as never, // the server's schema checks it
    access: { everyone: input.everyone },
    launchUrl: entry.launchUrl === null ? null : String(fillIn(entry.launchUrl, values)),
  };
}
