import { type Queryable, type SecretEnvelope, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { queueMail } from '../mail/mail-queue.ts';
import type { Vendor } from '../register/vendor.ts';
import { SEVERITIES, type Severity } from '../score/weights.ts';
import { monitoringTablesOf } from './monitoring-tables.ts';

const NEWS_MAX = 200;
const TITLE_CHARS_MAX = 500;
/** What is below tells nobody by mail; it stands on the vendor's page. */
const MAILED: readonly string[] = ['critical', 'high', 'medium'];

export const NEWS_KINDS = ['host', 'notice', 'contradiction', 'client', 'score'] as const;
export type NewsKind = (typeof NEWS_KINDS)[number];

export interface NewsItem {
  readonly kind: NewsKind;
  readonly severity: Severity | 'info';
  readonly title: string;
  /** What it is about, for links: a host, a case, a connection. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface StoredNews extends NewsItem {
  readonly id: string;
  readonly vendorId: string | null;
  readonly at: number;
}

export interface NewsContext {
  readonly envelope: SecretEnvelope;
  readonly publicUrl: string;
}

/** The owner's mail address, where the register's entry holds one. */
export function ownerAddress(owner: string): string | null {
  return /[^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;]+/.exec(owner)?.[0] ?? null;
}

/** Keeps news, and tells the vendor's owner by mail what is more than a remark. */
export async function tellNews(
  tx: Queryable,
  { envelope, publicUrl }: NewsContext,
  vendor: Pick<Vendor, 'id' | 'name' | 'profile'> | null,
  items: readonly NewsItem[],
  at: number,
): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map(({ kind, severity, title, detail }) => ({
    id: uuidv7(at),
    vendor_id: vendor?.id ?? null,
    kind,
    severity,
    title: title.slice(0, TITLE_CHARS_MAX),
    detail: JSON.stringify(detail),
    at: new Date(at),
  }));
  await monitoringTablesOf(tx).insertInto('vendor_news').values(rows).execute();
  const to = vendor === null ? null : ownerAddress(vendor.profile.owner);
  const worth = items.filter(({ severity }) => MAILED.includes(severity));
  if (vendor === null || to === null || worth.length === 0) return;
  const lines = worth.map(({ severity, title }) => `- ${severity}: ${title}`);
  const text = `News of ${vendor.name}:\n\n${lines.join('\n')}\n\n${publicUrl}/vendors/${vendor.id}\n`;
  await queueMail(tx, { envelope, at }, { to, subject: `Cordon: news of ${vendor.name}`, text });
}

const severity = z.enum([...SEVERITIES, 'info']);

export async function listNews(db: Queryable, vendorId?: string): Promise<StoredNews[]> {
  let query = monitoringTablesOf(db).selectFrom('vendor_news').selectAll().orderBy('at', 'desc').limit(NEWS_MAX);
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  const rows = await query.orderBy('id', 'desc').execute();
  return rows.map((row) => ({
    id: row.id,
    vendorId: row.vendor_id,
    kind: z.enum(NEWS_KINDS).parse(row.kind),
    severity: severity.parse(row.severity),
    title: row.title,
    detail: z.record(z.string(), z.unknown()).parse(row.detail),
    at: row.at.getTime(),
  }));
}
