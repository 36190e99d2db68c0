import { createHash } from 'node:crypto';
import {
  type Actor,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import type { CaseSeverity } from '../cases/case.ts';
import { openCase } from '../cases/case-commands.ts';
import { addEntry, addLinks, type CaseLink } from '../cases/case-store.ts';
import { NoticeUnreadable } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';

export const NOTICE_CHARS_MAX = 1024 * 1024;
const TITLE_CHARS_MAX = 200;
const SUMMARY_CHARS_MAX = 4_000;

export const noticeInput = z.discriminatedUnion('form', [
  /** A mail as text: headers, an empty line, the body. Without headers it is all body. */
  z.strictObject({
    form: z.literal('mail'),
    content: z.string().min(1).max(NOTICE_CHARS_MAX),
    vendor: z.string().trim().max(200).optional(),
  }),
  z.strictObject({
    form: z.literal('form'),
    vendor: z.string().trim().min(1).max(200),
    title: z.string().trim().min(3).max(TITLE_CHARS_MAX),
    text: z.string().trim().min(1).max(8_000),
    severity: z.enum(['low', 'medium', 'high', 'critical']).default('high'),
    occurredAt: z.int().nonnegative().optional(),
    reference: z.string().trim().max(200).default(''),
  }),
  /** CSAF 2.0, a security advisory as JSON text. */
  z.strictObject({
    form: z.literal('csaf'),
    content: z.string().min(2).max(NOTICE_CHARS_MAX),
    vendor: z.string().trim().max(200).optional(),
  }),
]);
export type NoticeInput = z.output<typeof noticeInput>;

export interface Notice {
  readonly vendor: string;
  readonly title: string;
  readonly text: string;
  readonly reference: string;
  readonly severity: CaseSeverity;
  readonly occurredAt: number | null;
}

/** RFC 5322, as far as a notice needs it: unfolded headers, and the body after the first empty line. */
export function readMail(content: string): { readonly headers: ReadonlyMap<string, string>; readonly body: string } {
  const text = content.replaceAll('\r\n', '\n');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? '' : text.slice(0, end).replaceAll(/\n[ \t]+/g, ' ');
  const lines = head.split('\n');
  const isMail = head !== '' && lines.every((line) => /^[!-9;-~]+:/.test(line) || line.startsWith('From '));
  if (!isMail) return { headers: new Map(), body: text };
  const headers = new Map(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
      }),
  );
  return { headers, body: text.slice(end + 2) };
}

const CRITICAL = /\b(ransomware|actively exploited|critical|exfiltrat\w*|all customers)\b/i;
const HIGH = /\b(breach|unauthori[sz]ed|compromis\w*|stolen|leak\w*|incident|attacker|threat actor|rotate)\b/i;

function severityOf(text: string): CaseSeverity {
  if (CRITICAL.test(text)) return 'critical';
  return HIGH.test(text) ? 'high' : 'medium';
}

const csafSchema = z.object({
  document: z.object({
    category: z.string(),
    csaf_version: z.literal('2.0'),
    title: z.string().min(1),
    publisher: z.object({ name: z.string().min(1) }),
    tracking: z.object({ id: z.string().min(1), initial_release_date: z.string().optional() }),
    aggregate_severity: z.object({ text: z.string() }).optional(),
    notes: z.array(z.object({ category: z.string(), text: z.string() })).default([]),
  }),
  vulnerabilities: z
    .array(
      z.object({
        cve: z.string().optional(),
        title: z.string().optional(),
        scores: z
          .array(
            z.object({ cvss_v3: z.object({ baseScore: z.number(), baseSeverity: z.string().optional() }).optional() }),
          )
          .default([]),
      }),
    )
    .default([]),
});

