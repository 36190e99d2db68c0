import type { Queryable } from '@cordon/kernel';
import type { Flow } from './flow-store.ts';
import { listFlows } from './flow-store.ts';
import { tablesOf } from './tables.ts';

const FIELDS_MAX = 100_000;

interface FidesField {
  readonly name: string;
  data_categories?: string[];
  fields?: FidesField[];
}

interface FidesSide {
  readonly fides_key: string;
  readonly type: 'system';
  readonly data_categories: readonly string[];
}

/** A manifest in the form of fideslang 1.x: what `fides push` reads, as JSON. */
export interface Fideslang {
  readonly dataset: readonly {
    readonly fides_key: string;
    readonly name: string;
    readonly collections: readonly { readonly name: string; readonly fields: readonly FidesField[] }[];
  }[];
  readonly system: readonly {
    readonly fides_key: string;
    readonly name: string;
    readonly system_type: 'Application';
    readonly dataset_references: readonly string[];
    readonly ingress: readonly FidesSide[];
    readonly egress: readonly FidesSide[];
    /** Empty: a declaration needs a data use out of fides' own list, which a flow's free text is not. */
    readonly privacy_declarations: readonly never[];
  }[];
}

interface Row {
  readonly app: string;
  readonly object: string;
  readonly path: string;
  readonly category: string;
}

const keyOf = (app: string): string => app.replace(/[^\w.<>-]/g, '_');

function addField(fields: FidesField[], path: readonly string[], category: string): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  let field = fields.find((one) => one.name === name);
  if (!field) {
    field = { name };
    fields.push(field);
  }
  if (rest.length === 0) field.data_categories = [category];
  else addField((field.fields ??= []), rest, category);
}

/** Data sets as datasets, apps as systems, flows between two apps as egress and ingress. */
export function fideslangOf(rows: readonly Row[], flows: readonly Flow[]): Fideslang {
  const between = flows.filter(({ from, to, how }) => from.app !== '' && to.app !== '' && how !== 'possible');
  const byApp = Map.groupBy(rows, ({ app }) => app);
  const apps = new Set([...byApp.keys(), ...between.flatMap(({ from, to }) => [from.app, to.app])]);
  const side = (app: string, flow: Flow): FidesSide => ({
    fides_key: keyOf(app),
    type: 'system',
    data_categories: flow.categories,
  });
  return {
    dataset: [...byApp].map(([app, ofApp]) => ({
      fides_key: keyOf(app),
      name: app,
      collections: [...Map.groupBy(ofApp, ({ object }) => object)].map(([name, ofObject]) => {
        const fields: FidesField[] = [];
        for (const { path, category } of ofObject)
          addField(fields, path.replaceAll('[]', '').split('.').filter(Boolean), category);
        return { name, fields };
      }),
    })),
    system: [...apps].toSorted().map((app) => ({
      fides_key: keyOf(app),
      name: app,
      system_type: 'Application',
      dataset_references: byApp.has(app) ? [keyOf(app)] : [],
      ingress: between.filter(({ to }) => to.app === app).map((flow) => side(flow.from.app, flow)),
      egress: between.filter(({ from }) => from.app === app).map((flow) => side(flow.to.app, flow)),
      privacy_declarations: [],
    })),
  };
}

export async function exportFideslang(db: Queryable): Promise<Fideslang> {
  const rows = await tablesOf(db)
    .selectFrom('data_field')
    .select(['app', 'object', 'path', 'category'])
    .orderBy('app')
    .orderBy('object')
    .orderBy('path')
    .limit(FIELDS_MAX)
    .execute();
  return fideslangOf(rows, await listFlows(db, {}));
}
