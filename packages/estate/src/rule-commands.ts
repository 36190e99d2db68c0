import { type Actor, appendAudit, authorize, uuidv7 } from '@cordon/kernel';
import { inspectionProblem, parseEntry } from '@cordon/policy';
import { parseInput } from './input.ts';
import type { EstateContext } from './context.ts';
import { InputInvalid } from './errors.ts';
import { publish } from './publication.ts';
import { type Rule, RULE_NAMES, RULE_PERMISSIONS, type RuleEntry, type RuleInput, ruleInputs } from './rule.ts';
import { deleteRule, loadRule, saveRule } from './rule-store.ts';
import type { RuleKind } from './tables.ts';

/** Commands on Cedar policies, inspection rules and limits. */
export function createRuleCommands(context: EstateContext, checkPolicy: (text: string) => void) {
  const { db, clock } = context;
  return {
    /** Creates, or replaces the rule of the same name. */
    async put<Kind extends RuleKind>(actor: Actor, kind: Kind, raw: RuleInput<Kind>): Promise<Rule<Kind>> {
      authorize(actor, RULE_PERMISSIONS.write);
      const entry = parseInput(ruleInputs[kind], raw) as RuleEntry<Kind>; // parsed with the schema of this very kind
      if ('text' in entry) checkPolicy(entry.text);
      const problem = 'class' in entry ? inspectionProblem(entry) : null;
      if (problem !== null) throw new InputInvalid(problem);
      const at = clock.now();
      return db.transaction(async (tx) => {
        const draft: Rule<Kind> = { id: uuidv7(at), kind, name: entry.name, entry, createdAt: at, updatedAt: at };
        const stored = { ...draft, id: await saveRule(tx, draft) };
        const key = `${kind}:${stored.id}`;
        const value = parseEntry(key, { ...entry, id: stored.id });
        await publish(tx, { set: [[key, value]], revokes: true, at });
        const target = { type: RULE_NAMES[kind], id: stored.id, name: stored.name };
        const action = `${kind}.${stored.id === draft.id ? 'created' : 'replaced'}`;
        await appendAudit(tx, { actor, action, target, detail: { entry }, at });
        return stored;
      });
    },

    async remove(actor: Actor, kind: RuleKind, id: string): Promise<void> {
      authorize(actor, RULE_PERMISSIONS.write);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const found = await loadRule(tx, kind, id);
        await deleteRule(tx, found.id);
        await publish(tx, { remove: [`${kind}:${found.id}`], revokes: true, at });
        const target = { type: RULE_NAMES[kind], id: found.id, name: found.name };
        await appendAudit(tx, { actor, action: `${kind}.removed`, target, detail: { entry: found.entry }, at });
      });
    },
  };
}
