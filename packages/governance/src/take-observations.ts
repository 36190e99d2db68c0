import { type Clock, type Database, type Transaction, uuidv7 } from '@cordon/kernel';
import { dataObject } from './data-object.ts';
import type { FieldCategories } from './field-category.ts';
import { saveFields, touchSet } from './inventory-store.ts';
import { type ObservationLine, observationLine } from './observation.ts';
import { inferFlows, noteInlineFlow } from './flow-store.ts';
import { type PrintSighting, savePrints } from './print-store.ts';
import { tablesOf } from './tables.ts';

export interface TakeDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly categories: FieldCategories;
}

export function parseObservations(ndjson: string): { lines: ObservationLine[]; refused: number } {
  const lines: ObservationLine[] = [];
  let refused = 0;
  for (const text of ndjson.split('\n')) {
    if (text === '') continue;
    try {
      lines.push(observationLine.parse(JSON.parse(text)));
    } catch {
      refused += 1;
    }
  }
  return { lines, refused };
}

/** Everything that one line tells, in the caller's transaction. */
async function takeLine(tx: Transaction, deps: TakeDeps, line: ObservationLine): Promise<PrintSighting[]> {
  const app = line.app.name;
  const object = dataObject(line.operation);
  const first = new Date(line.firstAt);
  const last = new Date(line.lastAt);
  await tablesOf(tx)
    .insertInto('data_operation')
    .values({ app_id: line.app.id, app, operation: line.operation.id, object })
    .onConflict((conflict) => conflict.columns(['app_id', 'operation']).doUpdateSet({ app, object }))
    .execute();
  await touchSet(tx, app, object, { first, last }, line.records);
  const fields = line.fields
    .filter(({ path }) => path !== '')
    .map(({ path, type, samples, detections }) => {
      const { category } = deps.categories.byName({ path, object, type });
      return { app, object, path, type, category, samples, detections, source: 'traffic' };
    });
  await saveFields(tx, fields, first, last);
  await noteInlineFlow(tx, line, { app, object }, uuidv7(deps.clock.now()));
  const { keyId } = line;
  if (keyId === null) return [];
  return line.prints.map(({ print, kind, path, seen }) => ({
    keyId,
    print: Buffer.from(print, 'base64url'),
    kind,
    path,
    app,
    object,
    direction: line.direction,
    integrationId: line.integration.id,
    integrationName: line.integration.name,
    first,
    last,
    seen,
  }));
}

/**
 * Takes a batch of a gateway over, once: the batch's key is written in the same transaction, so a repeat after a lost
 * answer changes nothing. Lines come sorted by app and object so that two batches never wait for each other in a circle.
 */
export async function takeObservations(
  deps: TakeDeps,
  key: string,
  lines: readonly ObservationLine[],
): Promise<{ readonly taken: number; readonly flows: number }> {
  const at = new Date(deps.clock.now());
  return deps.db.transaction(async (tx) => {
    const fresh = await tablesOf(tx)
      .insertInto('data_observation_batch')
      .values({ key, at })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(fresh.numInsertedOrUpdatedRows ?? 0) === 0) return { taken: 0, flows: 0 };
    const sightings: PrintSighting[] = [];
    for (const line of lines.toSorted((a, b) => order(a).localeCompare(order(b)))) {
      sightings.push(...(await takeLine(tx, deps, line)));
    }
    const known = await savePrints(tx, sightings);
    const flows = await inferFlows(tx, known, () => uuidv7(deps.clock.now()));
    return { taken: lines.length, flows };
  });
}

const order = (line: ObservationLine): string =>
  [line.app.name, dataObject(line.operation), line.direction, line.integration.id].join('\0');
