import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock, Database, Queryable, SecretEnvelope, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { ProofNotFound } from './errors.ts';
import type { NodeName, ReadNodes, TreeNode } from './merkle.ts';
import { type NoteKey, noteKey } from './note.ts';
import { tablesOf } from './tables.ts';

export interface ProofLog {
  readonly name: string;
  readonly key: NoteKey;
  readonly size: number;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly signedAt: number;
  readonly note: string;
}

const sealedAs = (name: string): string => `proof-log:${name}`;

/** The log, made with a key of its own at the first call. The origin of a log that exists stays what it was. */
export async function ensureLog(
  deps: { readonly db: Database; readonly envelope: SecretEnvelope; readonly clock: Clock },
  name: string,
  origin: string,
): Promise<ProofLog> {
  const found = await findLog(deps.db, name);
  if (found) return found;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await tablesOf(deps.db)
    .insertInto('proof_logs')
    .values({
      name,
      origin,
      public_key: publicKey.export({ type: 'spki', format: 'pem' }),
      sealed_private: deps.envelope.seal(privateKey.export({ type: 'pkcs8', format: 'der' }), sealedAs(name)),
      size: 0,
      created_at: new Date(deps.clock.now()),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return loadLog(deps.db, name);
}

export async function findLog(db: Queryable, name: string): Promise<ProofLog | null> {
  const row = await tablesOf(db)
    .selectFrom('proof_logs')
    .select(['name', 'origin', 'public_key', 'size'])
    .where('name', '=', name)
    .executeTakeFirst();
  return row ? { name, size: row.size, key: noteKey(row.origin, createPublicKey(row.public_key)) } : null;
}

export async function loadLog(db: Queryable, name: string): Promise<ProofLog> {
  const log = await findLog(db, name);
  if (!log) throw new ProofNotFound(`There is no log ${name}, or it holds nothing yet.`, { log: name });
  return log;
}

/** As `loadLog`, under its lock: one process extends or signs it at a time. */
export async function lockLog(tx: Transaction, name: string): Promise<ProofLog> {
  await tablesOf(tx).selectFrom('proof_logs').select('name').where('name', '=', name).forUpdate().execute();
  return loadLog(tx, name);
}

export async function loadSigningKey(db: Queryable, envelope: SecretEnvelope, name: string): Promise<KeyObject> {
  const row = await tablesOf(db)
    .selectFrom('proof_logs')
    .select('sealed_private')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return createPrivateKey({ key: envelope.open(row.sealed_private, sealedAs(name)), format: 'der', type: 'pkcs8' });
}

/** Brings signing keys under the newest key-encryption key; returns how many were. */
export async function rewrapProofKeys(db: Database, envelope: SecretEnvelope): Promise<number> {
  return db.transaction(async (tx) => {
    const rows = await tablesOf(tx).selectFrom('proof_logs').select(['name', 'sealed_private']).forUpdate().execute();
    let count = 0;
    for (const row of rows) {
      const sealed = envelope.rewrap(row.sealed_private, sealedAs(row.name));
      if (sealed === null) continue;
      await tablesOf(tx)
        .updateTable('proof_logs')
        .set({ sealed_private: sealed })
        .where('name', '=', row.name)
        .execute();
      count += 1;
    }
    return count;
  });
}

export async function addNodes(tx: Transaction, log: string, size: number, nodes: readonly TreeNode[]): Promise<void> {
  const columns = sql`select ${log}, * from unnest(${nodes.map((node) => node.level)}::smallint[],
    ${nodes.map((node) => node.index)}::bigint[], ${nodes.map((node) => node.hash)}::bytea[])`;
  await sql`insert into proof_nodes (log, level, index, hash) ${columns}`.execute(tablesOf(tx));
  await tablesOf(tx).updateTable('proof_logs').set({ size }).where('name', '=', log).execute();
}

/** Reads complete nodes of a log, in the order asked for. */
export function nodeReader(db: Queryable, log: string): ReadNodes {
  return async (names: readonly NodeName[]) => {
    if (names.length === 0) return [];
    const { rows } = await sql<{
      hash: Buffer;
    }>`select n.hash from unnest(${names.map((name) => name.level)}::smallint[],
      ${names.map((name) => name.index)}::bigint[]) with ordinality as wanted (level, index, place)
      join proof_nodes n on n.log = ${log} and n.level = wanted.level and n.index = wanted.index
      order by wanted.place`.execute(tablesOf(db));
    if (rows.length !== names.length) throw new ProofNotFound(`The log ${log} misses nodes of its tree.`, { log });
    return rows.map((row) => row.hash);
  };
}

export async function saveCheckpoint(
  tx: Transaction,
  log: string,
  checkpoint: { size: number; root: Buffer; note: string; at: number },
): Promise<void> {
  const { size, root, note, at } = checkpoint;
  await tablesOf(tx)
    .insertInto('proof_checkpoints')
    .values({ log, size, root, note, signed_at: new Date(at) })
    .onConflict((conflict) => conflict.columns(['log', 'size']).doUpdateSet({ note, signed_at: new Date(at) }))
    .execute();
}

function toCheckpoint(row: { size: number; signed_at: Date; note: string }): StoredCheckpoint {
  return { size: row.size, signedAt: row.signed_at.getTime(), note: row.note };
}

export async function latestCheckpoint(db: Queryable, log: string): Promise<StoredCheckpoint | null> {
  const row = await tablesOf(db)
    .selectFrom('proof_checkpoints')
    .select(['size', 'signed_at', 'note'])
    .where('log', '=', log)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ? toCheckpoint(row) : null;
}

export async function checkpointsBetween(
  db: Queryable,
  log: string,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<StoredCheckpoint[]> {
  const rows = await tablesOf(db)
    .selectFrom('proof_checkpoints')
    .select(['size', 'signed_at', 'note'])
    .where('log', '=', log)
    .where('size', '>', range.after)
    .where('size', '<=', range.upTo)
    .orderBy('size')
    .limit(range.limit)
    .execute();
  return rows.map((row) => toCheckpoint(row));
}

/** Adds a cosignature line to a stored checkpoint. */
export async function addCosignature(db: Queryable, log: string, size: number, line: string): Promise<void> {
  await tablesOf(db)
    .updateTable('proof_checkpoints')
    .set({ note: sql`note || ${`${line}\n`}` })
    .where('log', '=', log)
    .where('size', '=', size)
    .where(sql<boolean>`position(${line} in note) = 0`)
    .execute();
}
