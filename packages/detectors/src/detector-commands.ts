import { createHash } from 'node:crypto';
import {
  ClassifierError,
  createClassifier,
  createExactHasher,
  type Finding,
  OWN_DOCUMENT_CHARS_MAX,
  packExactList,
  packOwnRule,
  unpackOwnRule,
} from '@cordon/classifier';
import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Logger,
  requireStepUp,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { OwnDetectorChange, OwnDetectorInput } from './detector-input.ts';
import { currentKey, detectorKeyContext, type SealedKey } from './detector-key.ts';
import { listOwnDetectors, type OwnDetector } from './detector-store.ts';
import { OwnDetectorConflict, OwnDetectorInvalid, OwnDetectorUnknown } from './errors.ts';
import { createOwnClassifier } from './live-classifier.ts';
import { tablesOf } from './tables.ts';

const DETECTORS_MAX = 100;
/** All that gateways hold of own detectors together. */
const PACKED_BYTES_MAX = 48 * 1024 * 1024;
/** Values that are hashed before others get their turn. */
const HASHED_AT_ONCE = 2_000;

/** Tells gateways; the composition gives the estate's `publish`. */
export type PublishEntries = (
  tx: Transaction,
  publication: {
    readonly set?: readonly (readonly [key: string, value: unknown])[];
    readonly remove?: readonly string[];
    readonly at: number;
  },
) => Promise<unknown>;

export interface OwnDetectorDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly publish: PublishEntries;
}

/** What a document's file or a list's lines became on the way here. */
export type OwnContent =
  | { readonly kind: 'values'; readonly lines: AsyncIterable<string> }
  | { readonly kind: 'document'; readonly text: string; readonly least: number };

interface Packed {
  readonly packed: Buffer;
  readonly count: number;
}

/** Names the reason of the classifier as one for people. */
function pack(work: () => Packed): Packed {
  try {
    return work();
  } catch (error) {
    if (error instanceof ClassifierError) throw new OwnDetectorInvalid(`${error.message}.`, error.detail, error);
    throw error;
  }
}

