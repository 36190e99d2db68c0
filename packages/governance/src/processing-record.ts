import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import { type Flow, listFlows } from './flow-store.ts';
import { isWithin, type Label } from './label.ts';
import { coversSet, type RetentionRule } from './retention-rule.ts';
import { listRules } from './retention-store.ts';
import { tablesOf } from './tables.ts';

const SUBJECTS_MAX = 20_000;

/** A row of the record of processing activities, GDPR Article 30(1): a flow of personal data. */
export interface ProcessingActivity {
  readonly flowId: string;
  readonly activity: string;
  readonly purpose: string | null;
  readonly legalBasis: string | null;
  readonly subjects: readonly string[];
  readonly categories: readonly string[];
  readonly label: Label;
  readonly source: string;
  readonly recipient: string;
  readonly vendor: string | null;
  readonly fromRegion: string | null;
  readonly toRegion: string | null;
  /** Between two known regions that differ. */
  readonly isTransfer: boolean;
  readonly safeguard: string | null;
  /** Names of retention rules that cover where it goes, each with its days. */
  readonly erasure: readonly string[];
  readonly evidence: Flow['how'];
  readonly records: number;
  readonly lastSeen: Date;
  /** What a person still has to say. */
  readonly missing: readonly string[];
}

export const subjectKey = (app: string, object: string): string => `${app}\0${object}`;

export function sideOf(place: { readonly app: string; readonly object: string }, integration: string): string {
  return place.app === '' ? `integration ${integration}` : `${place.app}: ${place.object}`;
}

/** The record's row of a flow, or null where no personal data moves. Nothing is guessed: gaps are listed. */
export function activityOf(
  flow: Flow,
  subjects: ReadonlyMap<string, readonly string[]>,
  rules: readonly { readonly name: string; readonly settings: RetentionRule }[],
): ProcessingActivity | null {
  const categories = flow.categories.filter((one) => isWithin(one, 'user'));
  if (categories.length === 0) return null;
  const { from, to } = flow.regions;
  const isTransfer = from !== null && to !== null && from !== to;
  const safeguard = [flow.instrument, flow.safeguard].filter((one) => one !== null).join('; ') || null;
  const place = flow.to.app === '' ? flow.from : flow.to;
  const erasure = rules
    .filter(({ settings }) => coversSet(settings, { ...place, label: flow.label, categories: flow.categories }))
    .map(({ name, settings }) => `${name} (${settings.action} after ${settings.days} days)`);
  const found = [flow.from, flow.to].flatMap(({ app, object }) => subjects.get(subjectKey(app, object)) ?? []);
  const who = [...new Set(found)].toSorted();
  const gaps: Record<string, boolean> = {
    purpose: flow.purpose === null,
    'legal basis': flow.legalBasis === null,
    'data subjects': who.length === 0,
    safeguard: isTransfer && safeguard === null,
    'time limit': erasure.length === 0,
  };
  return {
    flowId: flow.id,
    activity: flow.integration.name,
    purpose: flow.purpose,
    legalBasis: flow.legalBasis,
    subjects: who,
    categories,
    label: flow.label,
    source: sideOf(flow.from, flow.integration.name),
    recipient: sideOf(flow.to, flow.integration.name),
    vendor: flow.vendor,
    fromRegion: from,
    toRegion: to,
    isTransfer,
    safeguard,
    erasure,
    evidence: flow.how,
    records: flow.records,
    lastSeen: flow.lastSeen,
    missing: Object.keys(gaps).filter((gap) => gaps[gap]),
  };
}

/** Whose data each data set holds. */
export async function listSubjects(db: Queryable) {
  return tablesOf(db)
    .selectFrom('data_field')
    .select(['app', 'object', sql<string[]>`array_agg(distinct subject)`.as('subjects')])
    .where('subject', 'is not', null)
    .groupBy(['app', 'object'])
    .limit(SUBJECTS_MAX)
    .execute();
}

export async function listProcessing(db: Queryable): Promise<ProcessingActivity[]> {
  const [flows, rules, rows] = await Promise.all([listFlows(db, {}), listRules(db), listSubjects(db)]);
  const subjects = new Map(rows.map((row) => [subjectKey(row.app, row.object), row.subjects]));
  return flows.map((flow) => activityOf(flow, subjects, rules)).filter((row) => row !== null);
}

/** A column's name and its cell. */
export type CsvColumn<Row> = readonly [string, (row: Row) => string | number | boolean | null];

/** A cell that no spreadsheet takes for a formula. */
function cell(value: string | number | boolean | null): string {
  const given = value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(given) ? `'${given}` : given;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const lines = rows.map((row) => columns.map(([, read]) => cell(read(row))).join(','));
  return [columns.map(([name]) => name).join(','), ...lines, ''].join('\r\n');
}

const COLUMNS: readonly CsvColumn<ProcessingActivity>[] = [
  ['activity', (row) => row.activity],
  ['purpose', (row) => row.purpose],
  ['legal_basis', (row) => row.legalBasis],
  ['data_subjects', (row) => row.subjects.join('; ')],
  ['data_categories', (row) => row.categories.join('; ')],
  ['label', (row) => row.label],
  ['source', (row) => row.source],
  ['recipient', (row) => row.recipient],
  ['vendor', (row) => row.vendor],
  ['from_region', (row) => row.fromRegion],
  ['to_region', (row) => row.toRegion],
  ['transfer', (row) => row.isTransfer],
  ['safeguard', (row) => row.safeguard],
  ['time_limits', (row) => row.erasure.join('; ')],
  ['evidence', (row) => row.evidence],
  ['records', (row) => row.records],
  ['last_seen', (row) => row.lastSeen.toISOString()],
  ['missing', (row) => row.missing.join('; ')],
];

/** RFC 4180. */
export const processingCsv = (rows: readonly ProcessingActivity[]): string => csvOf(COLUMNS, rows);
