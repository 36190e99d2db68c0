import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Logger,
  type Queryable,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { parseCheckpoint } from './checkpoint.ts';
import { ProofNotFound, WitnessInvalid } from './errors.ts';
import { addCosignature, latestCheckpoint, nodeReader } from './log-store.ts';
import { consistencyProof } from './merkle.ts';
import { checkSignatures, decodeKey, parseSignatureLine } from './note.ts';
import { tablesOf } from './tables.ts';

export const WITNESSES_MAX = 16;
const ANSWER_BYTES_MAX = 16 * 1024;
const ANSWER_LINES_MAX = 16;
const WITNESS_MS_MAX = 10_000;
const ERROR_CHARS_MAX = 300;

export const witnessInput = z.strictObject({
  name: z.string().trim().min(1).max(100),
  /** The submission prefix: `/add-checkpoint` is appended. */
  url: z.url({ protocol: /^https?$/ }).max(500),
  vkey: z.string().max(500),
});
export type WitnessInput = z.input<typeof witnessInput>;

export interface WitnessLogState {
  readonly log: string;
  readonly size: number;
  readonly cosignedAt: number | null;
  readonly error: string | null;
}

export interface Witness {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly vkey: string;
  readonly logs: readonly WitnessLogState[];
}

export async function listWitnesses(db: Queryable): Promise<Witness[]> {
  const rows = await tablesOf(db)
    .selectFrom('proof_witnesses')
    .selectAll()
    .orderBy('name')
    .limit(WITNESSES_MAX)
    .execute();
  const states = await tablesOf(db)
    .selectFrom('proof_witness_state')
    .selectAll()
    .orderBy('log')
    .limit(WITNESSES_MAX * 16)
    .execute();
  return rows.map(({ id, name, url, vkey }) => ({
    id,
    name,
    url,
    vkey,
    logs: states
      .filter((state) => state.witness_id === id)
      .map(({ log, size, cosigned_at, error }) => ({ log, size, cosignedAt: cosigned_at?.getTime() ?? null, error })),
  }));
}

export interface WitnessCommands {
  add(actor: Actor, input: WitnessInput): Promise<{ readonly id: string }>;
  remove(actor: Actor, id: string): Promise<void>;
}

export function createWitnessCommands({ db, clock }: { db: Database; clock: Clock }): WitnessCommands {
  return {
    async add(actor, raw) {
      authorize(actor, 'system.write');
      const parsed = witnessInput.safeParse(raw);
      if (!parsed.success)
        throw new WitnessInvalid(`Not a witness: ${parsed.error.issues[0]?.message ?? 'malformed'}.`);
      const { name, url, vkey } = parsed.data;
      decodeKey(vkey);
      const { username, password, search, hash } = new URL(url);
      if (username || password || search || hash) {
        throw new WitnessInvalid('The address of a witness has no password, query or fragment.', {});
      }
      const id = uuidv7();
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const all = await tables.selectFrom('proof_witnesses').select('name').limit(WITNESSES_MAX).execute();
        if (all.length >= WITNESSES_MAX) throw new WitnessInvalid(`There are ${WITNESSES_MAX} witnesses already.`, {});
        if (all.some((one) => one.name === name)) throw new WitnessInvalid(`A witness named ${name} exists.`, { name });
        const at = clock.now();
        await tables
          .insertInto('proof_witnesses')
          .values({ id, name, url: url.replace(/\/+$/, ''), vkey: vkey.trim(), created_at: new Date(at) })
          .execute();
        await appendAudit(tx, {
          actor,
          action: 'witness.added',
          target: { type: 'witness', id, name },
          detail: { url },
          at,
        });
      });
      return { id };
    },

    async remove(actor, id) {
      authorize(actor, 'system.write');
      await db.transaction(async (tx) => {
        const row = await tablesOf(tx)
          .deleteFrom('proof_witnesses')
          .where('id', '=', id)
          .returning(['id', 'name'])
          .executeTakeFirst();
        if (!row) throw new ProofNotFound('There is no such witness.', { id });
        await appendAudit(tx, {
          actor,
          action: 'witness.removed',
          target: { type: 'witness', id, name: row.name },
          at: clock.now(),
        });
      });
    },
  };
}

