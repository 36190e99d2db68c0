import type { BuiltIn } from './built-in.ts';
import { type Entries, listEntries } from './entry.ts';
import { parseStatements } from './policy-text.ts';

/**
 * What of a call, beyond integration, app and operation, its decision can depend on under these entries: names of
 * context attributes, `parameter:<name>`, and `*` where it can't be told. For grouping recorded calls before they are
 * decided again.
 */
export function contextFacts(entries: Entries, builtIn: BuiltIn): ReadonlySet<string> {
  const facts = new Set<string>();
  const texts = [...builtIn.policies, ...listEntries(entries, 'policy')];
  for (const [index, { name, text }] of texts.entries()) {
    for (const statement of parseStatements(text, { id: `facts-${index}`, name })) {
      for (const fact of statement.facts) facts.add(fact);
    }
  }
  for (const { resourceScope } of listEntries(entries, 'grant')) {
    for (const { parameter } of resourceScope) facts.add(`parameter:${parameter}`);
  }
  return facts;
}
