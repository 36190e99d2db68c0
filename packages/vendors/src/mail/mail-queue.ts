import { type SecretEnvelope, type Queryable, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { tablesOf } from '../tables.ts';

const mailSchema = z.strictObject({ to: z.string(), subject: z.string(), text: z.string() });
export type Mail = z.output<typeof mailSchema>;

/** Sends one message or throws. The composition root decides over what. */
export type SendMail = (mail: Mail, id: string) => Promise<void>;

const ATTEMPTS_MAX = 8;
const RETRY_MS = 30_000;
const BATCH_MAX = 20;

const contextOf = (id: string): string => `vendor-mail:${id}`;

/** Queues a message in the transaction of what it tells: sealed, since it may hold a code or a link. */
export async function queueMail(
  tx: Queryable,
  { envelope, at }: { readonly envelope: SecretEnvelope; readonly at: number },
  mail: Mail,
): Promise<void> {
  const id = uuidv7(at);
  const sealed = envelope.seal(JSON.stringify(mail), contextOf(id));
  const row = { id, sealed, attempts: 0, next_at: new Date(at), sent_at: null, failed: null, created_at: new Date(at) };
  await tablesOf(tx).insertInto('vendor_mail').values(row).execute();
}

/** Sends what is due; a failure is tried again later, and given up after a few hours. Returns how many went out. */
export async function sendQueued(
  db: Queryable,
  { envelope, now, send }: { readonly envelope: SecretEnvelope; readonly now: number; readonly send: SendMail },
): Promise<number> {
  const rows = await tablesOf(db)
    .selectFrom('vendor_mail')
    .select(['id', 'sealed', 'attempts'])
    .where('sent_at', 'is', null)
    .where('failed', 'is', null)
    .where('next_at', '<=', new Date(now))
    .orderBy('next_at')
    .limit(BATCH_MAX)
    .execute();
  let sent = 0;
  for (const { id, sealed, attempts } of rows) {
    const mail = mailSchema.parse(JSON.parse(envelope.open(sealed, contextOf(id)).toString('utf8')));
    const update = tablesOf(db).updateTable('vendor_mail').where('id', '=', id);
    try {
      await send(mail, id);
      // What was sent is not kept: it held a link or a code.
      await update.set({ sent_at: new Date(now), sealed: '', attempts: attempts + 1 }).execute();
      sent += 1;
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(0, 300) : 'unknown';
      const isLast = attempts + 1 >= ATTEMPTS_MAX;
      const next = new Date(now + RETRY_MS * 2 ** attempts);
      await update
        .set({ attempts: attempts + 1, next_at: next, ...(isLast ? { failed: why, sealed: '' } : {}) })
        .execute();
    }
  }
  return sent;
}