export interface WitnessAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Sends one request to a witness; given so that tests and proxies can stand in. */
export type PostToWitness = (url: string, body: string) => Promise<WitnessAnswer>;

/** Follows no redirect and reads no more than a witness has to say. */
export async function postToWitness(url: string, body: string): Promise<WitnessAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(WITNESS_MS_MAX),
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new WitnessInvalid('The witness answered with too much.', {});
  }
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

interface Submission {
  readonly db: Database;
  readonly log: string;
  readonly witness: Witness;
  readonly post: PostToWitness;
}

/** One `add-checkpoint` of c2sp.org/tlog-witness; when the witness knows another size, once more from that. */
async function submit({ db, log, witness, post }: Submission, from: number, again = true): Promise<number> {
  const checkpoint = await latestCheckpoint(db, log);
  if (!checkpoint || checkpoint.size <= from) return from;
  const proof = await consistencyProof(from, checkpoint.size, nodeReader(db, log));
  const lines = [`old ${from}`, ...proof.map((hash) => hash.toString('base64'))];
  const own = parseCheckpoint(checkpoint.note);
  // Only the log's signatures: what other witnesses said is none of this one's business.
  const signatures = own.note.signatures.filter((one) => one.name === own.origin).map((one) => one.line);
  const body = `${lines.join('\n')}\n\n${own.note.text}\n${signatures.join('\n')}\n`;
  const answer = await post(`${witness.url}/add-checkpoint`, body);
  const known = /^(\d{1,16})\n$/.exec(answer.body)?.[1];
  if (answer.status === 409 && again && known !== undefined && Number(known) <= checkpoint.size) {
    if (Number(known) === from) throw new WitnessInvalid('The witness saw another tree of the same size.', {});
    return submit({ db, log, witness, post }, Number(known), false);
  }
  if (answer.status !== 200) throw new WitnessInvalid(`The witness answered with status ${answer.status}.`, {});
  const key = decodeKey(witness.vkey);
  const given = answer.body.split('\n').filter((line) => line !== '');
  for (const line of given.slice(0, ANSWER_LINES_MAX)) {
    const signature = parseSignatureLine(line);
    if (checkSignatures({ text: own.note.text, signatures: [signature] }, key).at === null) continue;
    await addCosignature(db, log, checkpoint.size, line);
    return checkpoint.size;
  }
  throw new WitnessInvalid('The witness answered without a cosignature of its key.', {});
}

/** Asks every witness to cosign the latest checkpoint of `log`. One that fails is reported and asked again next time. */
export async function askWitnesses(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: string;
  readonly post?: PostToWitness;
}): Promise<void> {
  const { db, clock, logger, log, post = postToWitness } = deps;
  const latest = await latestCheckpoint(db, log);
  if (!latest) return;
  for (const witness of await listWitnesses(db)) {
    const before = witness.logs.find((state) => state.log === log)?.size ?? 0;
    if (before === latest.size) continue;
    let [size, error]: [number, string | null] = [before, null];
    try {
      size = await submit({ db, log, witness, post }, before);
    } catch (cause) {
      error = (cause instanceof Error ? cause.message : String(cause)).slice(0, ERROR_CHARS_MAX);
      logger.warn({ err: cause, witness: witness.name, log }, 'a witness did not cosign');
    }
    const at = error === null ? new Date(clock.now()) : null;
    await tablesOf(db)
      .insertInto('proof_witness_state')
      .values({ witness_id: witness.id, log, size, cosigned_at: at, error })
      .onConflict((conflict) =>
        conflict.columns(['witness_id', 'log']).doUpdateSet({ size, error, ...(at ? { cosigned_at: at } : {}) }),
      )
      .execute();
  }
}
