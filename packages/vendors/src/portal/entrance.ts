import { createHash, timingSafeEqual } from 'node:crypto';
import type { Queryable } from '@cordon/kernel';
import type { VendorsContext } from '../context.ts';
import { CodeWrong, PortalSessionEnded, TooManyAttempts } from '../errors.ts';
import { queueMail } from '../mail/mail-queue.ts';
import { loadQuestionnaire } from '../questionnaire/questionnaire-store.ts';
import { loadVendor } from '../register/vendor-store.ts';
import { tablesOf } from '../tables.ts';
import { findLink, hashToken, loadLink, type PortalLink, TOKEN_BYTES } from './link.ts';
import { MAIL_TEXTS } from './mail-texts.ts';

const CODE_DIGITS = 6;
const CODE_MS = 10 * 60_000;
const CODE_ATTEMPTS_MAX = 5;
const CODE_EVERY_MS = 20_000;
/** Codes of one link in an hour: five wrong attempts each leave a guesser one chance in 20,000. */
const CODES_MAX = 10;
const WINDOW_MS = 3_600_000;
const SESSION_MS = 12 * 3_600_000;

const codeHash = (linkId: string, code: string): Buffer => createHash('sha256').update(`${linkId}:${code}`).digest();

/** `a***@example.com`: enough for whom it belongs to, too little for others. */
function masked(email: string): string {
  const [local = '', domain = ''] = email.split('@');
  return `${local.slice(0, 1)}***@${domain}`;
}

async function subjectOf(db: Queryable, { questionnaireId, vendorId }: PortalLink): Promise<{ title: string }> {
  if (questionnaireId !== null) return loadQuestionnaire(db, questionnaireId);
  return { title: (await loadVendor(db, vendorId ?? '')).name };
}

/** The way into the portal: a link, a code by mail to the address the link is for, a session. */
export function createEntrance({ db, clock, envelope, random }: VendorsContext) {
  /** Uniform digits: bytes that would favour some are thrown away. */
  const makeCode = (): string => {
    let code = '';
    while (code.length < CODE_DIGITS) {
      for (const byte of random(16)) if (byte < 250 && code.length < CODE_DIGITS) code += String(byte % 10);
    }
    return code;
  };

  return {
    /** What may be shown before the code: nothing but a questionnaire's title, or whose findings they are. */
    async look(token: unknown) {
      const link = await findLink(db, token, clock.now());
      const { title } = await subjectOf(db, link);
      const leadsTo = link.questionnaireId === null ? ('findings' as const) : ('questionnaire' as const);
      return { title, leadsTo, email: masked(link.email), language: link.language, expiresAt: link.expiresAt };
    },

    async sendCode(token: unknown): Promise<void> {
      const now = clock.now();
      const link = await findLink(db, token, now);
      const code = makeCode();
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        await tables.selectFrom('portal_links').select('id').where('id', '=', link.id).forUpdate().execute();
        const known = await tables
          .selectFrom('portal_codes')
          .selectAll()
          .where('link_id', '=', link.id)
          .executeTakeFirst();
        const isNewWindow = !known || now - known.window_at.getTime() > WINDOW_MS;
        if (known && now - known.sent_at.getTime() < CODE_EVERY_MS) {
          throw new TooManyAttempts('A code was sent a moment ago. Look into your mail, or ask again soon.');
        }
        if (known && !isNewWindow && known.sent >= CODES_MAX)
          throw new TooManyAttempts('Too many codes; try again in an hour.');
        const row = {
          link_id: link.id,
          code_sha256: codeHash(link.id, code),
          attempts: 0,
          sent: isNewWindow ? 1 : known.sent + 1,
          window_at: isNewWindow ? new Date(now) : known.window_at,
          sent_at: new Date(now),
          expires_at: new Date(now + CODE_MS),
        };
        await tables
          .insertInto('portal_codes')
          .values(row)
          .onConflict((conflict) => conflict.column('link_id').doUpdateSet(row))
          .execute();
        await queueMail(tx, { envelope, at: now }, { to: link.email, ...MAIL_TEXTS[link.language].code(code) });
      });
    },

    /** Trades a code for a session. A code works once, for a short time, and bears few wrong attempts. */
    async enter(token: unknown, code: string): Promise<{ session: string; expiresAt: number }> {
      const now = clock.now();
      const link = await findLink(db, token, now);
      const session = random(TOKEN_BYTES).toString('base64url');
      const expiresAt = Math.min(now + SESSION_MS, link.expiresAt);
      const passed = await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const row = await tables
          .selectFrom('portal_codes')
          .selectAll()
          .where('link_id', '=', link.id)
          .forUpdate()
          .executeTakeFirst();
        const isLive = row !== undefined && row.expires_at.getTime() > now && row.attempts < CODE_ATTEMPTS_MAX;
        const isRight = isLive && timingSafeEqual(row.code_sha256, codeHash(link.id, code));
        if (!isRight) {
          const count = tables.updateTable('portal_codes').set((eb) => ({ attempts: eb('attempts', '+', 1) }));
          await count.where('link_id', '=', link.id).execute();
          return false;
        }
        // Spent, not deleted: the count of codes an hour goes on.
        await tables
          .updateTable('portal_codes')
          .set({ expires_at: new Date(now) })
          .where('link_id', '=', link.id)
          .execute();
        await tables
          .insertInto('portal_sessions')
          .values({ token_sha256: hashToken(session), link_id: link.id, expires_at: new Date(expiresAt) })
          .execute();
        await tables
          .updateTable('portal_links')
          .set({ opened_at: new Date(now) })
          .where('id', '=', link.id)
          .where('opened_at', 'is', null)
          .execute();
        return true;
      });
      if (!passed) throw new CodeWrong('The code is wrong or too old. Ask for a new one.');
      return { session, expiresAt };
    },
  };
}

/** The link whose session this is; a revoked link ends its sessions at once. */
export async function findSession(db: Queryable, session: unknown, now: number): Promise<PortalLink> {
  const ended = new PortalSessionEnded('Your session has ended. Open the link again.');
  if (typeof session !== 'string' || session.length > 100) throw ended;
  const hash = hashToken(session);
  const row = await tablesOf(db)
    .selectFrom('portal_sessions')
    .selectAll()
    .where('token_sha256', '=', hash)
    .executeTakeFirst();
  if (!row || !timingSafeEqual(row.token_sha256, hash) || row.expires_at.getTime() <= now) throw ended;
  return loadLink(db, row.link_id, now);
}

/** Forgets sessions that are over. */
export async function sweepSessions(db: Queryable, now: number): Promise<void> {
  await tablesOf(db).deleteFrom('portal_sessions').where('expires_at', '<', new Date(now)).execute();
}
