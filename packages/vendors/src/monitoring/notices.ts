import { createHash } from 'node:crypto';
import { type Actor, appendAudit, authorize, type Queryable, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import type { Vendor } from '../register/vendor.ts';
import { listVendors, loadVendor } from '../register/vendor-store.ts';
import { type Severity, SEVERITIES } from '../score/weights.ts';
import type { CsafDocument } from './csaf-document.ts';
import { type FeedNotice, noticeOf, readFeed } from './feed-document.ts';
import { matchVendor } from './match-vendor.ts';
import { monitoringTablesOf } from './monitoring-tables.ts';
import { tellNews } from './news.ts';
import type { WatchContext } from './watch-hosts.ts';

const NOTICES_MAX = 500;

/** A notice for whoever keeps incidents: the case holds what the vendor reaches here. */
export interface CaseNotice {
  readonly vendor: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  readonly reference: string;
  readonly occurredAt: number | null;
  readonly csaf: string | null;
}
export type OpenNoticeCase = (
  actor: Actor,
  notice: CaseNotice,
) => Promise<{ readonly caseId: string; readonly reach: string }>;

export interface NoticeContext extends WatchContext {
  readonly openCase: OpenNoticeCase;
}

export interface VendorNotice {
  readonly id: string;
  readonly vendorId: string | null;
  readonly named: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  readonly occurredAt: number | null;
  readonly caseId: string | null;
  readonly at: number;
}

export async function listNotices(db: Queryable, vendorId?: string): Promise<VendorNotice[]> {
  let query = monitoringTablesOf(db).selectFrom('vendor_notices').selectAll().orderBy('at', 'desc').limit(NOTICES_MAX);
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  return (await query.execute()).map((row) => ({
    id: row.id,
    vendorId: row.vendor_id,
    named: row.named,
    title: row.title,
    text: row.text,
    severity: z.enum(SEVERITIES).parse(row.severity),
    occurredAt: row.occurred_at?.getTime() ?? null,
    caseId: row.case_id,
    at: row.at.getTime(),
  }));
}

async function keep(
  context: NoticeContext,
  actor: Actor,
  given: {
    readonly notice: FeedNotice;
    readonly feedId: string | null;
    readonly vendor: Vendor | null;
    readonly sha256: string;
  },
): Promise<string> {
  const { notice, feedId, vendor, sha256 } = given;
  const { db, clock, openCase } = context;
  // The case first: it is the same for the same notice, so that a crash between the two does no harm.
  const opened = vendor
    ? await openCase(actor, { ...notice, vendor: vendor.name, reference: notice.id })
    : { caseId: null, reach: '' };
  const at = clock.now();
  const id = uuidv7(at);
  await db.transaction(async (tx) => {
    await monitoringTablesOf(tx)
      .insertInto('vendor_notices')
      .values({
        id,
        feed_id: feedId,
        external_id: notice.id,
        sha256,
        vendor_id: vendor?.id ?? null,
        named: notice.vendor,
        title: notice.title,
        text: notice.text,
        severity: notice.severity,
        occurred_at: notice.occurredAt === null ? null : new Date(notice.occurredAt),
        case_id: opened.caseId,
        at: new Date(at),
      })
      .execute();
    if (!vendor) return;
    const title = `${notice.title} (${opened.reach})`;
    const detail = { notice: id, case: opened.caseId };
    await tellNews(tx, context, vendor, [{ kind: 'notice', severity: notice.severity, title, detail }], at);
    const target = { type: 'vendor', id: vendor.id, name: vendor.name };
    await appendAudit(tx, { actor, action: 'vendor.notice_received', target, detail: { ...detail, feed: feedId }, at });
  });
  return id;
}

export type Match = (named: string) => Vendor | null;

/** Finds the vendor that a name or a domain means, in the register as it is now. */
export async function createMatcher(db: Queryable): Promise<Match> {
  const vendors = (await listVendors(db)).filter(({ stage }) => stage !== 'ended');
  const hosts = await monitoringTablesOf(db).selectFrom('vendor_hosts').select(['vendor_id', 'host']).execute();
  const hostsOf = new Map(
    [...Map.groupBy(hosts, (row) => row.vendor_id)].map(([id, rows]) => [id, rows.map(({ host }) => host)]),
  );
  return (named) => matchVendor(named, vendors, hostsOf);
}

async function takeOnce(
  context: NoticeContext,
  actor: Actor,
  feedId: string | null,
  notice: FeedNotice,
  vendor: Vendor | null,
): Promise<0 | 1> {
  const sha256 = createHash('sha256')
    .update(JSON.stringify([feedId, notice.id, notice.vendor, notice.title, notice.text, notice.severity]))
    .digest('hex');
  const query = monitoringTablesOf(context.db).selectFrom('vendor_notices').select('id').where('sha256', '=', sha256);
  if (await query.executeTakeFirst()) return 0;
  await keep(context, actor, { notice, feedId, vendor, sha256 });
  return 1;
}

/** Takes what a feed said, each item once, however often the feed is read. Returns how many were new. */
export async function takeNotices(
  context: NoticeContext,
  actor: Actor,
  feedId: string | null,
  notices: readonly FeedNotice[],
): Promise<number> {
  const match = await createMatcher(context.db);
  let taken = 0;
  for (const notice of notices) taken += await takeOnce(context, actor, feedId, notice, match(notice.vendor));
  return taken;
}

/** Takes a CSAF document for each vendor of the register that it names. One that names none of them is passed over. */
export async function takeCsaf(
  context: NoticeContext,
  actor: Actor,
  feedId: string,
  { document, content, match }: { readonly document: CsafDocument; readonly content: string; readonly match: Match },
): Promise<number> {
  if (!document.isAffecting) return 0;
  const named = new Map(
    document.names.flatMap((name) => {
      const one = match(name);
      return one === null ? [] : [[one.id, one] as const];
    }),
  );
  let taken = 0;
  for (const vendor of named.values()) {
    taken += await takeOnce(context, actor, feedId, noticeOf(document, content, vendor.name), vendor);
  }
  return taken;
}

/** A notice for which a case was opened elsewhere: it counts against the vendor like any other. */
export async function recordCaseNotice(
  db: Queryable,
  given: Pick<VendorNotice, 'title' | 'severity' | 'occurredAt' | 'at'> & {
    readonly vendorId: string;
    readonly named: string;
    readonly caseId: string;
  },
): Promise<void> {
  const { vendorId, named, caseId, title, severity, occurredAt, at } = given;
  await monitoringTablesOf(db)
    .insertInto('vendor_notices')
    .values({
      id: uuidv7(at),
      feed_id: null,
      external_id: caseId,
      sha256: createHash('sha256').update(`case:${caseId}`).digest('hex'),
      vendor_id: vendorId,
      named,
      title,
      text: '',
      severity,
      occurred_at: occurredAt === null ? null : new Date(occurredAt),
      case_id: caseId,
      at: new Date(at),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export const vendorNoticeInput = z.discriminatedUnion('form', [
  z.strictObject({
    form: z.literal('hand'),
    title: z.string().trim().min(3).max(200),
    text: z.string().trim().min(1).max(8_000),
    severity: z.enum(SEVERITIES),
    occurredAt: z.int().nonnegative().nullable().default(null),
    reference: z.string().trim().max(200).default(''),
  }),
  z.strictObject({
    form: z.literal('csaf'),
    content: z
      .string()
      .min(2)
      .max(1024 * 1024),
  }),
]);

/** A notice that a person gives for one vendor, by hand or as a CSAF document. */
export async function receiveVendorNotice(context: NoticeContext, actor: Actor, vendorId: string, raw: unknown) {
  authorize(actor, 'vendor.write');
  const input = parseInput(vendorNoticeInput, raw);
  const vendor = await loadVendor(context.db, vendorId);
  const [notice] =
    input.form === 'csaf'
      ? readFeed('csaf', input.content).notices
      : [{ ...input, id: input.reference, vendor: vendor.name, csaf: null }];
  if (!notice) return null;
  const sha256 = createHash('sha256')
    .update(JSON.stringify([vendorId, input]))
    .digest('hex');
  const known = (
    await monitoringTablesOf(context.db)
      .selectFrom('vendor_notices')
      .select('id')
      .where('sha256', '=', sha256)
      .execute()
  )[0];
  return known?.id ?? keep(context, actor, { notice, feedId: null, vendor, sha256 });
}
