import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  type Transaction,
} from '@cordon/kernel';
import { z } from 'zod';
import type { IncidentCase } from '../cases/case.ts';
import { markCase } from '../cases/case-commands.ts';
import { addEntry, type CaseLink, listLinks, loadCase, lockCase } from '../cases/case-store.ts';
import { queueMessage } from '../cases/message.ts';
import { CaseStateConflict, IncidentsInputInvalid } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import { dueAt, type DutyBook } from './duty.ts';
import { type CaseFacts, type FactName, type factsInput, mergeFacts, NO_FACTS, storedFacts } from './fact.ts';

const ORGANISATION = 'organisation';
const HOUR_MS = 3_600_000;
/** Warned when a quarter of the time is left, but an hour before at the latest. */
const SOON_SHARE = 0.25;
const OPEN_CASES_MAX = 200;
const WARN_CHANNEL = 'incidents';

export const dutyRecordInput = z.strictObject({
  at: z.int().nonnegative().optional(),
  to: z.string().trim().min(1).max(300),
  /** The authority's reference, a ticket, a Message-ID. */
  reference: z.string().trim().max(300).default(''),
  note: z.string().trim().max(2_000).default(''),
  /** Evidence of the case that proves it. */
  evidenceId: z.uuid().optional(),
});
export const dutyWaiverInput = z.strictObject({ reason: z.string().trim().min(10, 'say why').max(2_000) });

/** A clock of a contract, ours or a vendor's; `packages/vendors` reads them out of contracts. */
export interface ContractTerm {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly recipient: string;
  readonly hours: number;
  /** `ours`: we owe it; `theirs`: the vendor owes it to us. */
  readonly owedBy: 'ours' | 'theirs';
}
export type ContractTerms = (of: IncidentCase, links: readonly CaseLink[]) => Promise<readonly ContractTerm[]>;

export interface DutyState {
  readonly duty: string;
  readonly stage: string;
  readonly title: string;
  readonly dutyTitle: string;
  readonly recipient: string;
  readonly law: string;
  readonly url: string;
  readonly checked: string | null;
  readonly status: 'in-force' | 'pending' | 'contract';
  readonly owedBy: 'ours' | 'theirs';
  /** null: hangs on the facts in `open`. */
  readonly applies: boolean | null;
  readonly open: readonly FactName[];
  readonly isLimit: boolean;
  readonly template: string | null;
  /** null: the moment that starts its clock is not known; `waitsFor` names it. */
  readonly dueAt: number | null;
  readonly waitsFor: string | null;
  readonly sent: {
    readonly at: number;
    readonly by: string;
    readonly detail: Readonly<Record<string, unknown>>;
  } | null;
  readonly waived: { readonly by: string; readonly reason: string } | null;
}

interface RecordRow {
  readonly duty: string;
  readonly stage: string;
  readonly kind: 'sent' | 'waived' | 'soon' | 'overdue';
  readonly at: number;
  readonly recorded_by: string;
  readonly detail: Record<string, unknown>;
}

async function readFacts(db: Queryable, id: string): Promise<CaseFacts> {
  const row = await db
    .tables<IncidentTables>()
    .selectFrom('incident_facts')
    .select('facts')
    .where('id', '=', id)
    .executeTakeFirst();
  return row ? storedFacts.parse(row.facts) : NO_FACTS;
}

/** What is known: of the organisation, from the case itself, and as people said, the last before the first. */
export async function loadFacts(db: Queryable, of: IncidentCase, links: readonly CaseLink[]): Promise<CaseFacts> {
  const organisation = await readFacts(db, ORGANISATION);
  const said = await readFacts(db, of.id);
  const derived = {
    ...(links.some(({ kind }) => kind === 'data-class') && { personal_data: true }),
    ...((of.origin === 'vendor-notice' || links.some(({ kind }) => kind === 'vendor')) && { vendor_at_fault: true }),
  };
  return {
    facts: { ...organisation.facts, ...derived, ...said.facts },
    people: said.people,
    moments: { aware: of.detectedAt, ...said.moments },
  };
}

