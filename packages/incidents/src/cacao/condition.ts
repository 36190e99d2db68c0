import { Environment } from '@marcbachmann/cel-js';
import { ConditionInvalid } from '../errors.ts';
import { evaluateStix, parseStix, stixNames } from './stix-comparison.ts';
import { isVariableName, typedValue, type Variables } from './variables.ts';

const CONDITION_CHARS_MAX = 4_096;
const CEL_TYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  integer: 'int',
  long: 'int',
  float: 'double',
  dictionary: 'map',
  list: 'list',
};

export interface Condition {
  readonly dialect: 'cel' | 'stix';
  /** The variables that it looks at. */
  readonly names: readonly string[];
  /** Throws `ConditionInvalid` when it can't be decided, for example an unknown key of a dictionary. */
  holds(variables: Variables): boolean;
}

function stix(text: string): Condition {
  const tree = parseStix(text);
  return {
    dialect: 'stix',
    names: stixNames(tree),
    holds: (variables) => evaluateStix(tree, (name) => variables[name]?.value ?? ''),
  };
}

function cel(text: string, declared: Variables): Condition {
  // JavaScript's own regular expressions backtrack; the STIX form has MATCHES, which runs RE2.
  if (/\bmatches\s*\(/.test(text)) {
    throw new ConditionInvalid("matches() isn't offered in CEL conditions: write __name__:value MATCHES '…' instead.");
  }
  const names = [...new Set(text.match(/__[a-zA-Z][a-zA-Z0-9_]*?__/g) ?? [])].filter(isVariableName);
  const environment = new Environment({ unlistedVariablesAreDyn: false });
  for (const name of names) {
    const found = declared[name];
    if (found) environment.registerVariable(name, CEL_TYPES[found.type] ?? 'string');
  }
  let parsed: ReturnType<Environment['parse']>;
  try {
    parsed = environment.parse(text);
    const { valid, type, error } = parsed.check();
    if (!valid) throw error ?? new Error('it has a wrong type');
    if (type !== 'bool' && type !== 'dyn') throw new Error(`it gives ${String(type)}, not true or false`);
  } catch (cause) {
    const why = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0];
    throw new ConditionInvalid(`The condition is not valid: ${why}`, {}, cause);
  }
  return {
    dialect: 'cel',
    names,
    holds(variables) {
      const values = Object.fromEntries(
        names.flatMap((name) => (variables[name] ? [[name, typedValue(variables[name])]] : [])),
      );
      let result: unknown;
      try {
        result = parsed(values);
      } catch (cause) {
        throw new ConditionInvalid(`The condition can't be decided: ${String(cause).split('\n', 1)[0]}`, {}, cause);
      }
      if (typeof result !== 'boolean') throw new ConditionInvalid('The condition gives neither true nor false.');
      return result;
    },
  };
}

/**
 * Reads a condition: STIX comparison where it refers to variables as `__name__:value` or stands in brackets, CEL
 * otherwise (`__count__ > 3 && __state__ == "open"`). Throws `ConditionInvalid` with the reason.
 */
export function parseCondition(text: string, declared: Variables): Condition {
  if (text.trim() === '') throw new ConditionInvalid('The condition is empty.');
  if (text.length > CONDITION_CHARS_MAX) {
    throw new ConditionInvalid(`A condition has at most ${CONDITION_CHARS_MAX} characters.`);
  }
  const isStix = /__:value\b/.test(text) || text.trimStart().startsWith('[');
  return isStix ? stix(text) : cel(text, declared);
}
