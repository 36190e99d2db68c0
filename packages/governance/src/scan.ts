import { type Clock, type Database, type Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import type { FieldCategories } from './field-category.ts';
import type { PublishEntries } from './fingerprint-key.ts';
import { type DataField, type DataSet, listFields, listSets, SETS_PAGE_MAX } from './inventory-store.ts';
import {
  type Judged,
  judgeField,
  judgeSet,
  type Label,
  type LabelPolicy,
  propagate,
  rankOf,
  withPin,
} from './label.ts';
import { tablesOf } from './tables.ts';

const SETS_MAX = 20_000;
const OPERATIONS_MAX = 2_000;
const SCAN_LOCK = 7_001;

export interface ScanDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly categories: FieldCategories;
  readonly policy: LabelPolicy;
  readonly publish: PublishEntries;
}

export interface ScanResult {
  readonly sets: number;
  readonly fields: number;
  /** Sets whose label is another than before. */
  readonly changed: readonly {
    readonly app: string;
    readonly object: string;
    readonly from: Label;
    readonly to: Label;
  }[];
}

interface JudgedSet {
  readonly set: DataSet;
  readonly judged: Judged;
}

const keyOf = ({ app, object }: { readonly app: string; readonly object: string }): string => `${app}\0${object}`;

/** A person's category by what the data set is about. */
function subjectOf(object: string, category: string): string | null {
  if (!category.startsWith('user')) return null;
  if (/employee|staff|worker|member/.test(object)) return 'employee';
  if (/candidate|applicant/.test(object)) return 'job_applicant';
  if (/patient/.test(object)) return 'patient';
  if (/lead|contact|prospect|subscriber/.test(object)) return 'prospect';
  return 'customer';
}

async function judgeFields(tx: Transaction, deps: ScanDeps, set: DataSet): Promise<DataField[]> {
  const fields = await listFields(tx, set.app, set.object);
  const result: DataField[] = [];
  for (const field of fields) {
    const { category, from } = deps.categories.judge(field, field.samples, field.detections);
    const detected = Object.entries(field.detections).flatMap(([type, count]) => {
      const known = deps.categories.detector(type);
      return known ? [{ type, label: known.label, count }] : [];
    });
    const judged = withPin(judgeField(deps.policy, { ...field, category, detected }), field.pinnedLabel);
    const subject = subjectOf(set.object, category);
    result.push({ ...field, category, categoryFrom: from, label: judged.label, labelReasons: judged.reasons, subject });
    const isSame =
      field.category === category &&
      field.label === judged.label &&
      field.categoryFrom === from &&
      field.subject === subject &&
      JSON.stringify(field.labelReasons) === JSON.stringify(judged.reasons);
    if (isSame) continue;
    await tablesOf(tx)
      .updateTable('data_field')
      .set({
        category,
        category_from: from,
        label: judged.label,
        label_reasons: JSON.stringify(judged.reasons),
        subject,
      })
      .where('app', '=', field.app)
      .where('object', '=', field.object)
      .where('path', '=', field.path)
      .execute();
  }
  return result;
}

async function allSets(tx: Transaction): Promise<DataSet[]> {
  const sets: DataSet[] = [];
  for (let after: string | undefined; sets.length < SETS_MAX;) {
    const page = await listSets(tx, { after });
    sets.push(...page);
    const last = page.at(-1);
    if (page.length < SETS_PAGE_MAX || !last) break;
    after = `${last.app}/${last.object}`;
  }
  return sets;
}

/** What the gateways get: the label of each app's data, and of each operation that moves some of it. */
async function publishLabels(tx: Transaction, deps: ScanDeps, labels: ReadonlyMap<string, Label>): Promise<void> {
  const rows = await tablesOf(tx)
    .selectFrom('data_operation')
    .selectAll()
    .orderBy('operation')
    .limit(SETS_MAX)
    .execute();
  const known = await tablesOf(tx).selectFrom('data_published').selectAll().limit(SETS_MAX).execute();
  const before = new Map(known.map((row) => [row.app_id, row.entry]));
  const set: [string, unknown][] = [];
  for (const [appId, operations] of Map.groupBy(rows, (row) => row.app_id)) {
    const named = operations
      .map((row): [string, Label] => [row.operation, labels.get(keyOf(row)) ?? 'internal'])
      .toSorted((a, b) => rankOf(b[1]) - rankOf(a[1]) || (a[0] < b[0] ? -1 : 1))
      .slice(0, OPERATIONS_MAX);
    const entry = { id: appId, label: named[0]?.[1] ?? 'internal', operations: Object.fromEntries(named) };
    const text = JSON.stringify(entry);
    if (before.get(appId) === text) continue;
    set.push([`data-label:${appId}`, entry]);
    await tablesOf(tx)
      .insertInto('data_published')
      .values({ app_id: appId, entry: text })
      .onConflict((conflict) => conflict.column('app_id').doUpdateSet({ entry: text }))
      .execute();
  }
  if (set.length > 0) await deps.publish(tx, { set, at: deps.clock.now() });
}

/**
 * Judges everything that is known anew: categories, then labels of fields and sets, then carries labels along flows.
 * Pins stand. One scan at a time; what is seen meanwhile counts in the next.
 */
export async function scan(deps: ScanDeps): Promise<ScanResult> {
  return deps.db.transaction(async (tx) => {
    await sql`select pg_advisory_xact_lock(${SCAN_LOCK})`.execute(tablesOf(tx));
    const sets = await allSets(tx);
    const judged: JudgedSet[] = [];
    let fields = 0;
    for (const set of sets) {
      const found = await judgeFields(tx, deps, set);
      fields += found.length;
      const own = judgeSet(deps.policy, { fields: found, records: set.records, inflows: [] });
      judged.push({ set, judged: withPin(own, set.pinnedLabel) });
    }
    const flows = await tablesOf(tx)
      .selectFrom('data_flow')
      .select(['from_app', 'from_object', 'to_app', 'to_object'])
      .where('how', '=', 'inferred')
      .where('from_app', '<>', '')
      .where('to_app', '<>', '')
      .limit(SETS_MAX)
      .execute();
    const spread = propagate(
      new Map(judged.map((one) => [keyOf(one.set), one.judged.label])),
      flows.map((row) => ({
        from: keyOf({ app: row.from_app, object: row.from_object }),
        to: keyOf({ app: row.to_app, object: row.to_object }),
      })),
      new Set(judged.filter(({ set }) => set.pinnedLabel !== null).map(({ set }) => keyOf(set))),
    );
    const changed: ScanResult['changed'][number][] = [];
    const labels = new Map<string, Label>();
    for (const { set, judged: own } of judged) {
      const end = spread.get(keyOf(set)) ?? { label: own.label, from: null };
      labels.set(keyOf(set), end.label);
      const source = end.from?.replace('\0', ' ');
      const reasons =
        source === undefined
          ? own.reasons
          : [{ because: 'flow' as const, text: `from ${source}`, label: end.label }, ...own.reasons];
      if (end.label !== set.label) changed.push({ app: set.app, object: set.object, from: set.label, to: end.label });
      if (end.label === set.label && JSON.stringify(reasons) === JSON.stringify(set.labelReasons)) continue;
      await tablesOf(tx)
        .updateTable('data_set')
        .set({ label: end.label, label_reasons: JSON.stringify(reasons) })
        .where('app', '=', set.app)
        .where('object', '=', set.object)
        .execute();
    }
    await publishLabels(tx, deps, labels);
    return { sets: sets.length, fields, changed };
  });
}
