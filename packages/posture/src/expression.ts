import { type ASTNode, Environment, EvaluationError } from '@marcbachmann/cel-js';
import { ExpressionInvalid } from './errors.ts';
import { collectionFunctions } from './functions/collections.ts';
import { defenderFunctions } from './functions/defender.ts';
import { dnsFunctions } from './functions/dns.ts';
import { entraFunctions } from './functions/entra.ts';
import { googleWorkspaceFunctions } from './functions/google-workspace.ts';
import { mailProtectionFunctions } from './functions/mail-protection.ts';
import { EXPRESSION_CHARS_MAX } from './check.ts';
import type { FunctionContext, NamedFunction } from './named-function.ts';

const AST_NODES_MAX = 1000;
const DEPTH_MAX = 60;
const LIST_ELEMENTS_MAX = 200;
/** Comprehensions inside comprehensions: each level multiplies the work by the size of a list. */
const COMPREHENSIONS_NESTED_MAX = 3;

const comprehensions = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** All functions a check may call, in the order the reference shows them. */
export const namedFunctions: readonly NamedFunction[] = [
  ...collectionFunctions,
  ...googleWorkspaceFunctions,
  ...entraFunctions,
  ...defenderFunctions,
  ...mailProtectionFunctions,
  ...dnsFunctions,
];

/** The outcome of one expression: a value, or why there is none. */
export type Outcome = { ok: true; value: unknown } | { ok: false; missing: boolean; problem: string };

export type Variables = Record<string, unknown>;

export interface CompiledExpression {
  source: string;
  run(variables: Variables, context: FunctionContext): Outcome;
}

/** Compiles expressions in one environment; expressions are checked against the limits when they are compiled. */
export interface ExpressionCompiler {
  /** @throws ExpressionInvalid */
  compile(source: string): CompiledExpression;
}

export function createExpressionCompiler(): ExpressionCompiler {
  // CEL runs synchronously, so the context of the expression that is running can be kept in one place.
  let running: FunctionContext = { now: 0, unseen: () => undefined };
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: AST_NODES_MAX, maxDepth: DEPTH_MAX, maxListElements: LIST_ELEMENTS_MAX },
  });
  for (const { signature, run } of namedFunctions) {
    // The registry checks the arguments against the signature, which `never[]` cannot say.
    environment.registerFunction(signature, (...args: unknown[]) => run(running, ...(args as never[])));
  }

  return {
    compile(source) {
      if (source.length > EXPRESSION_CHARS_MAX) throw new ExpressionInvalid(source.slice(0, 80), 'too many characters');
      const parsed = parse(environment, source);
      const problem = findProblem(parsed.ast, 0);
      if (problem !== undefined) throw new ExpressionInvalid(source, problem);
      return {
        source,
        run(variables, context) {
          running = context;
          try {
            return { ok: true, value: parsed(variables) as unknown };
          } catch (error) {
            return outcomeOf(error);
          }
        },
      };
    },
  };
}

function parse(environment: Environment, source: string) {
  try {
    const parsed = environment.parse(source);
    const checked = parsed.check();
    if (checked.valid) return parsed;
    throw new ExpressionInvalid(source, checked.error?.message.split('\n')[0] ?? 'a type error');
  } catch (error) {
    if (error instanceof ExpressionInvalid) throw error;
    const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'a syntax error';
    throw new ExpressionInvalid(source, problem, { cause: error });
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof EvaluationError) {
    return { ok: false, missing: error.code === 'no_such_key', problem: error.message.split('\n')[0] ?? error.code };
  }
  return { ok: false, missing: false, problem: error instanceof Error ? error.message : 'unknown error' };
}

/** Refuses what the parser's own limits do not see. `matches` is refused because its patterns can take exponential time. */
function findProblem(node: unknown, nested: number): string | undefined {
  if (!isNode(node)) return undefined;
  let inside = nested;
  if (node.op === 'rcall' || node.op === 'call') {
    const name = node.args[0];
    if (name === 'matches') return 'matches() is not offered, use like()';
    if (node.op === 'rcall' && comprehensions.has(name)) inside += 1;
  }
  if (inside > COMPREHENSIONS_NESTED_MAX) return 'comprehensions nested too deep';
  const parts: unknown[] = Array.isArray(node.args) ? node.args.flat() : [node.args];
  // The list a comprehension runs over is worked out once, so only its body counts as inside.
  for (const [index, part] of parts.entries()) {
    const problem = findProblem(part, node.op === 'rcall' && index === 1 ? nested : inside);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isNode(value: unknown): value is ASTNode {
  return value !== null && typeof value === 'object' && 'op' in value && 'args' in value;
}
