import type { PolicyEntry } from './access-entry.ts';
import type { BuiltIn } from './built-in.ts';
import { PolicyTextInvalid } from './errors.ts';
import { relevanceOf } from './policy-facts.ts';
import { createPolicySet, type PolicySet } from './policy-set.ts';
import { parseStatements, type Statement, validatePolicyText } from './policy-text.ts';

export interface Policies {
  readonly set: PolicySet;
  /** Tells where context-dependent statements can matter; null when there are none. */
  readonly relevance: PolicySet | null;
  readonly statements: ReadonlyMap<string, Statement>;
}

/** @throws {PolicyTextInvalid} naming policy and line. */
export function loadPolicies(builtIn: BuiltIn, entries: readonly PolicyEntry[]): Policies {
  const statements = new Map<string, Statement>();
  for (const { name, text } of builtIn.policies) {
    checkText(name, text, builtIn.schema);
    for (const statement of parseStatements(text, { id: name, name }))
      statements.set(statement.id, { ...statement, name });
  }
  for (const { id, name, text } of entries) {
    checkText(name, text, builtIn.schema);
    for (const statement of parseStatements(text, { id: `policy:${id}`, name }))
      statements.set(statement.id, statement);
  }
  const dynamic = [...statements.values()].filter(({ facts }) => facts.length > 0);
  const set = createPolicySet(Object.fromEntries([...statements].map(([id, { text }]) => [id, text])));
  const relevance =
    dynamic.length === 0
      ? null
      : createPolicySet(Object.fromEntries(dynamic.map(({ id, json }) => [id, relevanceOf(json)])));
  return { set, relevance, statements };
}

function checkText(name: string, text: string, schema: string): void {
  const { valid, problems } = validatePolicyText(text, schema);
  if (valid) return;
  const first = problems.find(({ severity }) => severity === 'error');
  throw new PolicyTextInvalid(`policy "${name}", line ${first?.line ?? '?'}: ${first?.message ?? 'invalid'}`, {
    problems,
  });
}
