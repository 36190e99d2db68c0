import { appendAudit, type Database, type SecretEnvelope, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { queueMail } from '../mail/mail-queue.ts';
import { insertEntry } from '../pentest/finding-entry.ts';
import { listFindings, lockFinding, updateFinding } from '../pentest/finding-store.ts';
import { type Finding, isOverdue, isUnresolved } from '../pentest/finding.ts';
import { addressOf, toLink } from '../portal/link.ts';
import { MAIL_TEXTS } from '../portal/mail-texts.ts';
import { listVendors } from '../register/vendor-store.ts';
import { LIST_MAX, tablesOf } from '../tables.ts';
import { assuranceTablesOf } from './assurance-tables.ts';
import { listAttestations } from './attestation-store.ts';
import { ensureOccurrences } from './audit-commands.ts';
import { listAudits, listRuns } from './audit-store.ts';
import { addDays, dayAt } from './calendar-day.ts';
import type { AttestationKind } from './kind.ts';
import { attestationWarnings } from './warnings.ts';

/** Somebody is told a week before a finding or an audit is due. */
const SOON_DAYS = 7;

export interface WarningDeps {
  readonly envelope: SecretEnvelope;
  readonly now: number;
  readonly kinds: readonly AttestationKind[];
  readonly publicUrl: string;
  /** The address of whoever owns a vendor; null: not known, and the warning stands in the console only. */
  addressOfOwner(owner: string): Promise<string | null>;
}

interface Due {
  readonly vendorId: string;
  readonly owner: string;
  readonly topic: string;
  readonly text: string;
}

export interface SentWarning {
  readonly id: string;
  readonly vendorId: string;
  readonly topic: string;
  readonly text: string;
  readonly owner: string;
  readonly mailedTo: string | null;
  readonly at: number;
}

/** What owners were told of, newest first. */
export async function listWarnings(db: Database, vendorId?: string): Promise<SentWarning[]> {
  let query = assuranceTablesOf(db).selectFrom('vendor_warnings').selectAll();
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  const rows = await query.orderBy('created_at', 'desc').limit(LIST_MAX).execute();
  return rows.map((row) => ({
    id: row.id,
    vendorId: row.vendor_id,
    topic: row.topic,
    text: row.text,
    owner: row.owner,
    mailedTo: row.mailed_to,
    at: row.created_at.getTime(),
  }));
}

function findingDue(finding: Finding, today: string): Pick<Due, 'topic' | 'text'> | null {
  if (finding.dueOn === null || !isUnresolved(finding)) return null;
  if (isOverdue(finding, today)) {
    const text = `Overdue since ${finding.dueOn}: ${finding.title} (${finding.severity}, ${finding.state}).`;
    return { topic: `finding:${finding.id}:overdue:${finding.dueOn}`, text };
  }
  if (finding.dueOn > addDays(today, SOON_DAYS)) return null;
  const text = `Due on ${finding.dueOn}: ${finding.title} (${finding.severity}, ${finding.state}).`;
  return { topic: `finding:${finding.id}:soon:${finding.dueOn}`, text };
}

async function dueNow(db: Database, { now, kinds }: WarningDeps): Promise<Due[]> {
  const today = dayAt(now);
  const vendors = (await listVendors(db)).filter(({ stage }) => stage !== 'ended');
  const attestations = Map.groupBy(await listAttestations(db), ({ vendorId }) => vendorId);
  const findings = Map.groupBy(
    await listFindings(db, { states: ['open', 'fixed', 'retest'] }),
    ({ vendorId }) => vendorId,
  );
  const audits = await listAudits(db);
  const runs = await listRuns(
    db,
    audits.map(({ id }) => id),
  );
  return vendors.flatMap(({ id: vendorId, profile: { owner } }) => {
    const warnings = attestationWarnings(attestations.get(vendorId) ?? [], kinds, today)
      .filter(({ isCovered }) => !isCovered)
      // By the first day: what grows day by day is told once.
      .map(({ attestationId, kind, from, text }) => ({
        owner,
        topic: `attestation:${attestationId}:${kind}:${kind === 'expiring' ? '' : from}`,
        text,
      }));
    const dues = (findings.get(vendorId) ?? []).flatMap((finding) => {
      const due = findingDue(finding, today);
      return due ? [{ owner: finding.owner || owner, ...due }] : [];
    });
    const occurrences = audits
      .filter((audit) => audit.vendorId === vendorId)
      .flatMap((audit) =>
        runs
          .filter((run) => run.auditId === audit.id && run.doneAt === null && run.dueOn <= addDays(today, SOON_DAYS))
          .map((run) => {
            const isLate = run.dueOn < today;
            const text = `${audit.title}: ${isLate ? 'was' : 'is'} due on ${run.dueOn}.`;
            return { owner: audit.owner, topic: `audit:${run.id}:${isLate ? 'overdue' : 'soon'}`, text };
          }),
      );
    return [...warnings, ...dues, ...occurrences].map((one) => ({ vendorId, ...one }));
  });
}

/** Findings whose acceptance is over are open again. */
async function endAcceptances(db: Database, now: number): Promise<number> {
  const today = dayAt(now);
  const over = (await listFindings(db, { states: ['accepted'] })).filter(
    ({ acceptedUntil }) => (acceptedUntil ?? '') < today,
  );
  let count = 0;
  for (const { id } of over) {
    await db.transaction(async (tx) => {
      const finding = await lockFinding(tx, id);
      if (finding.state !== 'accepted' || (finding.acceptedUntil ?? '') >= today) return;
      const text = `The acceptance ended on ${finding.acceptedUntil ?? ''}.`;
      await insertEntry(tx, {
        findingId: id,
        side: 'own',
        author: 'Cordon',
        text,
        from: 'accepted',
        to: 'open',
        isShared: false,
        at: now,
      });
      await updateFinding(tx, id, { state: 'open', accepted_until: null, updated_at: new Date(now) });
      const target = { type: 'finding', id, name: finding.title };
      const actor = { kind: 'system', name: 'vendor warnings' } as const;
      await appendAudit(tx, {
        actor,
        action: 'finding.acceptance_ended',
        target,
        detail: { vendor: finding.vendorId },
        at: now,
      });
      count += 1;
    });
  }
  return count;
}

/** Repeats their link to people of a vendor whose findings have just become overdue. */
async function remindVendor(
  db: Database,
  vendorId: string,
  count: number,
  { envelope, now, publicUrl }: WarningDeps,
): Promise<void> {
  const rows = await tablesOf(db)
    .selectFrom('portal_links')
    .innerJoin('vendors', 'vendors.id', 'portal_links.vendor_id')
    .selectAll('portal_links')
    .select('vendors.name as vendor_name')
    .where('portal_links.vendor_id', '=', vendorId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', new Date(now))
    .limit(LIST_MAX)
    .execute();
  await db.transaction(async (tx) => {
    for (const row of rows) {
      const { email, language } = toLink(row);
      const url = addressOf(publicUrl, envelope.open(row.sealed, `portal-link:${row.id}`).toString('utf8'));
      await queueMail(
        tx,
        { envelope, at: now },
        { to: email, ...MAIL_TEXTS[language].overdue(row.vendor_name, count, url) },
      );
    }
  });
}

/**
 * The worker's duty: reopens what was accepted for a time, makes the next audits, and tells owners once of what is
 * missing, running out or overdue. Returns how many were told.
 */
export async function warnOwners(db: Database, deps: WarningDeps): Promise<number> {
  const { envelope, now } = deps;
  await endAcceptances(db, now);
  await ensureOccurrences(db, now);
  const late = new Map<string, number>();
  let told = 0;
  for (const { vendorId, owner, topic, text } of await dueNow(db, deps)) {
    const plain = z.email().safeParse(owner);
    const to = plain.success ? plain.data : owner === '' ? null : await deps.addressOfOwner(owner);
    const isNew = await db.transaction(async (tx) => {
      const insert = assuranceTablesOf(tx)
        .insertInto('vendor_warnings')
        .values({ id: uuidv7(now), vendor_id: vendorId, topic, text, owner, mailed_to: to, created_at: new Date(now) });
      const row = await insert
        .onConflict((conflict) => conflict.columns(['vendor_id', 'topic']).doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!row) return false;
      const vendor = await tablesOf(tx)
        .selectFrom('vendors')
        .select('name')
        .where('id', '=', vendorId)
        .executeTakeFirstOrThrow();
      if (to !== null)
        await queueMail(
          tx,
          { envelope, at: now },
          {
            to,
            subject: `${vendor.name}: ${text.slice(0, 120)}`,
            text: `${text}\n\n${deps.publicUrl}/vendors/${vendorId}\n`,
          },
        );
      return true;
    });
    if (!isNew) continue;
    told += 1;
    if (/^finding:.*:overdue:/.test(topic)) late.set(vendorId, (late.get(vendorId) ?? 0) + 1);
  }
  for (const [vendorId, count] of late) await remindVendor(db, vendorId, count, deps);
  return told;
}
