import type { Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { fingerprint } from './fingerprint.ts';
import { tablesOf } from './tables.ts';
import { decodeSketch, encodeSketch, removeFromSketch } from './theta-sketch.ts';

const APPS_MAX = 500;

export interface Forgetting {
  readonly key: { readonly id: string; readonly key: Buffer };
  readonly prints: readonly Buffer[];
  /** `app\0object` of places where a record of the person stays. */
  readonly kept: ReadonlySet<string>;
  /** Records that are gone, for the signatures of their texts. */
  readonly records: readonly { readonly app: string; readonly object: string; readonly id: string }[];
}

/** Takes every trace of a person out of what Cordon remembers, except where a record of theirs has to stay. */
export async function forgetPerson(tx: Transaction, what: Forgetting): Promise<{ readonly places: number }> {
  const { key, prints, kept, records } = what;
  const tables = tablesOf(tx);
  const stays = [...kept];
  let places = 0;
  for (const print of prints) {
    const gone = await tables
      .deleteFrom('data_print')
      .where('print', '=', print)
      .where(
        sql<boolean>`app || chr(1) || object <> all(${stays.map((place) => place.replace('\0', '\u0001'))}::text[])`,
      )
      .executeTakeFirst();
    places += Number(gone.numDeletedRows);
    const left = await tables.selectFrom('data_print').select('app').distinct().where('print', '=', print).execute();
    const apps = left.map(({ app }) => app);
    await tables
      .deleteFrom('spread_sighting')
      .where('print', '=', print)
      .where(sql<boolean>`app <> all(${apps}::text[])`)
      .execute();
    if (apps.length < 2) await tables.deleteFrom('data_flow_record').where('print', '=', print).execute();
  }
  await unsketch(tx, prints);
  for (const { app, object, id } of records) {
    const document = fingerprint(key.key, 'customer-id', `${app} ${object} ${id}`)?.toString('base64url');
    if (document === undefined) continue;
    await tables
      .deleteFrom('data_document')
      .where('key_id', '=', key.id)
      .where('app', '=', app)
      .where('object', '=', object)
      .where('document', '=', document)
      .execute();
  }
  return { places };
}

/** A sketch of an app keeps no hash of somebody whom no place of that app holds any more. */
async function unsketch(tx: Transaction, prints: readonly Buffer[]): Promise<void> {
  const tables = tablesOf(tx);
  const rows = await tables
    .selectFrom('data_sketch')
    .select(['key_id', 'app', 'sketch'])
    .orderBy('app')
    .limit(APPS_MAX)
    .forUpdate()
    .execute();
  for (const { key_id, app, sketch } of rows) {
    const held = await tables
      .selectFrom('data_print')
      .select('print')
      .distinct()
      .where('app', '=', app)
      .where('print', 'in', [...prints, Buffer.alloc(0)])
      .execute();
    const still = new Set(held.map(({ print }) => print.toString('base64url')));
    const gone = prints.filter((print) => !still.has(print.toString('base64url')));
    const next = encodeSketch(removeFromSketch(decodeSketch(sketch), gone));
    if (next.length === sketch.length) continue;
    await tables
      .updateTable('data_sketch')
      .set({ sketch: next })
      .where('key_id', '=', key_id)
      .where('app', '=', app)
      .execute();
  }
}
