import { parse as parseYaml } from 'yaml';
import { type Check, checkSchema } from './check.ts';
import { CheckDuplicate, CheckInvalid } from './errors.ts';
import { type CompiledCheck, compileCheck } from './evaluate.ts';
import { createExpressionCompiler, type ExpressionCompiler } from './expression.ts';

/** Longest check file, in characters; the longest we wrote has a third of it. */
export const CHECK_FILE_CHARS_MAX = 64_000;
/** Aliases in a file: enough for none; more would let a small file unfold into a large one. */
const YAML_ALIASES_MAX = 0;

/** A check file's text with the path it came from, for messages. */
export interface CheckFile {
  path: string;
  text: string;
}

/** All checks of an installation, compiled. */
export interface Catalogue {
  all(): readonly CompiledCheck[];
  byProduct(product: string): readonly CompiledCheck[];
  /** By id; a policy id is found with or without its version suffix (`MS.AAD.1.1v1`, `MS.AAD.1.1`). */
  find(id: string): CompiledCheck | undefined;
}

/** @throws CheckInvalid */
export function parseCheck({ path, text }: CheckFile): Check {
  if (text.length > CHECK_FILE_CHARS_MAX)
    throw new CheckInvalid(path, `longer than ${CHECK_FILE_CHARS_MAX} characters`);
  let document: unknown;
  try {
    document = parseYaml(text, { maxAliasCount: YAML_ALIASES_MAX });
  } catch (error) {
    throw new CheckInvalid(path, error instanceof Error ? error.message : 'no YAML', { cause: error });
  }
  const parsed = checkSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new CheckInvalid(path, problems.join('; '), { cause: parsed.error });
}

/** @throws CheckInvalid, CheckDuplicate, ExpressionInvalid */
export function createCatalogue(files: Iterable<CheckFile>): Catalogue {
  const compiler = createExpressionCompiler();
  const paths = new Map<string, string>();
  const checks: CompiledCheck[] = [];
  for (const file of files) {
    const check = parseCheck(file);
    const first = paths.get(check.id);
    if (first !== undefined) throw new CheckDuplicate(check.id, first, file.path);
    paths.set(check.id, file.path);
    checks.push(compileIn(file, check, compiler));
  }
  const byId = new Map(checks.map((compiled) => [compiled.check.id, compiled]));
  const byPolicy = new Map(checks.map((compiled) => [withoutVersion(compiled.check.id), compiled]));
  return {
    all: () => checks,
    byProduct: (product) => checks.filter(({ check }) => check.product === product),
    find: (id) => byId.get(id) ?? byPolicy.get(withoutVersion(id)),
  };
}

function compileIn(file: CheckFile, check: Check, compiler: ExpressionCompiler): CompiledCheck {
  try {
    return compileCheck(check, compiler);
  } catch (error) {
    throw new CheckInvalid(file.path, error instanceof Error ? error.message : 'does not compile', { cause: error });
  }
}

/** `MS.AAD.3.2v2` and `GWS.GMAIL.1.1v0.6` name the policy and the version of its wording. */
function withoutVersion(id: string): string {
  return id.replace(/(\d)v[0-9.]+$/u, '$1');
}