/** Every duty as it stands for a case: what applies, when it is due, what was sent. */
export function judgeDuties(given: {
  readonly book: DutyBook;
  readonly facts: CaseFacts;
  readonly records: readonly RecordRow[];
  readonly terms: readonly ContractTerm[];
}): DutyState[] {
  const { book, facts, records, terms } = given;
  const recordOf = (duty: string, stage: string, kind: RecordRow['kind']) =>
    records.find((row) => row.duty === duty && row.stage === stage && row.kind === kind);
  const outcome = (duty: string, stage: string) => {
    const sent = recordOf(duty, stage, 'sent');
    const waived = recordOf(duty, stage, 'waived');
    return {
      sent: sent ? { at: sent.at, by: sent.recorded_by, detail: sent.detail } : null,
      waived: waived ? { by: waived.recorded_by, reason: z.string().catch('').parse(waived.detail['reason']) } : null,
    };
  };
  const legal = book.duties.flatMap((duty) => {
    const sent = Object.fromEntries(
      records.filter((row) => row.duty === duty.id && row.kind === 'sent').map(({ stage, at }) => [stage, at]),
    );
    return duty.stages.map((stage): DutyState => {
      const verdict = duty.judgeStage(stage.id, facts);
      const due = dueAt(stage, facts.moments, sent, book.calendars);
      return {
        duty: duty.id,
        stage: stage.id,
        title: stage.title,
        dutyTitle: duty.title,
        recipient: stage.recipient,
        law: `${duty.source.law}, ${duty.source.article}`,
        url: duty.source.url,
        checked: duty.checked,
        status: duty.status,
        owedBy: 'ours',
        applies: verdict.applies,
        open: verdict.open,
        isLimit: stage.isLimit,
        template: stage.template ?? null,
        dueAt: due,
        waitsFor: due === null ? stage.start : null,
        ...outcome(duty.id, stage.id),
      };
    });
  });
  const contracts = terms.map((term): DutyState => {
    const from = facts.moments.aware;
    const isOurs = term.owedBy === 'ours';
    const concerns = isOurs ? facts.facts.customer_data : facts.facts.vendor_at_fault;
    return {
      duty: term.id,
      stage: 'notice',
      title: isOurs ? 'Notify under the contract' : 'The vendor owes us notice',
      dutyTitle: term.title,
      recipient: term.recipient,
      law: term.source,
      url: '',
      checked: null,
      status: 'contract',
      owedBy: term.owedBy,
      applies: concerns ?? null,
      open: concerns === undefined ? [isOurs ? 'customer_data' : 'vendor_at_fault'] : [],
      isLimit: true,
      template: isOurs ? 'customer-notice' : 'vendor-question',
      dueAt: from === undefined ? null : from + term.hours * HOUR_MS,
      waitsFor: null,
      ...outcome(term.id, 'notice'),
    };
  });
  return [...legal, ...contracts];
}

export interface DutyContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly book: DutyBook;
  readonly contractTerms: ContractTerms;
}

export async function caseDuties({ db, book, contractTerms }: DutyContext, ref: string) {
  const of = await loadCase(db, ref);
  const links = await listLinks(db, of.id);
  const facts = await loadFacts(db, of, links);
  const records = await db
    .tables<IncidentTables>()
    .selectFrom('incident_duty_record')
    .selectAll()
    .where('case_id', '=', of.id)
    .execute();
  const duties = judgeDuties({ book, facts, records, terms: await contractTerms(of, links) });
  return { of, links, facts, records, duties };
}

export function createDutyCommands(context: DutyContext) {
  const { db, clock } = context;
  const say = async (actor: Actor, id: string, raw: z.output<typeof factsInput>): Promise<CaseFacts> =>
    db.transaction(async (tx) => {
      const at = clock.now();
      const facts = mergeFacts(await readFacts(tx, id), raw);
      const row = { facts: JSON.stringify(facts), updated_at: at, updated_by: describeActor(actor).name };
      await tx
        .tables<IncidentTables>()
        .insertInto('incident_facts')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      const target = { type: id === ORGANISATION ? 'organisation' : 'case', id, name: id };
      await appendAudit(tx, { actor, action: 'case.facts_said', target, detail: { ...raw }, at });
      return facts;
    });
  const record = async (
    actor: Actor,
    ref: string,
    place: { readonly duty: string; readonly stage: string },
    kind: 'sent' | 'waived',
    given: { readonly at: number; readonly detail: Record<string, unknown>; readonly text: string },
  ) => {
    authorize(actor, 'case.write');
    const { of, duties } = await caseDuties(context, ref);
    const found = duties.find(({ duty, stage }) => duty === place.duty && stage === place.stage);
    if (!found) throw new IncidentsInputInvalid('There is no such duty.');
    if (found.sent || found.waived) throw new CaseStateConflict('This duty is on record as done already.');
    await db.transaction(async (tx) => {
      await lockCase(tx, of.id);
      const now = clock.now();
      const author = describeActor(actor).name;
      const at = Math.min(given.at, now);
      await insertRecord(
        tx,
        { case_id: of.id, ...place, kind, at, author, due: found.dueAt, detail: given.detail },
        now,
      );
      const text = `${found.dutyTitle}: ${found.title}. ${given.text}`;
      await addEntry(tx, of.id, { kind: 'message', at, recordedAt: now, author, text, detail: given.detail });
      const target = { type: 'case', id: of.id, name: of.title };
      await appendAudit(tx, {
        actor,
        action: `duty.${kind}`,
        target,
        detail: { ...place, ...given.detail, at },
        at: now,
      });
      if (kind === 'sent' && found.owedBy === 'ours') await markCase(tx, actor, of.id, 'notified', at, now);
    });
  };
  return {
    organisation: () => readFacts(db, ORGANISATION),
    async setOrganisation(actor: Actor, input: z.output<typeof factsInput>): Promise<CaseFacts> {
      authorize(actor, 'playbook.write');
      return say(actor, ORGANISATION, input);
    },
    async setFacts(actor: Actor, ref: string, input: z.output<typeof factsInput>): Promise<void> {
      authorize(actor, 'case.write');
      await say(actor, (await loadCase(db, ref)).id, input);
    },
    /** Keeps what was sent, when, to whom and by whom; the proof is a reference, evidence, or a message of the case. */
    sent: (
      actor: Actor,
      ref: string,
      place: { readonly duty: string; readonly stage: string },
      input: z.output<typeof dutyRecordInput> & { readonly message?: string },
    ) => {
      const { at, ...detail } = input;
      const text = `Sent to ${input.to}${input.reference === '' ? '' : `, reference ${input.reference}`}`;
      return record(actor, ref, place, 'sent', { at: at ?? clock.now(), detail, text });
    },
    waive: (actor: Actor, ref: string, place: { readonly duty: string; readonly stage: string }, why: string) =>
      record(actor, ref, place, 'waived', { at: clock.now(), detail: { reason: why }, text: `Not sent: ${why}` }),
  };
}
export type DutyCommands = ReturnType<typeof createDutyCommands>;

