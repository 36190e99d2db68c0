import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import { type Flow, listFlows } from './flow-store.ts';
import { isLabel, isWithin, type Label, rankOf, stricter } from './label.ts';
import { tablesOf } from './tables.ts';

/** More than this is not read for a map. */
const SETS_READ_MAX = 5_000;
/** More data sets than this are drawn as their apps: a picture of more says nothing. */
export const SETS_DRAWN_MAX = 60;
export const APPS_DRAWN_MAX = 40;
export const LINES_DRAWN_MAX = 300;
const FLOW_IDS_MAX = 20;

export interface MapQuery {
  /** Draws this app's data sets, however many apps there are. */
  readonly app?: string | undefined;
  readonly label?: Label | undefined;
  readonly category?: string | undefined;
  readonly region?: string | undefined;
  readonly vendor?: string | undefined;
}

export interface MapSet {
  /** `set:app/object`. */
  readonly id: string;
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly categories: readonly string[];
  readonly records: number;
  /** Not what was asked for, but at the other end of a flow from or to it. */
  readonly isContext: boolean;
}

export interface MapApp {
  /** `app:name`. */
  readonly id: string;
  readonly app: string;
  /** Its strictest data set's. */
  readonly label: Label;
  readonly sets: number;
  readonly records: number;
  readonly region: string | null;
  readonly vendor: string | null;
  readonly isContext: boolean;
}

/** One or several flows between the same two nodes through the same integration. */
export interface MapLine {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly integration: { readonly id: string; readonly name: string };
  readonly how: Flow['how'];
  readonly label: Label;
  readonly categories: readonly string[];
  readonly records: number;
  readonly flows: number;
  /** The first twenty. */
  readonly flowIds: readonly string[];
}

export interface DataMap {
  /** `apps` where there are too many data sets to draw each. */
  readonly level: 'sets' | 'apps';
  readonly apps: readonly MapApp[];
  readonly sets: readonly MapSet[];
  /** Ends of flows where data went to an integration itself or came from it; `integration:id`. */
  readonly integrations: readonly { readonly id: string; readonly name: string }[];
  readonly lines: readonly MapLine[];
  readonly totals: { readonly apps: number; readonly sets: number; readonly flows: number };
  /** What found no room in the picture. */
  readonly left: { readonly apps: number; readonly sets: number; readonly lines: number };
  readonly choices: {
    readonly apps: readonly string[];
    /** With all that lies above them. */
    readonly categories: readonly string[];
    readonly regions: readonly string[];
    readonly vendors: readonly string[];
  };
}

export interface KnownSet {
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly categories: readonly string[];
  readonly records: number;
  readonly region: string | null;
  readonly vendor: string | null;
}

const setId = (app: string, object: string): string => `set:${app}/${object}`;
const appId = (app: string): string => `app:${app}`;

function isAsked(set: KnownSet, query: MapQuery): boolean {
  return (
    (query.app === undefined || set.app === query.app) &&
    (query.label === undefined || set.label === query.label) &&
    (query.region === undefined || set.region === query.region) &&
    (query.vendor === undefined || set.vendor === query.vendor) &&
    (query.category === undefined || set.categories.some((one) => isWithin(one, query.category ?? '')))
  );
}

const STRENGTH: readonly Flow['how'][] = ['possible', 'inferred', 'inline'];

function linesOf(flows: readonly Flow[], nodeOf: (place: Flow['from'], flow: Flow) => string): MapLine[] {
  const lines = new Map<string, MapLine>();
  for (const flow of flows) {
    const [from, to] = [nodeOf(flow.from, flow), nodeOf(flow.to, flow)];
    const id = [from, to, flow.integration.id].join('|');
    const before = lines.get(id);
    const { how, label, categories, records, integration } = flow;
    const own: MapLine = { id, from, to, integration, how, label, categories, records, flows: 1, flowIds: [flow.id] };
    lines.set(id, before ? merge(before, own) : own);
  }
  return [...lines.values()].toSorted((a, b) => rankOf(b.label) - rankOf(a.label) || b.records - a.records);
}

function merge(a: MapLine, b: MapLine): MapLine {
  return {
    ...a,
    how: STRENGTH.indexOf(a.how) >= STRENGTH.indexOf(b.how) ? a.how : b.how,
    label: stricter(a.label, b.label),
    categories: [...new Set([...a.categories, ...b.categories])],
    records: a.records + b.records,
    flows: a.flows + b.flows,
    flowIds: [...a.flowIds, ...b.flowIds].slice(0, FLOW_IDS_MAX),
  };
}

function appsOf(sets: readonly (KnownSet & { isContext: boolean })[]): MapApp[] {
  return [...Map.groupBy(sets, ({ app }) => app)].map(([app, group]) => ({
    id: appId(app),
    app,
    label: group.reduce<Label>((label, set) => stricter(label, set.label), 'public'),
    sets: group.length,
    records: group.reduce((sum, set) => sum + set.records, 0),
    region: group[0]?.region ?? null,
    vendor: group[0]?.vendor ?? null,
    isContext: group.every(({ isContext }) => isContext),
  }));
}