function readCsaf(content: string, vendor: string | undefined): Notice {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new NoticeUnreadable('This is not JSON, so it is no CSAF document.', {}, cause);
  }
  const parsed = csafSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NoticeUnreadable(`This is no CSAF 2.0 document: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { document, vulnerabilities } = parsed.data;
  const worst = Math.max(
    0,
    ...vulnerabilities.flatMap(({ scores }) => scores.map((one) => one.cvss_v3?.baseScore ?? 0)),
  );
  const said = document.aggregate_severity?.text.toLowerCase() ?? '';
  const named = (['critical', 'high', 'medium', 'low'] as const).find((one) => said.includes(one));
  const byScore = worst >= 9 ? 'critical' : worst >= 7 ? 'high' : worst >= 4 ? 'medium' : 'low';
  const summary = document.notes.find(({ category }) => category === 'summary' || category === 'description');
  const listed = vulnerabilities.map(({ cve, title }) => [cve, title].filter(Boolean).join(' ')).filter(Boolean);
  const began = document.tracking.initial_release_date;
  const at = began === undefined ? Number.NaN : Date.parse(began);
  return {
    vendor: vendor ?? document.publisher.name,
    title: document.title,
    text: [summary?.text ?? '', ...listed].filter((one) => one !== '').join('\n'),
    reference: document.tracking.id,
    severity: named ?? (worst > 0 ? byScore : severityOf(document.title)),
    occurredAt: Number.isNaN(at) ? null : at,
  };
}

/** Reads a notice; throws `NoticeUnreadable` with the reason. A mail's sender names the vendor where nobody did. */
export function readNotice(input: NoticeInput): Notice {
  if (input.form === 'form') return { ...input, occurredAt: input.occurredAt ?? null };
  if (input.form === 'csaf') return readCsaf(input.content, input.vendor);
  const { headers, body } = readMail(input.content);
  const from = headers.get('from') ?? '';
  const address = /([^\s<>@]+)@([^\s<>@]+)/.exec(from);
  const vendor = input.vendor ?? address?.[2] ?? '';
  if (vendor === '') throw new NoticeUnreadable('Nothing in this mail says which vendor it is from: name the vendor.');
  const title = headers.get('subject') ?? body.trim().split('\n', 1)[0] ?? 'Notice';
  const date = Date.parse(headers.get('date') ?? '');
  return {
    vendor,
    title: title.slice(0, TITLE_CHARS_MAX),
    text: body.trim(),
    reference: headers.get('message-id') ?? '',
    severity: severityOf(`${title}\n${body}`),
    occurredAt: Number.isNaN(date) ? null : date,
  };
}

/** What a vendor reaches here: apps, integrations, data. The estate knows. */
export interface BlastRadius {
  /** The vendor by the register's name, or as the notice calls it. */
  readonly vendor: { readonly ref: string; readonly name: string; readonly isKnown: boolean };
  readonly links: readonly Omit<CaseLink, 'addedAt'>[];
}
export type FindBlastRadius = (vendor: string) => Promise<BlastRadius>;

export interface NoticeContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly blastRadius: FindBlastRadius;
}

/** Opens a case for a vendor's notice, with everything that this vendor reaches. The same text opens one case. */
export async function receiveNotice(
  { db, clock, envelope, blastRadius }: NoticeContext,
  actor: Actor,
  input: NoticeInput,
): Promise<{ readonly caseId: string; readonly isNew: boolean; readonly radius: BlastRadius }> {
  authorize(actor, 'case.write');
  const notice = readNotice(input);
  const raw = input.form === 'form' ? JSON.stringify(input) : input.content;
  const sha256 = createHash('sha256').update(raw).digest('hex');
  const radius = await blastRadius(notice.vendor);
  const { name, ref, isKnown } = radius.vendor;
  return db.transaction(async (tx) => {
    const at = clock.now();
    const made = await openCase(
      tx,
      actor,
      {
        title: `${name}: ${notice.title}`.slice(0, 300),
        summary: notice.text.slice(0, SUMMARY_CHARS_MAX),
        severity: notice.severity,
        origin: 'vendor-notice',
        ...(notice.occurredAt !== null && { occurredAt: Math.min(notice.occurredAt, at) }),
      },
      at,
      `notice:${sha256}`,
    );
    if (!made.isNew) return { caseId: made.id, isNew: false, radius };
    await addLinks(tx, made.id, [{ kind: 'vendor', ref, name }, ...radius.links], at);
    await keepNotice(tx, { envelope, actor, input, notice, raw, sha256, caseId: made.id, at });
    const apps = radius.links.filter(({ kind }) => kind === 'app').length;
    const integrations = radius.links.filter(({ kind }) => kind === 'integration').length;
    const reach = `${apps} apps and ${integrations} integrations of it are linked`;
    const text = isKnown
      ? `Notice of ${name}: ${reach}.`
      : `Notice of ${name}, which is no vendor in the register: ${reach}.`;
    await addEntry(tx, made.id, {
      kind: 'event',
      at: notice.occurredAt === null ? at : Math.min(notice.occurredAt, at),
      recordedAt: at,
      author: describeActor(actor).name,
      text: notice.reference === '' ? text : `${text} Reference ${notice.reference}.`,
      detail: { sha256, form: input.form },
    });
    return { caseId: made.id, isNew: true, radius };
  });
}

async function keepNotice(
  tx: Transaction,
  given: {
    readonly envelope: SecretEnvelope;
    readonly actor: Actor;
    readonly input: NoticeInput;
    readonly notice: Notice;
    readonly raw: string;
    readonly sha256: string;
    readonly caseId: string;
    readonly at: number;
  },
): Promise<void> {
  const id = uuidv7(given.at);
  await tx
    .tables<IncidentTables>()
    .insertInto('incident_notice')
    .values({
      id,
      case_id: given.caseId,
      form: given.input.form,
      vendor: given.notice.vendor,
      reference: given.notice.reference.slice(0, 500),
      sha256: given.sha256,
      sealed: given.envelope.seal(given.raw, `notice:${id}`),
      received_at: given.at,
      received_by: describeActor(given.actor).name,
    })
    .execute();
}