async function insertRecord(
  tx: Transaction,
  row: {
    readonly case_id: string;
    readonly duty: string;
    readonly stage: string;
    readonly kind: RecordRow['kind'];
    readonly at: number;
    readonly author: string;
    readonly due: number | null;
    readonly detail: Record<string, unknown>;
  },
  now: number,
): Promise<boolean> {
  const { author, due, detail, ...rest } = row;
  const done = await tx
    .tables<IncidentTables>()
    .insertInto('incident_duty_record')
    .values({ ...rest, recorded_at: now, recorded_by: author, due_at: due, detail: JSON.stringify(detail) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (done.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** What a duty that applies should say now; null: nothing. */
export function warningOf(state: DutyState, startedAt: number, now: number): 'soon' | 'overdue' | null {
  if (state.applies !== true || state.status === 'pending' || state.dueAt === null || state.sent || state.waived)
    return null;
  if (now >= state.dueAt) return 'overdue';
  const lead = Math.max(HOUR_MS, (state.dueAt - startedAt) * SOON_SHARE);
  return now >= state.dueAt - lead ? 'soon' : null;
}

/** Warns once before a duty is due and once when it is late: in the timeline and to the channel `incidents`. */
export async function warnOfDuties(context: DutyContext): Promise<number> {
  const { db, clock } = context;
  const open = await db
    .tables<IncidentTables>()
    .selectFrom('incident_case')
    .select('id')
    .where('status', '!=', 'closed')
    .orderBy('number', 'desc')
    .limit(OPEN_CASES_MAX)
    .execute();
  const channel = await db
    .tables<IncidentTables>()
    .selectFrom('incident_channel')
    .select('id')
    .where('name', '=', WARN_CHANNEL)
    .where('kind', '=', 'chat')
    .executeTakeFirst();
  let warned = 0;
  for (const { id } of open) {
    const { of, duties, facts } = await caseDuties(context, id);
    for (const state of duties) {
      const now = clock.now();
      const kind = warningOf(state, facts.moments.aware ?? of.detectedAt, now);
      if (kind === null || state.dueAt === null) continue;
      const due = new Date(state.dueAt).toISOString();
      const text = `${kind === 'soon' ? 'Due soon' : 'Overdue'}: ${state.dutyTitle}, ${state.title}, ${due}`;
      await db.transaction(async (tx) => {
        const place = { case_id: of.id, duty: state.duty, stage: state.stage };
        const isNew = await insertRecord(
          tx,
          { ...place, kind, at: now, author: 'Cordon', due: state.dueAt, detail: {} },
          now,
        );
        if (!isNew) return;
        warned += 1;
        await addEntry(tx, of.id, { kind: 'status', at: now, recordedAt: now, author: 'Cordon', text });
        if (!channel) return;
        const key = `duty:${of.id}:${state.duty}:${state.stage}:${kind}`;
        const message = { key, caseId: of.id, channel: WARN_CHANNEL, to: [], subject: `Case ${of.number}`, text };
        await queueMessage(tx, message, now);
      });
    }
  }
  return warned;
}
