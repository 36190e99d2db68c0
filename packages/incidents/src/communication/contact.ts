import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { addEntry } from '../cases/case-store.ts';
import { queueMessage } from '../cases/message.ts';
import { ContactUnknown, IncidentsInputInvalid } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';

const CONTACTS_MAX = 1_000;
const BATCH_MAX = 50;
const TOKEN_BYTES = 24;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A link to confirm works this long. */
const CONFIRM_MS_MAX = 30 * DAY_MS;

export const CONTACT_KINDS = ['vendor', 'app', 'regulator', 'insurer', 'customer-group', 'internal'] as const;
export type ContactKind = (typeof CONTACT_KINDS)[number];
const stepSchema = z.strictObject({
  channel: z.string().min(1).max(100),
  to: z.array(z.email()).max(50).default([]),
  /** Who is behind it: a name, a desk, a number to call. */
  who: z.string().trim().max(200).default(''),
  /** How long to wait for a confirmation before the next step. */
  waitMinutes: z.int().min(1).max(10_080).default(60),
});
export type ContactStep = z.output<typeof stepSchema>;
export const contactInput = z.strictObject({
  kind: z.enum(CONTACT_KINDS),
  name: z.string().trim().min(2).max(200),
  about: z.string().trim().max(200).default(''),
  steps: z.array(stepSchema).min(1).max(10),
  note: z.string().trim().max(4_000).default(''),
  noticeHours: z.int().min(1).max(8_760).nullable().default(null),
  testDays: z.int().min(1).max(730).default(90),
});
export type ContactInput = z.input<typeof contactInput>;
export const outreachInput = z.strictObject({
  subject: z.string().trim().min(1).max(300),
  text: z.string().trim().min(1).max(8_000),
});

export interface Contact extends z.output<typeof contactInput> {
  readonly id: string;
  readonly testedAt: number | null;
  readonly confirmedAt: number | null;
  readonly confirmedBy: string | null;
  readonly updatedAt: number;
}

function toContact(row: Selectable<IncidentTables['incident_contact']>): Contact {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    about: row.about,
    steps: row.steps,
    note: row.note,
    noticeHours: row.notice_hours,
    testDays: row.test_days,
    testedAt: row.tested_at,
    confirmedAt: row.confirmed_at,
    confirmedBy: row.confirmed_by,
    updatedAt: row.updated_at,
  };
}

export async function listContacts(db: Queryable): Promise<Contact[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_contact')
    .selectAll()
    .orderBy('kind')
    .orderBy('name')
    .limit(CONTACTS_MAX)
    .execute();
  return rows.map(toContact);
}

export async function loadContact(db: Queryable, id: string): Promise<Contact> {
  const row = await db
    .tables<IncidentTables>()
    .selectFrom('incident_contact')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw new ContactUnknown('There is no such contact.');
  return toContact(row);
}

/** Whether a contact is known to be reachable: confirmed within the time in which it is to be tested. */
export function isReachable({ confirmedAt, testDays }: Contact, now: number): boolean {
  return confirmedAt !== null && now - confirmedAt <= testDays * DAY_MS;
}

export interface ContactContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: (bytes: number) => Buffer;
  readonly envelope: SecretEnvelope;
  readonly publicUrl: string;
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
const TEST_TEXT =
  'This is a test of how we reach you in an incident. Nothing happened. Please confirm that you read this.';

