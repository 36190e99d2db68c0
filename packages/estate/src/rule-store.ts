import type { Selectable } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { NotFound } from './errors.ts';
import { LIST_MAX } from './page.ts';
import { type Rule, type RuleEntry, ruleInputs, RULE_NAMES } from './rule.ts';
import { type EstateTables, type RuleKind, tablesOf } from './tables.ts';

function toRule<Kind extends RuleKind>(kind: Kind, row: Selectable<EstateTables['rules']>): Rule<Kind> {
  return {
    id: row.id,
    kind,
    name: row.name,
    entry: ruleInputs[kind].parse(row.entry) as RuleEntry<Kind>, // parsed with the schema of this very kind
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function listRules<Kind extends RuleKind>(db: Queryable, kind: Kind): Promise<Rule<Kind>[]> {
  const rows = await tablesOf(db)
    .selectFrom('rules')
    .selectAll()
    .where('kind', '=', kind)
    .orderBy('name')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => toRule(kind, row));
}

export async function loadRule<Kind extends RuleKind>(db: Queryable, kind: Kind, id: string): Promise<Rule<Kind>> {
  const row = await tablesOf(db)
    .selectFrom('rules')
    .selectAll()
    .where('kind', '=', kind)
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw new NotFound(`There is no such ${RULE_NAMES[kind]}.`, { id });
  return toRule(kind, row);
}

/** Inserts, or replaces the rule of the same kind and name. Returns the id that the row has. */
export async function saveRule(tx: Transaction, rule: Rule): Promise<string> {
  const entry = JSON.stringify(rule.entry);
  const row = await tablesOf(tx)
    .insertInto('rules')
    .values({
      id: rule.id,
      kind: rule.kind,
      name: rule.name,
      entry,
      created_at: new Date(rule.createdAt),
      updated_at: new Date(rule.updatedAt),
    })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'name']).doUpdateSet({ entry, updated_at: new Date(rule.updatedAt) }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function deleteRule(tx: Transaction, id: string): Promise<void> {
  await tablesOf(tx).deleteFrom('rules').where('id', '=', id).execute();
}
