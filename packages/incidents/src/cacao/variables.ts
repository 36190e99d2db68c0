import { VariableWrong } from '../errors.ts';
import type { Playbook } from './playbook.ts';

export interface Variable {
  readonly type: string;
  readonly value: string | null;
  readonly constant: boolean;
  readonly external: boolean;
}
/** By name, `__name__`. */
export type Variables = Readonly<Record<string, Variable>>;

export const VARIABLE_CHARS_MAX = 65_536;
const NAME = /^__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__$/;
/** `__name__:value`, as section 10.18 of the standard writes it, also with a `$$` agent prefix left alone. */
const REFERENCE = /(__[a-zA-Z][a-zA-Z0-9_-]*?__):value/g;

const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  bool: (value) => value === 'true' || value === 'false',
  integer: (value) => /^-?\d{1,15}$/.test(value),
  long: (value) => /^-?\d{1,15}$/.test(value),
  float: (value) => value !== '' && Number.isFinite(Number(value)),
  dictionary: (value) => isJson(value, (it) => typeof it === 'object' && it !== null && !Array.isArray(it)),
  list: (value) => isJson(value, Array.isArray),
  'ipv4-addr': (value) => /^\d{1,3}(\.\d{1,3}){3}$/.test(value),
  uuid: (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  uri: (value) => URL.canParse(value),
  'sha256-hash': (value) => /^[0-9a-f]{64}$/i.test(value),
};

function isJson(text: string, fits: (value: unknown) => boolean): boolean {
  try {
    return fits(JSON.parse(text));
  } catch {
    return false;
  }
}

export function declareVariables(declared: Playbook['playbook_variables']): Variables {
  return Object.fromEntries(
    Object.entries(declared ?? {}).map(([name, { type, value, constant, external }]) => [
      name,
      { type, value: value ?? null, constant: constant ?? false, external: external ?? false },
    ]),
  );
}

/** Throws `VariableWrong` when the value doesn't fit the variable's type, or the variable is a constant. */
export function assign(variables: Variables, name: string, value: string): Variables {
  const found = variables[name];
  if (!found) throw new VariableWrong(`There is no variable ${name}.`);
  if (found.constant) throw new VariableWrong(`${name} is a constant and can't be set.`);
  if (value.length > VARIABLE_CHARS_MAX) throw new VariableWrong(`${name} may have ${VARIABLE_CHARS_MAX} characters.`);
  const fits = CHECKS[found.type];
  if (fits && !fits(value)) throw new VariableWrong(`${name} is of type ${found.type}; this value isn't.`);
  return { ...variables, [name]: { ...found, value } };
}

/** What must be given from outside before the playbook can start. */
export function neededInputs(playbook: Playbook): string[] {
  return Object.entries(declareVariables(playbook.playbook_variables))
    .filter(([, { external, value }]) => external && value === null)
    .map(([name]) => name);
}

/** The playbook's variables with what was given from outside. */
export function startVariables(playbook: Playbook, inputs: Readonly<Record<string, string>>): Variables {
  const variables = givenVariables(playbook, inputs);
  const missing = neededInputs(playbook).filter((name) => variables[name]?.value === null);
  if (missing.length > 0) throw new VariableWrong(`The playbook needs a value for ${missing.join(', ')}.`, { missing });
  return variables;
}

/** The same while something is still missing: a run that was proposed waits for it. */
export function givenVariables(playbook: Playbook, inputs: Readonly<Record<string, string>>): Variables {
  let variables = declareVariables(playbook.playbook_variables);
  for (const [name, value] of Object.entries(inputs)) {
    if (variables[name] && !variables[name].external) {
      throw new VariableWrong(`${name} is not external: the playbook sets it itself.`);
    }
    variables = assign(variables, name, value);
  }
  return variables;
}

/** Every variable that a text refers to. */
export function referencesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1] ?? '');
}

/** Puts values in place of `__name__:value`. One that was never set becomes the empty text. */
export function fillIn(text: string, variables: Variables): string {
  return text.replaceAll(REFERENCE, (whole, name: string) => {
    const found = variables[name];
    if (!found) throw new VariableWrong(`There is no variable ${name}.`, { reference: whole });
    return found.value ?? '';
  });
}

export function isVariableName(name: string): boolean {
  return NAME.test(name);
}

/** The value as its type says, for conditions. A variable without a value has its type's empty one. */
export function typedValue({ type, value }: Variable): unknown {
  switch (type) {
    case 'bool':
      return value === 'true';
    case 'integer':
    case 'long':
      return BigInt(value ?? '0');
    case 'float':
      return Number(value ?? '0');
    case 'dictionary':
      return JSON.parse(value ?? '{}') as unknown;
    case 'list':
      return JSON.parse(value ?? '[]') as unknown;
    default:
      return value ?? '';
  }
}