export function createContactCommands(context: ContactContext) {
  const { db, clock } = context;
  const rowOf = (input: z.output<typeof contactInput>, at: number) => ({
    kind: input.kind,
    name: input.name,
    about: input.about,
    steps: JSON.stringify(input.steps),
    note: input.note,
    notice_hours: input.noticeHours,
    test_days: input.testDays,
    updated_at: at,
  });
  const checkSteps = async (tx: Transaction, { steps }: z.output<typeof contactInput>): Promise<void> => {
    for (const step of steps) {
      const found = await tx
        .tables<IncidentTables>()
        .selectFrom('incident_channel')
        .select('kind')
        .where('name', '=', step.channel)
        .executeTakeFirst();
      if (!found) throw new IncidentsInputInvalid(`There is no channel ${step.channel}: add it under Channels.`);
      if (found.kind === 'mail' && step.to.length === 0)
        throw new IncidentsInputInvalid(`A step by the mail channel ${step.channel} needs an address.`);
    }
  };
  return {
    async put(actor: Actor, raw: ContactInput, id?: string): Promise<Contact> {
      authorize(actor, 'case.write');
      const input = contactInput.parse(raw);
      return db.transaction(async (tx) => {
        const at = clock.now();
        await checkSteps(tx, input);
        const taken = (await listContacts(tx)).find(({ name }) => name === input.name);
        if (taken && taken.id !== id) throw new IncidentsInputInvalid('The name is taken.');
        const before = id === undefined ? null : await loadContact(tx, id);
        const key = before?.id ?? uuidv7(at);
        const isElsewhere = before !== null && JSON.stringify(before.steps) !== JSON.stringify(input.steps);
        // Whoever confirmed did so at the old addresses.
        const reset = isElsewhere ? { confirmed_at: null, confirmed_by: null, tested_at: null } : {};
        const row = rowOf(input, at);
        await tx
          .tables<IncidentTables>()
          .insertInto('incident_contact')
          .values({ id: key, created_at: at, tested_at: null, confirmed_at: null, confirmed_by: null, ...row })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...row, ...reset }))
          .execute();
        const target = { type: 'contact', id: key, name: input.name };
        const action = before ? 'contact.changed' : 'contact.created';
        await appendAudit(tx, { actor, action, target, detail: { kind: input.kind, about: input.about }, at });
        return loadContact(tx, key);
      });
    },
    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'case.write');
      await db.transaction(async (tx) => {
        const { name } = await loadContact(tx, id);
        await tx.tables<IncidentTables>().deleteFrom('incident_contact').where('id', '=', id).execute();
        const target = { type: 'contact', id, name };
        await appendAudit(tx, { actor, action: 'contact.removed', target, at: clock.now() });
      });
    },
    /** Sends a test message that asks to be confirmed. */
    test(actor: Actor, id: string): Promise<string> {
      authorize(actor, 'case.write');
      return reach(context, actor, { id, caseId: null, subject: 'Test of an incident contact', text: TEST_TEXT });
    },
    /** Reaches a contact in a case: step by step until somebody confirms. */
    reach(actor: Actor, id: string, caseId: string, input: z.output<typeof outreachInput>): Promise<string> {
      authorize(actor, 'case.write');
      return reach(context, actor, { id, caseId, ...input });
    },
    /** From the link in a message: whoever holds the word was reached. */
    async confirm(token: string, by: string): Promise<{ contact: string }> {
      const sha256 = hashOf(token);
      return db.transaction(async (tx) => {
        const row = await tx
          .tables<IncidentTables>()
          .selectFrom('incident_outreach')
          .selectAll()
          .where('token_sha256', '=', sha256)
          .forUpdate()
          .executeTakeFirst();
        const now = clock.now();
        const fits = row && timingSafeEqual(Buffer.from(row.token_sha256), Buffer.from(sha256));
        if (!row || !fits || now - row.started_at > CONFIRM_MS_MAX)
          throw new ContactUnknown('This link is unknown or too old.');
        const { name } = await loadContact(tx, row.contact_id);
        if (row.confirmed_at !== null) return { contact: name };
        const set = { confirmed_at: now, confirmed_by: by };
        await tx.tables<IncidentTables>().updateTable('incident_outreach').set(set).where('id', '=', row.id).execute();
        await tx
          .tables<IncidentTables>()
          .updateTable('incident_contact')
          .set(set)
          .where('id', '=', row.contact_id)
          .execute();
        const actor: Actor = { kind: 'system', name: 'contact link' };
        const target = { type: 'contact', id: row.contact_id, name };
        const detail = { by, outreach: row.id, case: row.case_id };
        await appendAudit(tx, { actor, action: 'contact.confirmed', target, detail, at: now });
        if (row.case_id !== null) {
          const text = `${by} confirmed for ${name}: ${row.subject}`;
          await addEntry(tx, row.case_id, { kind: 'message', at: now, recordedAt: now, author: by, text });
        }
        return { contact: name };
      });
    },
  };
}
export type ContactCommands = ReturnType<typeof createContactCommands>;

