import { createHash, timingSafeEqual } from 'node:crypto';
import type { Queryable, SecretEnvelope } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { LinkInvalid } from '../errors.ts';
import { type Language, LANGUAGES } from '../questionnaire/form.ts';
import { tablesOf, type VendorsTables } from '../tables.ts';

/** 256 bits: nobody guesses one. */
export const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface PortalLink {
  readonly id: string;
  /** Null: the link leads to the open findings of `vendorId`. */
  readonly questionnaireId: string | null;
  readonly vendorId: string | null;
  readonly email: string;
  readonly language: Language;
  readonly questions: readonly string[] | null;
  readonly invitedBy: string;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  readonly openedAt: number | null;
  readonly createdAt: number;
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

export function toLink(row: Selectable<VendorsTables['portal_links']>): PortalLink {
  return {
    id: row.id,
    questionnaireId: row.questionnaire_id,
    vendorId: row.vendor_id,
    email: row.email,
    language: LANGUAGES.find((one) => one === row.language) ?? 'en',
    questions: row.questions === null ? null : z.array(z.string()).parse(row.questions),
    invitedBy: row.invited_by,
    expiresAt: row.expires_at.getTime(),
    revokedAt: row.revoked_at?.getTime() ?? null,
    openedAt: row.opened_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
  };
}

const refusal = (): LinkInvalid =>
  new LinkInvalid('This link does not work (any more). Ask whoever sent it for a new one.');

/** The live link that a token opens. Guessed, expired and revoked ones are refused alike. */
export async function findLink(db: Queryable, token: unknown, now: number): Promise<PortalLink> {
  if (typeof token !== 'string' || !TOKEN.test(token)) throw refusal();
  const hash = hashToken(token);
  const row = await tablesOf(db)
    .selectFrom('portal_links')
    .selectAll()
    .where('token_sha256', '=', hash)
    .executeTakeFirst();
  if (!row || !timingSafeEqual(row.token_sha256, hash)) throw refusal();
  const link = toLink(row);
  if (link.revokedAt !== null || link.expiresAt <= now) throw refusal();
  return link;
}

export async function loadLink(db: Queryable, id: string, now: number): Promise<PortalLink> {
  const row = await tablesOf(db).selectFrom('portal_links').selectAll().where('id', '=', id).executeTakeFirst();
  const link = row && toLink(row);
  if (!link || link.revokedAt !== null || link.expiresAt <= now) throw refusal();
  return link;
}

interface NewLink {
  readonly id: string;
  readonly token: string;
  /** Where it leads: one of the two. */
  readonly questionnaireId?: string;
  readonly vendorId?: string;
  readonly email: string;
  readonly language: Language;
  readonly questions: readonly string[] | null;
  readonly invitedBy: string;
  readonly expiresAt: number;
  readonly at: number;
}

export async function insertLink(tx: Queryable, envelope: SecretEnvelope, link: NewLink): Promise<void> {
  await tablesOf(tx)
    .insertInto('portal_links')
    .values({
      id: link.id,
      questionnaire_id: link.questionnaireId ?? null,
      vendor_id: link.vendorId ?? null,
      email: link.email,
      language: link.language,
      token_sha256: hashToken(link.token),
      sealed: envelope.seal(link.token, `portal-link:${link.id}`),
      questions: link.questions === null ? null : JSON.stringify(link.questions),
      invited_by: link.invitedBy,
      expires_at: new Date(link.expiresAt),
      revoked_at: null,
      opened_at: null,
      created_at: new Date(link.at),
    })
    .execute();
}

export async function listLinks(db: Queryable, questionnaireId: string): Promise<PortalLink[]> {
  const query = tablesOf(db).selectFrom('portal_links').selectAll().where('questionnaire_id', '=', questionnaireId);
  return (await query.orderBy('created_at').limit(200).execute()).map(toLink);
}

/** Links to a vendor's open findings. */
export async function listFindingLinks(db: Queryable, vendorId: string): Promise<PortalLink[]> {
  const query = tablesOf(db).selectFrom('portal_links').selectAll().where('vendor_id', '=', vendorId);
  return (await query.orderBy('created_at').limit(200).execute()).map(toLink);
}

/** The address that a link's mail carries. The token stands behind `#`: browsers send that part to nobody. */
export function addressOf(publicUrl: string, token: string): string {
  return `${publicUrl}/portal#${token}`;
}
