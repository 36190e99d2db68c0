import { readdirSync, readFileSync } from 'node:fs';

/** The generic policies every decision starts from, and the schema all policies are checked against. */
export interface BuiltIn {
  /** Cedar schema text. */
  readonly schema: string;
  /** Each file's statements; ids come from `@id`. */
  readonly policies: readonly { readonly name: string; readonly text: string }[];
}

/** Reads `content/policies`: `schema.cedarschema` and every `*.cedar`. Done once by the composition root. */
export function readBuiltIn(folder: URL = new URL('../../../content/policies/', import.meta.url)): BuiltIn {
  const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.cedar'))
    .sort();
  return {
    schema: read('schema.cedarschema'),
    policies: names.map((name) => ({ name: name.slice(0, -'.cedar'.length), text: read(name) })),
  };
}