function choicesOf(sets: readonly KnownSet[]): DataMap['choices'] {
  const sorted = (values: Iterable<string | null>): string[] =>
    [...new Set(values)].filter((one) => one !== null).toSorted();
  const above = (category: string): string[] =>
    category.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.'));
  return {
    apps: sorted(sets.map(({ app }) => app)),
    categories: sorted(sets.flatMap(({ categories }) => categories.flatMap(above))),
    regions: sorted(sets.map(({ region }) => region)),
    vendors: sorted(sets.map(({ vendor }) => vendor)),
  };
}

/** What a map of these data sets and flows shows: each data set while they are few, their apps otherwise. */
export function drawDataMap(known: readonly KnownSet[], flows: readonly Flow[], query: MapQuery): DataMap {
  const asked = new Set(known.filter((set) => isAsked(set, query)).map(({ app, object }) => setId(app, object)));
  const ends = ({ from, to }: Flow): string[] =>
    [from, to].filter(({ app }) => app !== '').map(({ app, object }) => setId(app, object));
  const touching = flows.filter((flow) => ends(flow).some((id) => asked.has(id)));
  const shown = new Set([...asked, ...touching.flatMap(ends)]);
  const sets = known
    .filter(({ app, object }) => shown.has(setId(app, object)))
    .map((set) => ({ ...set, isContext: !asked.has(setId(set.app, set.object)) }))
    .toSorted(
      (a, b) => Number(a.isContext) - Number(b.isContext) || rankOf(b.label) - rankOf(a.label) || b.records - a.records,
    );
  const level = sets.length > SETS_DRAWN_MAX && query.app === undefined ? 'apps' : 'sets';
  const drawnSets = level === 'sets' ? sets.slice(0, SETS_DRAWN_MAX) : [];
  const allApps = appsOf(level === 'sets' ? drawnSets : sets).toSorted(
    (a, b) => Number(a.isContext) - Number(b.isContext) || rankOf(b.label) - rankOf(a.label) || b.sets - a.sets,
  );
  const apps = allApps.slice(0, APPS_DRAWN_MAX);
  const drawnApps = new Set(apps.map(({ app }) => app));
  const inPicture = drawnSets.filter(({ app }) => drawnApps.has(app));
  const nodeOf = (place: Flow['from'], flow: Flow): string => {
    if (place.app === '') return `integration:${flow.integration.id}`;
    return level === 'sets' ? setId(place.app, place.object) : appId(place.app);
  };
  const lines = linesOf(touching, nodeOf);
  const nodes = new Set(
    level === 'sets' ? inPicture.map(({ app, object }) => setId(app, object)) : apps.map(({ id }) => id),
  );
  const isDrawn = (id: string): boolean => id.startsWith('integration:') || nodes.has(id);
  const drawnLines = lines.filter(({ from, to }) => isDrawn(from) && isDrawn(to)).slice(0, LINES_DRAWN_MAX);
  const used = new Set(drawnLines.flatMap(({ from, to }) => [from, to]));
  const integrations = new Map(
    touching
      .map(({ integration }) => [`integration:${integration.id}`, integration.name] as const)
      .filter(([id]) => used.has(id)),
  );
  return {
    level,
    apps,
    sets: inPicture.map(({ app, object, label, categories, records, isContext }) => {
      return { id: setId(app, object), app, object, label, categories, records, isContext };
    }),
    integrations: [...integrations].map(([id, name]) => ({ id, name })),
    lines: drawnLines,
    totals: { apps: new Set(sets.map(({ app }) => app)).size, sets: sets.length, flows: touching.length },
    left: {
      apps: allApps.length - apps.length,
      sets: level === 'sets' ? sets.length - inPicture.length : 0,
      lines: lines.length - drawnLines.length,
    },
    choices: choicesOf(known),
  };
}

async function listKnownSets(db: Queryable): Promise<KnownSet[]> {
  const rows = await tablesOf(db)
    .selectFrom('data_set as s')
    .leftJoin('data_place as p', 'p.app', 's.app')
    .leftJoin('data_field as f', (join) =>
      join.onRef('f.app', '=', 's.app').onRef('f.object', '=', 's.object').on('f.category', '<>', 'system.operations'),
    )
    .select(['s.app', 's.object', 's.label', 's.records', 'p.region', 'p.vendor'])
    .select(
      sql<string[]>`coalesce(array_agg(distinct f.category) filter (where f.category is not null), '{}')`.as(
        'categories',
      ),
    )
    .groupBy(['s.app', 's.object', 's.label', 's.records', 'p.region', 'p.vendor'])
    .orderBy('s.app')
    .orderBy('s.object')
    .limit(SETS_READ_MAX)
    .execute();
  return rows.map((row) => ({ ...row, label: isLabel(row.label) ? row.label : 'internal' }));
}

/** The map of data: apps, what they hold, and what moved between them. */
export async function loadDataMap(db: Queryable, query: MapQuery): Promise<DataMap> {
  const [sets, flows] = await Promise.all([listKnownSets(db), listFlows(db, {})]);
  return drawDataMap(sets, flows, query);
}
