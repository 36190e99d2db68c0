import { type Actor, authorize, type Clock, type Database, type SecretEnvelope } from '@cordon/kernel';
import { createClassifier, type Classifier } from '@cordon/classifier';
import type { Operations } from '@cordon/openapi';
import { dataObject } from './data-object.ts';
import { DataUnknown, InputInvalid } from './errors.ts';
import type { FieldCategories } from './field-category.ts';
import { fingerprint, guessKind, type PrintKind, printKind } from './fingerprint.ts';
import { loadFingerprintKey } from './fingerprint-key.ts';
import { type SeenField, saveFields, touchSet } from './inventory-store.ts';
import { likeness, signDocument } from './min-hash.ts';
import { findingValue } from './observer.ts';
import { listPlaces, loadSketches, type PrintSighting, savePrints, type SpreadPlace } from './print-store.ts';
import { tablesOf } from './tables.ts';
import { decodeSketch, estimateCount, intersectSketches } from './theta-sketch.ts';
import { walkJson } from './walk-json.ts';

const DOCUMENTS_MAX = 5_000;
const DOCUMENT_CHARS_MIN = 200;
const OPERATIONS_MAX = 2_000;
const NEIGHBOURS_MAX = 50;
const LIKENESS_MIN = 0.5;

export interface InventoryDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly categories: FieldCategories;
  readonly classifier?: Classifier;
}

/** What a connector reads, as far as this needs it. */
export interface SampledRecord {
  readonly id: string;
  readonly object: string;
  readonly title?: string | null | undefined;
  readonly content?: unknown;
}

export interface SampledSchema {
  readonly object: string;
  readonly fields: readonly { readonly name: string; readonly kind?: string | null | undefined }[];
}

const JSON_TYPES: Readonly<Record<string, string>> = {
  text: 'string',
  string: 'string',
  date: 'string',
  email: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
};

