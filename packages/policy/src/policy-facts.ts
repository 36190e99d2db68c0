import type { Clause, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/**
 * What of a call, beyond (integration, app, operation), a statement's outcome depends on: names of context attributes
 * and `parameter:<name>` for path parameters. `*` means it can't be told, so nothing may be remembered.
 */
export type Facts = readonly string[];

export const ANY_FACT = '*';

/** Collects the facts from a statement's conditions. Errs on the side of too many. */
export function factsOf(policy: PolicyJson): Facts {
  const found = new Set<string>();
  for (const { body } of policy.conditions) collect(body, found);
  return [...found].sort();
}

/**
 * A permit that holds wherever a statement could still matter: the same scope and those conditions that depend on
 * nothing but the entities. Where it doesn't hold, the statement is out for good and the decision may be remembered.
 */
export function relevanceOf(policy: PolicyJson): PolicyJson {
  const conditions = policy.conditions.flatMap(({ kind, body }): Clause[] => {
    const parts = kind === 'when' ? conjuncts(body) : [body];
    return parts.filter((part) => isSettled(part) && isExact(part)).map((part) => ({ kind, body: part }));
  });
  return { ...policy, effect: 'permit', conditions };
}

function isSettled(expression: Expr): boolean {
  const found = new Set<string>();
  collect(expression, found);
  return found.size === 0;
}

/** Cedar has 64-bit integers; a larger literal than JavaScript's safe ones comes back from its JSON form altered. */
function isExact(node: unknown): boolean {
  if (typeof node === 'number') return Number.isSafeInteger(node);
  return typeof node !== 'object' || node === null || Object.values(node).every(isExact);
}

function conjuncts(expression: Expr): Expr[] {
  const node: unknown = expression;
  const pair = isRecord(node) ? node['&&'] : undefined;
  // A `&&` node holds two expressions (Cedar's JSON policy format).
  return isRecord(pair) ? [...conjuncts(pair['left'] as Expr), ...conjuncts(pair['right'] as Expr)] : [expression];
}

function collect(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collect(item, found);
    return;
  }
  if (!isRecord(node)) return;
  if (node['Var'] === 'context') found.add(ANY_FACT);
  for (const [operator, operand] of Object.entries(node)) {
    const fact = factOf(operator, operand);
    if (fact === null) collect(operand, found);
    else found.add(fact);
    // The object a tag is read from may itself depend on something.
    if (fact !== null && operator.endsWith('Tag') && isRecord(operand)) collect(operand['left'], found);
  }
}

function factOf(operator: string, operand: unknown): string | null {
  if (!isRecord(operand)) return null;
  const { left, right, attr } = operand;
  if ((operator === '.' || operator === 'has') && isRecord(left) && left['Var'] === 'context') {
    const name: unknown = Array.isArray(attr) ? attr[0] : attr;
    return typeof name === 'string' ? name : ANY_FACT;
  }
  if (operator === 'getTag' || operator === 'hasTag') {
    const name = isRecord(right) ? right['Value'] : undefined;
    return typeof name === 'string' ? `parameter:${name}` : ANY_FACT;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
