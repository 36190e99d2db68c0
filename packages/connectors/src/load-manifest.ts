import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ManifestInvalid, MappingFailed } from './errors.ts';
import { compileExpression, type Expression } from './expression.ts';
import { type Manifest, manifest as manifestSchema } from './manifest.ts';
import { placeholdersOf } from './request-template.ts';

const MANIFEST_BYTES_MAX = 512 * 1024;
const ALIASES_MAX = 100;
const FILE = 'connector.yaml';
const ROOTS = new Set(['config', 'parent', 'item', 'extra', 'input', 'captured', 'since', 'token', 'now']);

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Every expression, compiled once. */
  expression(text: string): Expression;
}

interface ManifestProblem {
  readonly app: string;
  readonly problem: string;
}

export interface Manifests {
  readonly all: readonly LoadedManifest[];
  find(app: string): LoadedManifest | undefined;
  readonly problems: readonly ManifestProblem[];
}

const EXPRESSION_KEYS = new Set([
  'items',
  'map',
  'cursor',
  'from',
  'total',
  'more',
  'pageInfo',
  'when',
  'done',
  'capture',
  'summary',
  'result',
  'secret',
  'errorCode',
  'fromRecord',
  'recordId',
]);

function expressionsOf(node: unknown, found: Set<string>): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  for (const [key, value] of Object.entries(node)) {
    // A request is data for the tool: what looks like an expression in it is none.
    if (key === 'request') continue;
    if (typeof value === 'string' && EXPRESSION_KEYS.has(key)) found.add(value);
    else expressionsOf(value, found);
  }
  return found;
}

function checkPlaceholders(one: Manifest): void {
  const fields = new Set(one.config.map((field) => field.name));
  const requests = [one.baseUrl, one.hosts, one.headers, one.auth, one.streams, one.actions];
  for (const placeholder of placeholdersOf(requests)) {
    const [root = '', member = ''] = placeholder.split('.');
    if (!ROOTS.has(root)) throw new ManifestInvalid(`${one.app}: {${placeholder}} is no placeholder.`);
    if (root === 'config' && !fields.has(member)) {
      throw new ManifestInvalid(`${one.app}: {${placeholder}} names no config field.`);
    }
  }
}

/** Reads one manifest from its text. Throws `ManifestInvalid` with what is wrong and where. */
export function parseManifest(text: string, app: string): LoadedManifest {
  if (Buffer.byteLength(text) > MANIFEST_BYTES_MAX)
    throw new ManifestInvalid(`${app}: longer than ${MANIFEST_BYTES_MAX}.`);
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: ALIASES_MAX });
  } catch (cause) {
    throw new ManifestInvalid(`${app}: ${cause instanceof Error ? cause.message : 'no YAML'}`, {}, cause);
  }
  const parsed = manifestSchema.safeParse(document);
  if (!parsed.success) throw new ManifestInvalid(`${app}: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.app !== app) throw new ManifestInvalid(`${app}: the manifest calls itself ${parsed.data.app}.`);
  checkPlaceholders(parsed.data);
  const { config: _config, auth: _auth, scopes: _scopes, ...rest } = parsed.data;
  const compiled = new Map<string, Expression>();
  for (const expression of expressionsOf(rest, new Set())) {
    try {
      compiled.set(expression, compileExpression(expression));
    } catch (error) {
      throw new ManifestInvalid(
        `${app}: ${error instanceof MappingFailed ? error.message : 'a mapping'}: ${expression}`,
      );
    }
  }
  return {
    manifest: parsed.data,
    expression(wanted) {
      const known = compiled.get(wanted) ?? compileExpression(wanted);
      compiled.set(wanted, known);
      return known;
    },
  };
}

/** Reads `<folder>/<app>/connector.yaml` of every app. One that can't be read is named and stops none of the others. */
export async function loadManifests(folder: string): Promise<Manifests> {
  const all: LoadedManifest[] = [];
  const problems: ManifestProblem[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name } of entries
    .filter((entry) => entry.isDirectory())
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, name, FILE);
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    try {
      all.push(parseManifest(await readFile(path, 'utf8'), name));
    } catch (error) {
      if (!(error instanceof ManifestInvalid)) throw error;
      problems.push({ app: name, problem: error.message });
    }
  }
  const byApp = new Map(all.map((one) => [one.manifest.app, one]));
  return { all, problems, find: (app) => byApp.get(app) };
}