/** Finds data sets without traffic: in descriptions, in connectors' schemas, in samples that are read and dropped. */
export function createInventory(deps: InventoryDeps) {
  const { db, clock, envelope, categories } = deps;
  let classifier = deps.classifier;

  return {
    /** Data sets that an app's description speaks of. */
    async takeDescription(
      app: { readonly id: string; readonly name: string },
      operations: Operations,
    ): Promise<number> {
      const at = new Date(clock.now());
      const objects = new Map<string, Map<string, SeenField>>();
      const links: { operation: string; object: string }[] = [];
      for (const operation of operations.list.slice(0, OPERATIONS_MAX)) {
        const object = dataObject({ id: operation.id, template: operation.path });
        links.push({ operation: operation.id, object });
        const fields = objects.get(object) ?? new Map<string, SeenField>();
        objects.set(object, fields);
        const { read, write } = operations.fields(operation);
        for (const { path, type } of [...read, ...write]) {
          const { category } = categories.byName({ path, object, type });
          fields.set(path, {
            app: app.name,
            object,
            path,
            type,
            category,
            samples: 0,
            detections: {},
            source: 'openapi',
          });
        }
      }
      await db.transaction(async (tx) => {
        for (const [object, fields] of [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
          await touchSet(tx, app.name, object, { first: at, last: at }, 0);
          await saveFields(
            tx,
            [...fields.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
            at,
            at,
          );
        }
        for (const { operation, object } of links) {
          await tablesOf(tx)
            .insertInto('data_operation')
            .values({ app_id: app.id, app: app.name, operation, object })
            .onConflict((conflict) => conflict.columns(['app_id', 'operation']).doUpdateSet({ app: app.name, object }))
            .execute();
        }
      });
      return objects.size;
    },

    /** Data sets that a connector's `schema` stream lists. */
    async takeSchemas(app: string, schemas: readonly SampledSchema[]): Promise<void> {
      const at = new Date(clock.now());
      await db.transaction(async (tx) => {
        for (const { object, fields } of schemas.toSorted((a, b) => (a.object < b.object ? -1 : 1))) {
          await touchSet(tx, app, object, { first: at, last: at }, 0);
          const seen = fields.map(({ name, kind }): SeenField => {
            const type = JSON_TYPES[kind ?? ''] ?? null;
            const { category } = categories.byName({ path: name, object, type });
            return { app, object, path: name, type, category, samples: 0, detections: {}, source: 'schema' };
          });
          await saveFields(tx, [...new Map(seen.map((one) => [one.path, one])).values()], at, at);
        }
      });
    },

    /**
     * Looks at records one by one and keeps what an observation keeps: names, counts, fingerprints, signatures of long
     * texts. A record is dropped before the next is read.
     */
    async takeSample(app: string, records: AsyncIterable<SampledRecord>): Promise<{ readonly records: number }> {
      classifier ??= createClassifier();
      const key = await loadFingerprintKey(db, envelope);
      const at = new Date(clock.now());
      const fields = new Map<string, SeenField & { samples: number; detections: Record<string, number> }>();
      const perObject = new Map<string, number>();
      const sightings: PrintSighting[] = [];
      const documents: { object: string; id: string; signature: Buffer; bands: string[] }[] = [];
      let count = 0;
      for await (const record of records) {
        count += 1;
        const { object } = record;
        perObject.set(object, (perObject.get(object) ?? 0) + 1);
        const bytes = Buffer.from(JSON.stringify({ title: record.title ?? undefined, ...contentOf(record.content) }));
        const found = classifier.scan(bytes, { contentType: 'application/json' }).toSorted((a, b) => a.start - b.start);
        let next = 0;
        for (const leaf of walkJson(bytes)) {
          const id = `${object}\0${leaf.path}`;
          const field = fields.get(id) ?? {
            app,
            object,
            path: leaf.path,
            type: leaf.type,
            category: categories.byName({ path: leaf.path, object, type: leaf.type }).category,
            samples: 0,
            detections: {},
            source: 'record',
          };
          field.samples += 1;
          fields.set(id, field);
          for (; (found[next]?.start ?? Infinity) < leaf.end; next++) {
            const finding = found[next]!; // the loop's condition
            field.detections[finding.type] = (field.detections[finding.type] ?? 0) + 1;
            const kind = printKind(finding);
            const print = key && kind ? fingerprint(key.key, kind, findingValue(bytes, finding)) : null;
            if (key && kind && print) sightings.push(held(key.id, print, kind, app, object, leaf.path, at));
          }
          if (
            key &&
            leaf.type === 'string' &&
            leaf.end - leaf.start > DOCUMENT_CHARS_MIN &&
            documents.length < DOCUMENTS_MAX
          ) {
            const signed = signDocument(bytes.toString('utf8', leaf.start + 1, leaf.end - 1), key.key);
            const id = fingerprint(key.key, 'customer-id', `${app} ${object} ${record.id}`);
            if (signed && id)
              documents.push({
                object,
                id: id.toString('base64url'),
                signature: signed.signature,
                bands: [...signed.bands],
              });
          }
        }
      }
      await db.transaction(async (tx) => {
        for (const [object, records_] of [...perObject].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
          await touchSet(tx, app, object, { first: at, last: at }, records_);
        }
        await saveFields(
          tx,
          [...fields.values()].filter(({ path }) => path !== ''),
          at,
          at,
        );
        await savePrints(tx, sightings);
        for (const { object, id, signature, bands } of documents) {
          if (!key) break;
          await tablesOf(tx)
            .insertInto('data_document')
            .values({ key_id: key.id, app, object, document: id, signature, bands, last_seen: at })
            .onConflict((conflict) =>
              conflict
                .columns(['key_id', 'app', 'object', 'document'])
                .doUpdateSet({ signature, bands, last_seen: at }),
            )
            .execute();
        }
      });
      return { records: count };
    },

    /** Where a person or thing is, by an identifier that is typed, turned into its fingerprint and forgotten. */
    async findSpread(
      actor: Actor,
      identifier: string,
      kind: PrintKind = guessKind(identifier),
    ): Promise<{ readonly print: string; readonly kind: PrintKind; readonly places: readonly SpreadPlace[] }> {
      authorize(actor, 'data.find');
      const key = await loadFingerprintKey(db, envelope);
      if (!key) throw new DataUnknown('No fingerprints exist yet.');
      const print = fingerprint(key.key, kind, identifier);
      if (!print) throw new InputInvalid('An identifier has at least six characters.');
      return { print: print.toString('base64url'), kind, places: await listPlaces(db, print) };
    },

    /** How many records each pair of apps has in common; estimates, off by a few percent of the larger one. */
    async overlaps(actor: Actor) {
      authorize(actor, 'data.read');
      const sketches = (await loadSketches(db)).map(({ app, bytes }) => ({ app, sketch: decodeSketch(bytes) }));
      const apps = sketches.map(({ app, sketch }) => ({ app, records: estimateCount(sketch) }));
      const pairs = sketches.flatMap((a, index) =>
        sketches.slice(index + 1).map((b) => ({
          a: a.app,
          b: b.app,
          records: estimateCount(intersectSketches(a.sketch, b.sketch)),
        })),
      );
      return { apps, pairs: pairs.filter(({ records }) => records > 0).toSorted((x, y) => y.records - x.records) };
    },

    /** Pairs of long texts in different places that are much alike. */
    async nearDuplicates(actor: Actor) {
      authorize(actor, 'data.read');
      const rows = await tablesOf(db)
        .selectFrom('data_document as a')
        .innerJoin('data_document as b', (join) =>
          join
            .onRef('a.key_id', '=', 'b.key_id')
            .on((eb) => eb(eb.ref('a.bands'), '&&', eb.ref('b.bands')))
            .on((eb) => eb(eb.ref('a.document'), '<', eb.ref('b.document'))),
        )
        .select(['a.app as app_a', 'a.object as object_a', 'a.signature as sign_a'])
        .select(['b.app as app_b', 'b.object as object_b', 'b.signature as sign_b'])
        .limit(DOCUMENTS_MAX)
        .execute();
      return rows
        .map((row) => ({
          a: { app: row.app_a, object: row.object_a },
          b: { app: row.app_b, object: row.object_b },
          likeness: likeness(row.sign_a, row.sign_b),
        }))
        .filter((pair) => pair.likeness >= LIKENESS_MIN)
        .toSorted((x, y) => y.likeness - x.likeness)
        .slice(0, NEIGHBOURS_MAX);
    },
  };
}
export type Inventory = ReturnType<typeof createInventory>;

function contentOf(content: unknown): Record<string, unknown> {
  if (content === undefined || content === null) return {};
  if (typeof content === 'object' && !Array.isArray(content)) return { ...content };
  return { content };
}

function held(
  keyId: string,
  print: Buffer,
  kind: PrintKind,
  app: string,
  object: string,
  path: string,
  at: Date,
): PrintSighting {
  return {
    keyId,
    print,
    kind,
    path,
    app,
    object,
    direction: 'held',
    integrationId: '',
    integrationName: '',
    first: at,
    last: at,
    seen: 1,
  };
}