/** Hashes line by line and lets others have their turn between, so that a million values hold nobody up. */
async function packValues(lines: AsyncIterable<string>, key: Uint8Array): Promise<Packed> {
  const hasher = createExactHasher(key);
  let hashed = 0;
  for await (const line of lines) {
    hasher.add(line);
    if (++hashed % HASHED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return packExactList(hasher.finish());
}

/** What people do with the organisation's own detectors. Each change is audited and sent to gateways. */
export function createOwnDetectorCommands(deps: OwnDetectorDeps) {
  const { db, clock, envelope, publish } = deps;
  const ownClassifier = createOwnClassifier(deps);

  const open = (key: SealedKey): Uint8Array => envelope.open(key.sealed, detectorKeyContext(key.id));

  const find = async (id: string): Promise<OwnDetector> => {
    const found = (await listOwnDetectors(db)).find((one) => one.id === id);
    if (!found) throw new OwnDetectorUnknown('There is no such detector.', { id });
    return found;
  };

  const allowed = (actor: Actor): void => {
    authorize(actor, 'policy.write');
    requireStepUp(actor, 'policy.write', clock.now());
  };

  /** An entry for gateways, or its removal where there is nothing to look for. */
  const tell = async (tx: Transaction, detector: OwnDetector, packedBytes: number, at: number): Promise<void> => {
    const { id, name, title, label, category, confidence, sha256, keyId } = detector;
    const key = `own-detector:${id}`;
    if (!detector.enabled || sha256 === null) {
      await publish(tx, { remove: [key], at });
      return;
    }
    const { sealed } = await tablesOf(tx)
      .selectFrom('own_detector_key')
      .select('sealed')
      .where('id', '=', keyId)
      .executeTakeFirstOrThrow();
    const entry = { id, name, title, label, category, confidence, sha256, bytes: packedBytes, keyId, sealed };
    await publish(tx, { set: [[key, entry]], at });
  };

  const note = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    { id, name }: Pick<OwnDetector, 'id' | 'name'>,
    detail: Record<string, unknown>,
  ): Promise<void> => {
    await appendAudit(tx, { actor, action, target: { type: 'own_detector', id, name }, detail, at: clock.now() });
  };

  /** Writes what a detector looks for; the caller has checked that it compiles. */
  const store = async (tx: Transaction, id: string, keyId: string, { packed, count }: Packed): Promise<void> => {
    const { held } = await tablesOf(tx)
      .selectFrom('own_detector')
      .select((eb) => eb.fn.coalesce(eb.fn.sum<number>(eb.fn<number>('length', ['packed'])), eb.lit(0)).as('held'))
      .where('id', '!=', id)
      .executeTakeFirstOrThrow();
    if (held + packed.length > PACKED_BYTES_MAX) {
      throw new OwnDetectorConflict(
        'All own detectors together would be too large for gateways. Remove one, or give a shorter list.',
        { bytesMax: PACKED_BYTES_MAX },
      );
    }
    await tablesOf(tx)
      .updateTable('own_detector')
      .set({
        packed,
        count,
        sha256: createHash('sha256').update(packed).digest('hex'),
        key_id: keyId,
        changed_at: new Date(clock.now()),
      })
      .where('id', '=', id)
      .execute();
  };

  const check = ({ name, label }: Pick<OwnDetector, 'name' | 'label'>, packed: Packed, key: Uint8Array): Packed =>
    pack(() => {
      createClassifier({ detectors: [], custom: [unpackOwnRule(packed.packed, { name, label }, key)] });
      return packed;
    });

  const sizeOf = async (tx: Transaction, id: string): Promise<number> => {
    const row = await tablesOf(tx)
      .selectFrom('own_detector')
      .select((eb) => eb.fn<number | null>('length', ['packed']).as('bytes'))
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.bytes ?? 0;
  };

  const announce = async (tx: Transaction, id: string, at: number): Promise<OwnDetector> => {
    const found = (await listOwnDetectors(tx)).find((one) => one.id === id);
    if (!found) throw new OwnDetectorUnknown('There is no such detector.', { id });
    await tell(tx, found, await sizeOf(tx, id), at);
    return found;
  };

  return {
    async create(actor: Actor, input: OwnDetectorInput): Promise<OwnDetector> {
      allowed(actor);
      const at = clock.now();
      const id = uuidv7(at);
      return db.transaction(async (tx) => {
        const known = await listOwnDetectors(tx);
        if (known.some(({ name }) => name === input.name)) {
          throw new OwnDetectorConflict(`Another detector is called ${input.name}.`, { name: input.name });
        }
        if (known.length >= DETECTORS_MAX) {
          throw new OwnDetectorConflict('There are as many own detectors as there may be.', { limit: DETECTORS_MAX });
        }
        const key = await currentKey(tx, envelope, at);
        await tablesOf(tx)
          .insertInto('own_detector')
          .values({
            id,
            name: input.name,
            kind: input.kind,
            title: input.title,
            label: input.label,
            category: input.category,
            confidence: input.confidence,
            enabled: true,
            count: 0,
            packed: null,
            sha256: null,
            key_id: key.id,
            created_by: actor.name,
            created_at: new Date(at),
            changed_at: new Date(at),
          })
          .execute();
        if (input.kind === 'dictionary' || input.kind === 'regex') {
          const secret = open(key);
          const packed = check(
            input,
            pack(() => packOwnRule(input, secret)),
            secret,
          );
          await store(tx, id, key.id, packed);
        }
        const { kind, title, label, category, confidence } = input;
        await note(
          tx,
          actor,
          'own_detector.created',
          { id, name: input.name },
          { kind, title, label, category, confidence },
        );
        return announce(tx, id, at);
      });
    },

    /** Gives a list or a document to look for, in place of what was given before. */
    async give(actor: Actor, id: string, content: OwnContent): Promise<OwnDetector> {
      allowed(actor);
      const detector = await find(id);
      const at = clock.now();
      if (
        (detector.kind === 'exact') !== (content.kind === 'values') ||
        !['exact', 'document'].includes(detector.kind)
      ) {
        throw new OwnDetectorInvalid(`${detector.name} is a ${detector.kind}: this is nothing it looks for.`);
      }
      const key = await db.transaction((tx) => currentKey(tx, envelope, at));
      const secret = open(key);
      let packed: Packed;
      if (content.kind === 'values') {
        packed = await packValues(content.lines, secret).catch((error: unknown) =>
          pack(() => {
            throw error;
          }),
        );
      } else {
        const { text, least } = content;
        if (text.length > OWN_DOCUMENT_CHARS_MAX) {
          throw new OwnDetectorInvalid('The document is too long.', { charsMax: OWN_DOCUMENT_CHARS_MAX });
        }
        packed = pack(() => packOwnRule({ kind: 'document', text, least }, secret));
      }
      check(detector, packed, secret);
      return db.transaction(async (tx) => {
        await store(tx, id, key.id, packed);
        await note(tx, actor, 'own_detector.given', detector, { count: packed.count, before: detector.count });
        return announce(tx, id, at);
      });
    },

    async change(actor: Actor, id: string, change: OwnDetectorChange): Promise<OwnDetector> {
      allowed(actor);
      const detector = await find(id);
      const { terms, pattern, ...fields } = change;
      if ((terms && detector.kind !== 'dictionary') || (pattern !== undefined && detector.kind !== 'regex')) {
        throw new OwnDetectorInvalid(`${detector.name} is a ${detector.kind}: this is nothing it looks for.`);
      }
      const at = clock.now();
      return db.transaction(async (tx) => {
        const key = await currentKey(tx, envelope, at);
        const secret = open(key);
        const rule = terms
          ? ({ kind: 'dictionary', terms } as const)
          : pattern === undefined
            ? undefined
            : ({ kind: 'regex', pattern } as const);
        if (rule)
          await store(
            tx,
            id,
            key.id,
            check(
              detector,
              pack(() => packOwnRule(rule, secret)),
              secret,
            ),
          );
        const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
        await tablesOf(tx)
          .updateTable('own_detector')
          .set({ ...set, changed_at: new Date(at) })
          .where('id', '=', id)
          .execute();
        await note(tx, actor, 'own_detector.changed', detector, { ...set, ...(rule && { content: rule.kind }) });
        return announce(tx, id, at);
      });
    },

    async remove(actor: Actor, id: string): Promise<void> {
      allowed(actor);
      const detector = await find(id);
      const at = clock.now();
      await db.transaction(async (tx) => {
        await tablesOf(tx).deleteFrom('own_detector').where('id', '=', id).execute();
        await publish(tx, { remove: [`own-detector:${id}`], at });
        await note(tx, actor, 'own_detector.removed', detector, { kind: detector.kind, count: detector.count });
      });
    },

    /** What all detectors, shipped and own, find in a text. Nothing of it is kept. */
    async try(actor: Actor, text: string): Promise<readonly Finding[]> {
      authorize(actor, 'data.read');
      return (await ownClassifier()).scan(Buffer.from(text), { contentType: 'text/plain' });
    },
  };
}
export type OwnDetectorCommands = ReturnType<typeof createOwnDetectorCommands>;
