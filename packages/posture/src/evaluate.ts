import type { Check, Result, Severity } from './check.ts';
import { collectEvidence, type Evidence } from './evidence.ts';
import type { CompiledExpression, ExpressionCompiler, Variables } from './expression.ts';
import type { FunctionContext } from './named-function.ts';
import { compileReason, type ReasonTemplate } from './reason-template.ts';
import { findPath } from './setting-path.ts';

/** CEL cannot be interrupted, so the time is looked at between its steps. */
const EVALUATION_MS_MAX = 2000;

/** What a check says of one app's settings at one time. */
export interface PostureResult {
  check: string;
  title: string;
  product: string;
  severity: Severity;
  result: Result;
  reason: string;
  evidence: Evidence[];
  /** Milliseconds since the epoch. */
  evaluatedAt: number;
}

export interface EvaluateOptions {
  /** Milliseconds since the epoch at which the settings are judged. */
  now: number;
  /** Setting paths that the connector could not read: the customer's plan or the token's scope lacks them. */
  unread?: readonly string[];
  /**
   * The settings are all that the app gave, as in a recorded case: what is not there was looked for. Only for checks
   * whose source counts an absent setting as not met; others stay `not_visible`.
   */
  complete?: boolean;
  /** A monotonic clock in milliseconds for the time limit; without one there is only the limit on size. */
  elapsed?: () => number;
}

export interface CompiledCheck {
  check: Check;
  evaluate: (settings: unknown, options: EvaluateOptions) => PostureResult;
}

type Verdict = Pick<PostureResult, 'result' | 'reason'>;

interface Compiled {
  applies: CompiledExpression | undefined;
  requires: { is: CompiledExpression; otherwise: string }[];
  define: [string, CompiledExpression][];
  pass: CompiledExpression;
  reason: { pass: ReasonTemplate; fail: ReasonTemplate; not_applicable: ReasonTemplate };
}

interface Run {
  check: Check;
  settings: unknown;
  variables: Variables;
  context: FunctionContext;
  unseen: string[];
  isLate: () => boolean;
}

/** @throws ExpressionInvalid */
export function compileCheck(check: Check, compiler: ExpressionCompiler): CompiledCheck {
  const compiled: Compiled = {
    applies: check.applies === undefined ? undefined : compiler.compile(check.applies),
    requires: (check.requires ?? []).map(({ is, otherwise }) => ({ is: compiler.compile(is), otherwise })),
    define: Object.entries(check.define ?? {}).map(([name, source]) => [name, compiler.compile(source)]),
    pass: compiler.compile(check.pass),
    reason: {
      pass: compileReason(compiler, check.reason.pass),
      fail: compileReason(compiler, check.reason.fail),
      not_applicable: compileReason(compiler, check.reason.not_applicable ?? 'The check does not apply here.'),
    },
  };
  return {
    check,
    evaluate(settings, options) {
      const unseen: string[] = [];
      const started = options.elapsed?.() ?? 0;
      const run: Run = {
        check,
        settings,
        variables: { settings, now: new Date(options.now) },
        context: { now: options.now, unseen: (path) => void (unseen.includes(path) || unseen.push(path)) },
        unseen,
        isLate: () => (options.elapsed?.() ?? 0) - started > EVALUATION_MS_MAX,
      };
      const verdict = judge(compiled, run, options);
      return {
        check: check.id,
        title: check.title,
        product: check.product,
        severity: check.severity,
        ...verdict,
        evidence: collectEvidence(settings, check.needs, unseen),
        evaluatedAt: options.now,
      };
    },
  };
}

function judge(compiled: Compiled, run: Run, options: EvaluateOptions): Verdict {
  const early =
    checkVisible(run, options) ?? checkApplies(compiled, run) ?? checkRequired(compiled, run) ?? checkNeeds(run);
  if (early !== undefined) return early;
  for (const [name, expression] of compiled.define) {
    const outcome = expression.run(run.variables, run.context);
    if (!outcome.ok) return outcome.missing ? whenAbsent(run.check, outcome.problem) : errorOf(outcome.problem);
    run.variables[name] = outcome.value;
    if (run.isLate()) return errorOf(`took longer than ${EVALUATION_MS_MAX} ms`);
  }
  const outcome = compiled.pass.run(run.variables, run.context);
  if (!outcome.ok) return outcome.missing ? whenAbsent(run.check, outcome.problem) : errorOf(outcome.problem);
  if (typeof outcome.value !== 'boolean') return errorOf('the expression is not true or false');
  if (!outcome.value) return { result: 'fail', reason: compiled.reason.fail.render(run.variables, run.context) };
  if (run.unseen.length > 0) {
    const holes = run.unseen.slice(0, 5).join('; ');
    if (options.complete === true && run.check.absent === 'fail') return whenAbsent(run.check, holes);
    return { result: 'not_visible', reason: `Not seen: ${holes}` };
  }
  return { result: 'pass', reason: compiled.reason.pass.render(run.variables, run.context) };
}

const errorOf = (problem: string): Verdict => ({
  result: 'error',
  reason: `The check could not be evaluated: ${problem}`,
});

/** Nothing is judged when a setting could not be read, or when nothing of the kind was recorded at all. */
function checkVisible(
  { check, settings }: Run,
  { unread = [], complete = false }: EvaluateOptions,
): Verdict | undefined {
  const needed = check.needs.flatMap((path) => path.split(' | '));
  const hidden = needed.find((path) => unread.some((prefix) => path === prefix || path.startsWith(`${prefix}.`)));
  if (hidden !== undefined) return { result: 'not_visible', reason: `The connector could not read ${hidden}.` };
  const roots = needed.map((path) => path.split('.')[0] ?? path);
  const isRecorded = roots.some((root) => findPath(settings, root).length > 0);
  if (isRecorded || (complete && check.absent === 'fail')) return undefined;
  return { result: 'not_visible', reason: `Nothing recorded under ${[...new Set(roots)].join(', ')}.` };
}

function checkApplies({ applies, reason }: Compiled, run: Run): Verdict | undefined {
  const outcome = applies?.run(run.variables, run.context);
  if (outcome === undefined || (outcome.ok && outcome.value === true)) return undefined;
  if (!outcome.ok) {
    if (!outcome.missing) return errorOf(outcome.problem);
    return { result: 'not_visible', reason: `Whether the check applies could not be seen: ${outcome.problem}.` };
  }
  return { result: 'not_applicable', reason: reason.not_applicable.render(run.variables, run.context) };
}

function checkRequired({ requires }: Compiled, run: Run): Verdict | undefined {
  for (const { is, otherwise } of requires) {
    const outcome = is.run(run.variables, run.context);
    if (!outcome.ok) return outcome.missing ? whenAbsent(run.check, outcome.problem) : errorOf(outcome.problem);
    if (outcome.value !== true) return { result: 'fail', reason: otherwise };
  }
  return undefined;
}

function checkNeeds({ check, settings }: Run): Verdict | undefined {
  const absent = check.needs.find((alternatives) =>
    alternatives.split(' | ').every((path) => findPath(settings, path).every(({ value }) => value === null)),
  );
  return absent === undefined ? undefined : whenAbsent(check, absent);
}

function whenAbsent(check: Check, what: string): Verdict {
  if (check.absent !== 'fail') return { result: 'not_visible', reason: `Not in the settings that were read: ${what}` };
  return {
    result: 'fail',
    reason: `Not in the settings that were read, which ${check.source?.name ?? 'this check'} counts as not met: ${what}`,
  };
}
