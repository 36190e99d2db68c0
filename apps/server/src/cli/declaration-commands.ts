import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parse, stringify, YAMLParseError } from 'yaml';
import type { CliContext } from './context.ts';
import { note, print, take, UsageWrong } from './output.ts';

const FILES_MAX = 1_000;
/** Descriptions may lie beside the declarations that name them. */
const DECLARATION = /(?<!\.openapi)\.ya?ml$/;
const KINDS = ['apps', 'integrations', 'policies', 'inspection', 'limits', 'requirements', 'webhooks'] as const;

type Tree = Record<string, unknown>;

function asTree(value: unknown, what: string): Tree {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageWrong(`${what} must be a map.`);
  return value as Tree; // just checked
}

async function listFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const names = (await readdir(path, { recursive: true })).filter((name) => DECLARATION.test(name)).sort();
  if (names.length > FILES_MAX) throw new UsageWrong(`More than ${FILES_MAX} files under ${path}.`);
  return names.map((name) => join(path, name));
}

/** An OpenAPI description itself, as `cordon export` prints it, in place of the path of one. */
function isDocument(text: string): boolean {
  return text.includes('\n') || text.trimStart().startsWith('{');
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof YAMLParseError) throw new UsageWrong(`${file}: ${error.message}`, {}, error);
    throw error;
  }
}

/** Writes `cordon.yaml` with each description as a file beside it, ready to be kept in version control. */
async function exportTo(folder: string, declaration: Tree): Promise<number> {
  const apps = asTree(declaration['apps'] ?? {}, 'apps');
  await mkdir(join(folder, 'descriptions'), { recursive: true });
  const named: Tree = {};
  for (const [name, value] of Object.entries(apps)) {
    const app = asTree(value, name);
    named[name] = app;
    if (typeof app['description'] !== 'string') continue;
    const extension = app['description'].trimStart().startsWith('{') ? 'openapi.json' : 'openapi.yaml';
    const path = join('descriptions', `${name}.${extension}`);
    await writeFile(join(folder, path), app['description']);
    named[name] = { ...app, description: path };
  }
  await writeFile(join(folder, 'cordon.yaml'), stringify({ ...declaration, apps: named }, { lineWidth: 120 }));
  return Object.keys(named).length;
}

/** A secret from the environment or a file, never from the declaration itself. */
async function readSecret(named: Tree, folder: string, context: CliContext, what: string): Promise<string> {
  const { secret_env: fromEnv, secret_file: fromFile } = named;
  if (named['secret'] !== undefined) {
    throw new UsageWrong('A secret does not belong in a file that is shared: use secret_env or secret_file.');
  }
  const secret =
    typeof fromEnv === 'string'
      ? context.env[fromEnv]
      : typeof fromFile === 'string'
        ? (await readFile(resolve(folder, fromFile), 'utf8')).trim()
        : undefined;
  if (!secret)
    throw new UsageWrong(`The ${what}'s secret is empty (${JSON.stringify(fromEnv ?? fromFile ?? 'no secret_env')}).`);
  return secret;
}

/** A webhook endpoint's secret is only needed to make it. */
async function inlineWebhook(webhook: Tree, folder: string, context: CliContext): Promise<Tree> {
  const { secret_env: fromEnv, secret_file: fromFile, ...rest } = webhook;
  if (fromEnv === undefined && fromFile === undefined && webhook['secret'] === undefined) return rest;
  return { ...rest, secret: await readSecret(webhook, folder, context, 'endpoint') };
}

/** Puts in what a file names: an app's description by path, a credential's secret from the environment or a file. */
async function inline(app: Tree, folder: string, context: CliContext): Promise<Tree> {
  const result = { ...app };
  const { description } = app;
  if (typeof description === 'string' && !isDocument(description)) {
    result['description'] = await readFile(resolve(folder, description), 'utf8');
  }
  if (app['credential'] !== undefined) {
    const named = asTree(app['credential'], 'credential');
    const { secret_env: _env, secret_file: _file, ...credential } = named;
    const secret = await readSecret(named, folder, context, 'credential');
    result['credential'] = { ...credential, secret };
  }
  return result;
}

/** Reads files or folders of YAML into one declaration; a name declared twice is refused. */
export async function readDeclarationFiles(paths: readonly string[], context: CliContext): Promise<Tree> {
  const merged: Record<string, Tree> = {};
  for (const path of paths) {
    for (const file of await listFiles(path)) {
      const text = await readFile(file, 'utf8');
      const tree = asTree(parseYaml(text, file) ?? {}, file);
      for (const [kind, entries] of Object.entries(tree)) {
        if (!(KINDS as readonly string[]).includes(kind)) {
          throw new UsageWrong(`${file}: unknown key ${kind}; known are ${KINDS.join(', ')}.`);
        }
        const into = (merged[kind] ??= {});
        for (const [name, value] of Object.entries(asTree(entries ?? {}, `${file}: ${kind}`))) {
          if (Object.hasOwn(into, name)) throw new UsageWrong(`${file}: ${kind}.${name} is declared twice.`);
          const put = kind === 'apps' ? inline : kind === 'webhooks' ? inlineWebhook : null;
          into[name] = put ? await put(asTree(value, `${file}: ${name}`), dirname(file), context) : value;
        }
      }
    }
  }
  return merged;
}

interface Change {
  readonly action: string;
  readonly kind: string;
  readonly name: string;
  readonly changes: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
}

const SIGNS: Readonly<Record<string, string>> = { create: '+', update: '~', delete: '-' };
const SHOWN_CHARS_MAX = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

function printPlan(changes: readonly Change[]): void {
  for (const change of changes) {
    print(`${SIGNS[change.action] ?? '?'} ${change.kind}/${change.name}`);
    if (change.action !== 'update') continue;
    for (const { path, from, to } of change.changes) print(`    ${path}: ${shown(from)} → ${shown(to)}`);
  }
}

export function addDeclarationCommands(program: Command, context: CliContext): void {
  const body = async (paths: readonly string[], prune: boolean | undefined) => ({
    declaration: await readDeclarationFiles(paths, context),
    prune: prune ?? false,
  });

  program
    .command('plan <path...>')
    .description('show what applying these files would change; exits with 2 when there is a difference')
    .option('--prune', 'also delete what is not declared')
    .action(async (paths: string[], options: { prune?: boolean }) => {
      const { api } = await context.connect();
      const { changes } = take(await api.POST('/api/v1/declaration/plan', { body: await body(paths, options.prune) }));
      printPlan(changes);
      note(changes.length === 0 ? 'No difference: what is, is what is declared.' : `${changes.length} differences`);
      if (changes.length > 0) process.exitCode = 2;
    });

  program
    .command('apply <path...>')
    .description('make it so')
    .option('--prune', 'also delete what is not declared')
    .action(async (paths: string[], options: { prune?: boolean }) => {
      const { api } = await context.connect();
      const { changes } = take(await api.POST('/api/v1/declaration/apply', { body: await body(paths, options.prune) }));
      printPlan(changes);
      note(`${changes.length} changes applied`);
    });

  program
    .command('export')
    .description('write what is as YAML; credentials can not be read back and are left out')
    .option('--to <folder>', 'as files: cordon.yaml, and each API description beside it')
    .action(async (options: { to?: string }) => {
      const { api } = await context.connect();
      const declaration = take(await api.GET('/api/v1/declaration'));
      if (options.to === undefined) return print(stringify(declaration, { lineWidth: 120 }));
      const apps = await exportTo(options.to, asTree(declaration, 'the declaration'));
      return note(`${join(options.to, 'cordon.yaml')}: ${apps} apps and what belongs to them`);
    });
}
