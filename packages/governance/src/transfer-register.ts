import { type Actor, appendAudit, authorize, type Clock, type Database, type Queryable } from '@cordon/kernel';
import { z } from 'zod';
import { DataUnknown, InputInvalid } from './errors.ts';
import { type Flow, listFlows } from './flow-store.ts';
import { isWithin, type Label } from './label.ts';
import { csvOf, type CsvColumn, listSubjects, sideOf, subjectKey } from './processing-record.ts';
import { tablesOf } from './tables.ts';
import type { Regions } from './taxonomy.ts';
import { articleOf, needsAssessment, TRANSFER_INSTRUMENTS, type TransferInstrument } from './transfer-instrument.ts';

const TEXT_MAX = 500;
const text = z.string().trim().min(2).max(TEXT_MAX).nullable();

export const transferInput = z.strictObject({
  instrument: z.enum(TRANSFER_INSTRUMENTS).nullable(),
  /** Who receives it there; the vendor of the place when left out. */
  importer: text,
  /** Where the assessment of the country's law and practice is kept. */
  assessment: text,
});

/** Where a place lies in the eyes of Chapter V. */
export type RegionKind = 'eea' | 'adequate' | 'third' | 'unknown';

export interface Transfer {
  readonly flowId: string;
  readonly exporter: string;
  readonly importer: string | null;
  readonly integration: string;
  readonly source: string;
  readonly recipient: string;
  readonly fromRegion: string | null;
  readonly toRegion: string | null;
  /** `adequate` may hold for some organisations only: `note` says. */
  readonly destination: RegionKind;
  readonly note: string | null;
  readonly subjects: readonly string[];
  readonly categories: readonly string[];
  readonly label: Label;
  readonly instrument: TransferInstrument | null;
  readonly article: string | null;
  readonly assessment: string | null;
  readonly safeguard: string | null;
  readonly records: number;
  readonly lastSeen: Date;
  /** What a person still has to say. */
  readonly missing: readonly string[];
}

/** The country of a region as people and clouds write it: `eu-central-1`, `DE`, `United States`. */
export function countryOf(regions: Regions, region: string): string | null {
  const plain = region.trim().toLowerCase();
  const alias = regions.aliases[plain];
  if (alias !== undefined) return alias;
  const first = /^([a-z]{2,3})(?:-|$)/.exec(plain)?.[1] ?? '';
  const code = regions.aliases[first] ?? first;
  const isKnown = regions.eea.includes(code) || code in regions.adequate || regions.others.includes(code);
  return isKnown ? code : null;
}

export function kindOfRegion(regions: Regions, region: string | null): RegionKind {
  const country = region === null ? null : countryOf(regions, region);
  if (country === null) return 'unknown';
  if (regions.eea.includes(country)) return 'eea';
  return country in regions.adequate ? 'adequate' : 'third';
}

/** The register's row of a flow, or null where no personal data leaves. An unknown place may be one: it is listed. */
export function transferOf(
  flow: Flow,
  subjects: ReadonlyMap<string, readonly string[]>,
  regions: Regions,
): Transfer | null {
  const categories = flow.categories.filter((one) => isWithin(one, 'user'));
  if (categories.length === 0 || flow.how === 'possible') return null;
  const { from, to } = flow.regions;
  const [source, destination] = [kindOfRegion(regions, from), kindOfRegion(regions, to)];
  if (destination === 'eea') return null;
  const country = to === null ? null : countryOf(regions, to);
  const isSame = from !== null && country !== null && countryOf(regions, from) === country;
  if (isSame) return null;
  const who = [flow.from, flow.to].flatMap(({ app, object }) => subjects.get(subjectKey(app, object)) ?? []);
  const { instrument } = flow;
  const importer = flow.importer ?? flow.vendors.to;
  const gaps: Record<string, boolean> = {
    [`region of ${sideOf(flow.from, flow.integration.name)}`]: source === 'unknown',
    [`region of ${sideOf(flow.to, flow.integration.name)}`]: destination === 'unknown',
    importer: importer === null,
    safeguard: instrument === null && destination !== 'unknown',
    'transfer assessment': instrument !== null && needsAssessment(instrument) && flow.assessment === null,
    'data subjects': who.length === 0,
  };
  return {
    flowId: flow.id,
    exporter: flow.vendors.from ?? flow.from.app,
    importer,
    integration: flow.integration.name,
    source: sideOf(flow.from, flow.integration.name),
    recipient: sideOf(flow.to, flow.integration.name),
    fromRegion: from,
    toRegion: to,
    destination,
    note: country === null ? null : (regions.adequate[country] ?? null),
    subjects: [...new Set(who)].toSorted(),
    categories,
    label: flow.label,
    instrument,
    article: instrument === null ? null : articleOf(instrument),
    assessment: flow.assessment,
    safeguard: flow.safeguard,
    records: flow.records,
    lastSeen: flow.lastSeen,
    missing: Object.keys(gaps).filter((gap) => gaps[gap]),
  };
}

export async function listTransfers(db: Queryable, regions: Regions): Promise<Transfer[]> {
  const [flows, rows] = await Promise.all([listFlows(db, {}), listSubjects(db)]);
  const subjects = new Map(rows.map((row) => [subjectKey(row.app, row.object), row.subjects]));
  return flows.map((flow) => transferOf(flow, subjects, regions)).filter((row) => row !== null);
}

/** Says what makes a flow's transfer lawful, and who receives it. */
export async function describeTransfer(
  deps: { readonly db: Database; readonly clock: Clock },
  actor: Actor,
  flowId: string,
  raw: z.input<typeof transferInput>,
): Promise<void> {
  authorize(actor, 'data.write');
  const parsed = transferInput.safeParse(raw);
  if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
  const { instrument, importer, assessment } = parsed.data;
  await deps.db.transaction(async (tx) => {
    const row = await tablesOf(tx)
      .updateTable('data_flow')
      .set({ transfer_instrument: instrument, transfer_importer: importer, transfer_assessment: assessment })
      .where('id', '=', flowId)
      .returning('integration_name')
      .executeTakeFirst();
    if (!row) throw new DataUnknown('There is no such flow.', { id: flowId });
    const target = { type: 'data_flow', id: flowId, name: row.integration_name };
    const at = deps.clock.now();
    await appendAudit(tx, { actor, action: 'data.transfer_described', target, detail: parsed.data, at });
  });
}

const COLUMNS: readonly CsvColumn<Transfer>[] = [
  ['exporter', (row) => row.exporter],
  ['importer', (row) => row.importer],
  ['integration', (row) => row.integration],
  ['source', (row) => row.source],
  ['recipient', (row) => row.recipient],
  ['from_region', (row) => row.fromRegion],
  ['to_region', (row) => row.toRegion],
  ['destination', (row) => row.destination],
  ['note', (row) => row.note],
  ['data_subjects', (row) => row.subjects.join('; ')],
  ['data_categories', (row) => row.categories.join('; ')],
  ['label', (row) => row.label],
  ['safeguard', (row) => row.instrument],
  ['article', (row) => row.article],
  ['assessment', (row) => row.assessment],
  ['remark', (row) => row.safeguard],
  ['records', (row) => row.records],
  ['last_seen', (row) => row.lastSeen.toISOString()],
  ['missing', (row) => row.missing.join('; ')],
];

/** RFC 4180. */
export const transfersCsv = (rows: readonly Transfer[]): string => csvOf(COLUMNS, rows);
