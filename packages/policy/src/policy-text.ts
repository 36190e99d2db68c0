import {
  type DetailedError,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import { PolicyTextInvalid } from './errors.ts';
import { type Facts, factsOf } from './policy-facts.ts';

/** More in one text is a generated list, which belongs in grants. */
const STATEMENTS_MAX = 100;
const PROBLEMS_MAX = 20;
/**
 * Cedar's parser goes down one call for each level of nesting. Too many overflow the stack inside WebAssembly, whose
 * memory is then unusable: every later policy of the process would be refused too. Such a text must not get there.
 */
const NESTING_MAX = 100;
/** Signs in a row go down as well, and so do chains of operators. Measured: 400 levels or 2,000 operators break it. */
const SIGNS_MAX = 100;
const OPERATORS_MAX = 400;

/** One permit or forbid. */
export interface Statement {
  /** Unique in an authorizer: the `@id` annotation for built-in policies, `<policy id>#<n>` for customers'. */
  readonly id: string;
  /** What a refused caller is told. */
  readonly name: string;
  readonly effect: 'permit' | 'forbid';
  readonly text: string;
  readonly json: PolicyJson;
  /** What of the call's context its outcome depends on. */
  readonly facts: Facts;
}

export interface PolicyProblem {
  /** 1-based; null when Cedar doesn't say where. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  /** What to do about it. */
  readonly help: string | null;
  readonly severity: 'error' | 'warning';
}

export interface PolicyTextReport {
  /** No errors; there may be warnings. */
  readonly valid: boolean;
  readonly problems: readonly PolicyProblem[];
  /** Present when it parses: what each statement is and depends on. */
  readonly statements: readonly {
    readonly effect: 'permit' | 'forbid';
    readonly name: string | null;
    readonly facts: Facts;
  }[];
}

/** Checks Cedar text against the schema, for editors and before storing. Never throws for bad text. */
export function validatePolicyText(text: string, schema: string): PolicyTextReport {
  const tooDeep = findTooDeep(text);
  if (tooDeep !== null) return { valid: false, problems: [asProblem(tooDeep)], statements: [] };
  const answer = validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === 'failure') {
    return {
      valid: false,
      problems: answer.errors.slice(0, PROBLEMS_MAX).map((e) => problem(text, e, 'error')),
      statements: [],
    };
  }
  const problems = [
    ...answer.validationErrors.map(({ error }) => problem(text, error, 'error')),
    ...answer.validationWarnings.map(({ error }) => problem(text, error, 'warning')),
  ].slice(0, PROBLEMS_MAX);
  try {
    const statements = parseStatements(text, { id: 'policy', name: 'policy' });
    return {
      valid: problems.every(({ severity }) => severity !== 'error'),
      problems,
      statements: statements.map(({ effect, json, facts }) => ({ effect, name: json.annotations?.id ?? null, facts })),
    };
  } catch (error) {
    if (!(error instanceof PolicyTextInvalid)) throw error;
    return { valid: false, problems: [...problems, asProblem(error.message)], statements: [] };
  }
}

/**
 * Splits text into its statements.
 *
 * @throws {PolicyTextInvalid} when it doesn't parse, is empty, holds templates or too many statements.
 */
export function parseStatements(text: string, owner: { id: string; name: string }): Statement[] {
  const tooDeep = findTooDeep(text);
  if (tooDeep !== null) throw new PolicyTextInvalid(`policy "${owner.name}": ${tooDeep}`);
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') throw invalid(owner.name, text, parts.errors);
  if (parts.policy_templates.length > 0) {
    throw new PolicyTextInvalid(
      `policy "${owner.name}" has template slots (?principal, ?resource); write the entity instead`,
    );
  }
  if (parts.policies.length === 0) throw new PolicyTextInvalid(`policy "${owner.name}" holds no statement`);
  if (parts.policies.length > STATEMENTS_MAX) {
    throw new PolicyTextInvalid(
      `policy "${owner.name}" holds more than ${STATEMENTS_MAX} statements; use grants instead`,
    );
  }
  // Cedar sorts the parts by a generated id ("policy10" before "policy2"); people count from the top.
  const inOrder = parts.policies.toSorted((a, b) => text.indexOf(a) - text.indexOf(b));
  return inOrder.map((part, index) => {
    const answer = policyToJson(part);
    if (answer.type === 'failure') throw invalid(owner.name, part, answer.errors);
    const { json } = answer;
    return {
      id: inOrder.length === 1 ? owner.id : `${owner.id}#${index + 1}`,
      name: json.annotations?.id ? `${owner.name}: ${json.annotations.id}` : owner.name,
      effect: json.effect,
      text: part,
      json,
      facts: factsOf(json),
    };
  });
}

/** String, comment, bracket, run of signs, `if` or operator: the parts of Cedar text that its depth depends on. */
const DEPTH_TOKEN = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|(?:[!-]\s*)+|\bif\b|&&|\|\||[+*.]|;/g;

/** Why a text nests too deep to be parsed; null when it doesn't. */
function findTooDeep(text: string): string | null {
  let depth = 0;
  let conditionals = 0;
  let operators = 0;
  for (const [token] of text.matchAll(DEPTH_TOKEN)) {
    const first = token[0] ?? '';
    // An index is both: `a["b"]["c"]` is a chain, a list in a list is deep.
    if (first === '[') operators += 1;
    if ('([{'.includes(first)) depth += 1;
    else if (')]}'.includes(first)) depth -= 1;
    else if (token === 'if') conditionals += 1;
    else if (first === ';') conditionals = operators = 0;
    else if ('!-'.includes(first) && token.replaceAll(/\s/g, '').length > SIGNS_MAX)
      return `at most ${SIGNS_MAX} signs stand in a row`;
    else if ('&|+*.'.includes(first)) operators += 1;
    if (depth + conditionals > NESTING_MAX) return `at most ${NESTING_MAX} levels of nesting are read`;
    if (operators > OPERATORS_MAX) return `one statement holds at most ${OPERATORS_MAX} operators`;
  }
  return null;
}

function invalid(name: string, text: string, errors: DetailedError[]): PolicyTextInvalid {
  const problems = errors.slice(0, PROBLEMS_MAX).map((error) => problem(text, error, 'error'));
  const [first] = problems;
  const where = first?.line ? ` at line ${first.line}` : '';
  return new PolicyTextInvalid(`policy "${name}" doesn't parse${where}: ${first?.message ?? 'unknown problem'}`, {
    problems,
  });
}

function problem(text: string, error: DetailedError, severity: 'error' | 'warning'): PolicyProblem {
  const start = error.sourceLocations?.[0]?.start;
  const message = plainMessage(error.message);
  const help = error.help ?? null;
  if (start === undefined) return { line: null, column: null, message, help, severity };
  // Cedar counts UTF-8 bytes.
  const before = Buffer.from(text, 'utf8').subarray(0, start).toString('utf8');
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, message, help, severity };
}

function asProblem(message: string): PolicyProblem {
  return { line: null, column: null, message, help: null, severity: 'error' };
}

/** Cedar names policies by generated ids that mean nothing to the author. */
function plainMessage(message: string): string {
  return message
    .replace(/^for policy `[^`]*`, /, '')
    .replace(/^failed to parse polic(?:y with id `[^`]*`|ies) from string: /, '');
}
