import type { Database, SecretEnvelope } from '@cordon/kernel';
import { queueMail } from '../mail/mail-queue.ts';
import { addressOf, toLink } from '../portal/link.ts';
import { dayOf, MAIL_TEXTS } from '../portal/mail-texts.ts';
import { tablesOf } from '../tables.ts';
import { updateQuestionnaire } from './questionnaire-store.ts';

const DAY_MS = 86_400_000;
/** Reminded from a week before the day it is due, every third day. */
const BEFORE_MS = 7 * DAY_MS;
const EVERY_MS = 3 * DAY_MS;
const BATCH_MAX = 50;

/** Queues a reminder to everyone with a live link to a questionnaire that is due. Returns how many were reminded. */
export async function remindVendors(
  db: Database,
  { envelope, now, publicUrl }: { readonly envelope: SecretEnvelope; readonly now: number; readonly publicUrl: string },
): Promise<number> {
  return db.transaction(async (tx) => {
    const due = await tablesOf(tx)
      .selectFrom('questionnaires')
      .select(['id', 'title', 'due_at'])
      .where('state', '=', 'sent')
      .where('due_at', '<', new Date(now + BEFORE_MS))
      .where((eb) => eb.or([eb('reminded_at', 'is', null), eb('reminded_at', '<', new Date(now - EVERY_MS))]))
      .limit(BATCH_MAX)
      .forUpdate()
      .skipLocked()
      .execute();
    let count = 0;
    for (const { id, title, due_at: dueAt } of due) {
      const rows = await tablesOf(tx)
        .selectFrom('portal_links')
        .selectAll()
        .where('questionnaire_id', '=', id)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', new Date(now))
        .execute();
      for (const row of rows) {
        const { email, language } = toLink(row);
        const url = addressOf(publicUrl, envelope.open(row.sealed, `portal-link:${row.id}`).toString('utf8'));
        await queueMail(
          tx,
          { envelope, at: now },
          { to: email, ...MAIL_TEXTS[language].remind(title, url, dayOf(dueAt?.getTime() ?? now)) },
        );
        count += 1;
      }
      await updateQuestionnaire(tx, id, { remindedAt: new Date(now), at: new Date(now) });
    }
    return count;
  });
}
