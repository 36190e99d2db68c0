import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { z } from 'zod';
import { SourceExists, SourceUnknown, WatchInputInvalid } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { sealContext } from '../sealed.ts';
import { type Collect, SOURCES_CHANNEL } from './collect.ts';
import { createCredential, type Source, type sourceInput, type sourcePatch } from './source.ts';
import { loadSource, SOURCES_MAX } from './source-store.ts';

/** Tells the worker that dead letters wait to be tried again. */
export const REPLAY_CHANNEL = 'cordon_dead_letters';

export interface SourceContext {
  readonly db: Database;
  /** Seals the keys of buckets. */
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly random: (bytes: number) => Buffer;
  /** Whether a parser of this name is loaded. */
  readonly knowsProduct: (product: string) => boolean;
}

export interface SourceWithCredential {
  readonly source: Source;
  /** Shown this once; only its hash is kept. */
  readonly credential: string;
}

const PLAINTEXT = 'Over plain HTTP only a private address that is named exactly can be read: use https.';

function checkCollect(collect: Collect | null | undefined, hasSecret: boolean): void {
  if (collect?.kind !== 's3') return;
  if (!hasSecret) throw new WatchInputInvalid('Give the secret key too.', { field: 'collectSecret' });
  const isPrivate = collect.privateAddresses.includes(new URL(collect.endpoint).hostname.replace(/^\[|\]$/g, ''));
  if (collect.endpoint.startsWith('http:') && !isPrivate) {
    throw new WatchInputInvalid(PLAINTEXT, { field: 'collect.endpoint' });
  }
}

export function createSourceCommands({ db, clock, envelope, random, knowsProduct }: SourceContext) {
  const checkProduct = (product: string): void => {
    if (knowsProduct(product)) return;
    throw new WatchInputInvalid(`No parser reads "${product}".`, { field: 'product' });
  };
  const seal = (id: string, secret: string): string => envelope.seal(secret, sealContext('event_source', id));
  const changed = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    id: string,
    detail: object,
  ): Promise<Source> => {
    const at = clock.now();
    const source = await loadSource(tx, id, at);
    const target = { type: 'source', id, name: source.name };
    await appendAudit(tx, { actor, action, target, detail: { ...detail }, at });
    await tx.notify(SOURCES_CHANNEL, id);
    return source;
  };

  return {
    async create(actor: Actor, input: z.output<typeof sourceInput>): Promise<SourceWithCredential> {
      authorize(actor, 'source.write');
      checkProduct(input.product);
      checkCollect(input.collect, input.collectSecret !== undefined);
      const [at, credential] = [clock.now(), createCredential(random)];
      const id = uuidv7(at);
      const source = await db.transaction(async (tx) => {
        const tables = tx.tables<WatchTables>();
        const names = await tables.selectFrom('event_source').select('name').limit(SOURCES_MAX).execute();
        if (names.some(({ name }) => name === input.name)) throw new SourceExists(`There is a source ${input.name}.`);
        if (names.length >= SOURCES_MAX) throw new WatchInputInvalid(`There are ${SOURCES_MAX} sources already.`);
        await tables
          .insertInto('event_source')
          .values({
            id,
            name: input.name,
            product: input.product,
            credential_hash: credential.hash,
            credential_hint: credential.hint,
            status: 'active',
            rate_max: input.rateMax,
            collect: input.collect ? JSON.stringify(input.collect) : null,
            collect_error: null,
            sealed: input.collectSecret === undefined ? null : seal(id, input.collectSecret),
            created_at: at,
            created_by: describeActor(actor).name,
            updated_at: at,
          })
          .execute();
        const detail = { product: input.product, ...(input.collect && { collect: input.collect }) };
        return changed(tx, actor, 'source.created', id, detail);
      });
      return { source, credential: credential.value };
    },

    async update(actor: Actor, id: string, patch: z.output<typeof sourcePatch>): Promise<Source> {
      authorize(actor, 'source.write');
      if (patch.product !== undefined) checkProduct(patch.product);
      return db.transaction(async (tx) => {
        const { rateMax, collect, collectSecret, ...rest } = patch;
        const before = await tx
          .tables<WatchTables>()
          .selectFrom('event_source')
          .select('sealed')
          .where('id', '=', id)
          .executeTakeFirst();
        checkCollect(collect, collectSecret !== undefined || (before?.sealed ?? null) !== null);
        await tx
          .tables<WatchTables>()
          .updateTable('event_source')
          .set({
            ...(rest.product !== undefined && { product: rest.product }),
            ...(rest.status !== undefined && { status: rest.status }),
            ...(rateMax !== undefined && { rate_max: rateMax }),
            ...(collect !== undefined && {
              collect: collect === null ? null : JSON.stringify(collect),
              collect_error: null,
            }),
            ...(collectSecret !== undefined && { sealed: seal(id, collectSecret) }),
            updated_at: clock.now(),
          })
          .where('id', '=', id)
          .execute();
        const { collectSecret: _secret, ...said } = patch;
        return changed(tx, actor, 'source.updated', id, said);
      });
    },

    /** A new credential; the old one ends at once. */
    async rotate(actor: Actor, id: string): Promise<SourceWithCredential> {
      authorize(actor, 'source.write');
      const credential = createCredential(random);
      const source = await db.transaction(async (tx) => {
        await tx
          .tables<WatchTables>()
          .updateTable('event_source')
          .set({ credential_hash: credential.hash, credential_hint: credential.hint, updated_at: clock.now() })
          .where('id', '=', id)
          .execute();
        return changed(tx, actor, 'source.credential_rotated', id, {});
      });
      return { source, credential: credential.value };
    },

    /** Ends the source; its events stay in the lake, its dead letters go. */
    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'source.write');
      await db.transaction(async (tx) => {
        await changed(tx, actor, 'source.removed', id, {});
        await tx.tables<WatchTables>().deleteFrom('event_source').where('id', '=', id).execute();
      });
    },

    /** Has the worker try a source's dead letters again; gives their number. */
    async replay(actor: Actor, id: string): Promise<number> {
      authorize(actor, 'source.write');
      return db.transaction(async (tx) => {
        const result = await tx
          .tables<WatchTables>()
          .updateTable('dead_letter')
          .set({ status: 'replay', updated_at: clock.now() })
          .where('source_id', '=', id)
          .where('status', '=', 'waiting')
          .executeTakeFirst();
        const letters = Number(result.numUpdatedRows);
        await changed(tx, actor, 'source.replay_asked', id, { letters });
        await tx.notify(REPLAY_CHANNEL, id);
        return letters;
      });
    },

    async discard(actor: Actor, id: string, letterId: string): Promise<void> {
      authorize(actor, 'source.write');
      await db.transaction(async (tx) => {
        const result = await tx
          .tables<WatchTables>()
          .updateTable('dead_letter')
          .set({ status: 'discarded', raw: '', updated_at: clock.now() })
          .where('source_id', '=', id)
          .where('id', '=', letterId)
          .where('status', 'in', ['waiting', 'replay'])
          .executeTakeFirst();
        if (result.numUpdatedRows === 0n) throw new SourceUnknown('There is no such dead letter.');
        await changed(tx, actor, 'source.dead_letter_discarded', id, { letter: letterId });
      });
    },
  };
}

export type SourceCommands = ReturnType<typeof createSourceCommands>;