async function reach(
  context: ContactContext,
  actor: Actor,
  given: { readonly id: string; readonly caseId: string | null; readonly subject: string; readonly text: string },
): Promise<string> {
  const { db, clock, random, envelope } = context;
  return db.transaction(async (tx) => {
    const at = clock.now();
    const contact = await loadContact(tx, given.id);
    const id = uuidv7(at);
    const token = random(TOKEN_BYTES).toString('base64url');
    await tx
      .tables<IncidentTables>()
      .insertInto('incident_outreach')
      .values({
        id,
        contact_id: contact.id,
        case_id: given.caseId,
        subject: given.subject,
        text: given.text,
        token_sha256: hashOf(token),
        token_sealed: envelope.seal(token, `outreach:${id}`),
        next_step: 0,
        next_at: at,
        started_at: at,
        started_by: describeActor(actor).name,
        confirmed_at: null,
        confirmed_by: null,
      })
      .execute();
    if (given.caseId === null) {
      await tx
        .tables<IncidentTables>()
        .updateTable('incident_contact')
        .set({ tested_at: at })
        .where('id', '=', contact.id)
        .execute();
    }
    const target = { type: 'contact', id: contact.id, name: contact.name };
    const action = given.caseId === null ? 'contact.tested' : 'contact.reached';
    if (given.caseId !== null) {
      const author = describeActor(actor).name;
      const text = `${contact.name} is asked to confirm: ${given.subject}`;
      await addEntry(tx, given.caseId, { kind: 'message', at, recordedAt: at, author, text });
    }
    await appendAudit(tx, { actor, action, target, detail: { case: given.caseId, outreach: id }, at });
    return id;
  });
}

/** Takes each outreach that nobody confirmed to its next step. A repeating duty; a step is queued once. */
export async function escalate(context: ContactContext): Promise<number> {
  const { db, clock, envelope, publicUrl } = context;
  const due = await db
    .tables<IncidentTables>()
    .selectFrom('incident_outreach')
    .selectAll()
    .where('confirmed_at', 'is', null)
    .where('next_step', 'is not', null)
    .where('next_at', '<=', clock.now())
    .orderBy('next_at')
    .limit(BATCH_MAX)
    .execute();
  for (const row of due) {
    await db.transaction(async (tx) => {
      const { steps } = await loadContact(tx, row.contact_id);
      const at = clock.now();
      const index = row.next_step ?? 0;
      const step = steps[index];
      const set = (next: number | null, wait: number) =>
        tx
          .tables<IncidentTables>()
          .updateTable('incident_outreach')
          .set({ next_step: next, next_at: at + wait })
          .where('id', '=', row.id)
          .execute();
      if (!step) {
        await set(null, 0);
        return;
      }
      const token = envelope.open(row.token_sealed, `outreach:${row.id}`).toString();
      const text = `${row.text}\n\nConfirm that you read this: ${publicUrl}/confirm#${token}`;
      const key = `outreach:${row.id}:${index}`;
      const message = { key, caseId: row.case_id, channel: step.channel, to: step.to, subject: row.subject, text };
      await queueMessage(tx, message, at);
      await set(index + 1 < steps.length ? index + 1 : null, step.waitMinutes * MINUTE_MS);
    });
  }
  return due.length;
}

/** Tests the contacts whose last test is older than they ask for. A repeating duty. */
export async function testDueContacts(context: ContactContext, commands: ContactCommands): Promise<number> {
  const now = context.clock.now();
  const due = (await listContacts(context.db)).filter(
    ({ testedAt, testDays, updatedAt }) => now - (testedAt ?? updatedAt) >= testDays * DAY_MS,
  );
  for (const { id } of due.slice(0, BATCH_MAX)) await commands.test({ kind: 'system', name: 'contact test' }, id);
  return due.length;
}
