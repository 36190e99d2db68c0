import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { z } from 'zod';
import { CaseStateConflict, CaseUnknown, IncidentsInputInvalid } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import {
  type CaseInput,
  caseInput,
  type CaseLinkKind,
  type CaseMark,
  type casePatch,
  type CaseStatus,
  type entryInput,
  type IncidentCase,
  type linkInput,
  type markInput,
  type reviewInput,
  type taskInput,
  type taskPatch,
} from './case.ts';
import { addEntry, addLinks, addTask, loadCase, lockCase } from './case-store.ts';

export interface CaseContext {
  readonly db: Database;
  readonly clock: Clock;
}

const COLUMNS = {
  acknowledged: 'acknowledged_at',
  contained: 'contained_at',
  notified: 'notified_at',
  recovered: 'recovered_at',
} as const;
const REACHED: Readonly<Partial<Record<CaseMark, CaseStatus>>> = { contained: 'contained', recovered: 'recovered' };

/** Opens a case in the caller's transaction. The same `originKey` opens one: what is there already comes back. */
export async function openCase(
  tx: Transaction,
  actor: Actor,
  raw: CaseInput,
  at: number,
  originKey: string | null = null,
  drill: string | null = null,
): Promise<{ id: string; isNew: boolean }> {
  const parsed = caseInput.safeParse(raw);
  if (!parsed.success)
    throw new IncidentsInputInvalid(`The case can't be opened: ${parsed.error.issues[0]?.message ?? ''}`);
  const input = parsed.data;
  const by = describeActor(actor);
  const id = uuidv7(at);
  const detectedAt = input.detectedAt ?? at;
  const done = await tx
    .tables<IncidentTables>()
    .insertInto('incident_case')
    .values({
      id,
      title: input.title,
      summary: input.summary,
      severity: input.severity,
      status: 'open',
      tlp: input.tlp,
      origin: input.origin,
      origin_key: originKey,
      status_page: '',
      occurred_at: Math.min(input.occurredAt ?? detectedAt, detectedAt),
      detected_at: detectedAt,
      acknowledged_at: actor.kind === 'person' ? at : null,
      contained_at: null,
      notified_at: null,
      recovered_at: null,
      closed_at: null,
      created_at: at,
      created_by: JSON.stringify(by),
      updated_at: at,
      roles: '{}',
      review: null,
      drill,
    })
    .onConflict((conflict) => conflict.column('origin_key').doNothing())
    .executeTakeFirst();
  if ((done.numInsertedOrUpdatedRows ?? 0n) === 0n) {
    const found = await tx
      .tables<IncidentTables>()
      .selectFrom('incident_case')
      .select('id')
      .where('origin_key', '=', originKey)
      .executeTakeFirstOrThrow();
    return { id: found.id, isNew: false };
  }
  await addLinks(tx, id, input.links, at);
  await addEntry(tx, id, { kind: 'status', at, recordedAt: at, author: by.name, text: `Opened: ${input.title}` });
  const target = { type: 'case', id, name: input.title };
  await appendAudit(tx, {
    actor,
    action: 'case.opened',
    target,
    detail: { severity: input.severity, origin: input.origin, tlp: input.tlp, ...(drill !== null && { drill }) },
    at,
  });
  return { id, isNew: true };
}

/** Stops a clock of a case; the first time counts. Returns whether it was the first. */
export async function markCase(
  tx: Transaction,
  actor: Actor,
  id: string,
  mark: CaseMark,
  at: number,
  now: number,
): Promise<boolean> {
  const before = await lockCase(tx, id);
  const was = {
    acknowledged: before.acknowledgedAt,
    contained: before.containedAt,
    notified: before.notifiedAt,
    recovered: before.recoveredAt,
  }[mark];
  if (was !== null) return false;
  const status = REACHED[mark];
  const isForward =
    status !== undefined && before.status !== 'closed' && !(before.status === 'recovered' && status === 'contained');
  await tx
    .tables<IncidentTables>()
    .updateTable('incident_case')
    .set({ [COLUMNS[mark]]: at, updated_at: now, ...(isForward && { status }) })
    .where('id', '=', id)
    .execute();
  await addEntry(tx, id, {
    kind: 'status',
    at,
    recordedAt: now,
    author: describeActor(actor).name,
    text: `Marked ${mark}`,
  });
  await appendAudit(tx, {
    actor,
    action: `case.${mark}`,
    target: { type: 'case', id, name: before.title },
    detail: { at },
    at: now,
  });
  return true;
}

/** Everything that people change about cases; each change is one audit record and stands in the timeline. */
export function createCaseCommands({ db, clock }: CaseContext) {
  const change = async (
    actor: Actor,
    id: string,
    action: string,
    work: (before: IncidentCase, tx: Transaction, at: number) => Promise<Record<string, unknown>>,
  ): Promise<IncidentCase> => {
    authorize(actor, 'case.write');
    return db.transaction(async (tx) => {
      const at = clock.now();
      const before = await lockCase(tx, id);
      const detail = await work(before, tx, at);
      await tx
        .tables<IncidentTables>()
        .updateTable('incident_case')
        .set({ updated_at: at })
        .where('id', '=', id)
        .execute();
      await appendAudit(tx, { actor, action, target: { type: 'case', id, name: before.title }, detail, at });
      return loadCase(tx, id);
    });
  };
  const set = (tx: Transaction, id: string, values: Partial<Record<string, unknown>>) =>
    tx.tables<IncidentTables>().updateTable('incident_case').set(values).where('id', '=', id).execute();
  const nameOf = (actor: Actor): string => describeActor(actor).name;

  return {
    async open(actor: Actor, input: CaseInput): Promise<IncidentCase> {
      authorize(actor, 'case.write');
      return db.transaction(async (tx) => loadCase(tx, (await openCase(tx, actor, input, clock.now())).id));
    },
    update: (actor: Actor, id: string, patch: z.output<typeof casePatch>) =>
      change(actor, id, 'case.updated', async (before, tx, at) => {
        const { title, summary, severity, tlp, statusPage, occurredAt, roles } = patch;
        await set(tx, id, {
          ...(title !== undefined && { title }),
          ...(summary !== undefined && { summary }),
          ...(severity !== undefined && { severity }),
          ...(tlp !== undefined && { tlp }),
          ...(statusPage !== undefined && { status_page: statusPage }),
          ...(occurredAt !== undefined && { occurred_at: Math.min(occurredAt, before.detectedAt) }),
          ...(roles && { roles: JSON.stringify({ ...before.roles, ...roles }) }),
        });
        if (severity !== undefined && severity !== before.severity) {
          const text = `Severity: ${before.severity} → ${severity}`;
          await addEntry(tx, id, { kind: 'status', at, recordedAt: at, author: nameOf(actor), text });
        }
        return { changed: Object.keys(patch) };
      }),
    async mark(actor: Actor, id: string, input: z.output<typeof markInput>): Promise<IncidentCase> {
      authorize(actor, 'case.write');
      const now = clock.now();
      const isNew = await db.transaction(async (tx) => {
        const first = await markCase(tx, actor, id, input.mark, Math.min(input.at ?? now, now), now);
        if (input.note !== '')
          await addEntry(tx, id, { kind: 'note', at: now, recordedAt: now, author: nameOf(actor), text: input.note });
        return first;
      });
      if (!isNew) throw new CaseStateConflict(`The case is marked ${input.mark} already.`);
      return loadCase(db, id);
    },
    addEntry: (actor: Actor, id: string, input: z.output<typeof entryInput>) =>
      change(actor, id, 'case.entry_added', async (_before, tx, at) => {
        await addEntry(tx, id, {
          kind: input.kind,
          at: Math.min(input.at ?? at, at),
          recordedAt: at,
          author: nameOf(actor),
          text: input.text,
        });
        return { kind: input.kind };
      }),
    link: (actor: Actor, id: string, link: z.output<typeof linkInput>) =>
      change(actor, id, 'case.linked', async (_before, tx, at) => {
        await addLinks(tx, id, [link], at);
        return link;
      }),
    unlink: (actor: Actor, id: string, kind: CaseLinkKind, ref: string) =>
      change(actor, id, 'case.unlinked', async (_before, tx) => {
        await tx
          .tables<IncidentTables>()
          .deleteFrom('incident_link')
          .where('case_id', '=', id)
          .where('kind', '=', kind)
          .where('ref', '=', ref)
          .execute();
        return { kind, ref };
      }),
    addTask: (actor: Actor, id: string, input: z.output<typeof taskInput>) =>
      change(actor, id, 'case.task_added', async (_before, tx, at) => ({
        task: await addTask(tx, id, input, at),
        title: input.title,
      })),
    changeTask: (actor: Actor, id: string, taskId: string, patch: z.output<typeof taskPatch>) =>
      change(actor, id, 'case.task_changed', async (_before, tx, at) => {
        const { done, assignee, dueAt } = patch;
        const row = await tx
          .tables<IncidentTables>()
          .updateTable('incident_task')
          .set({
            ...(done !== undefined && { done_at: done ? at : null, done_by: done ? nameOf(actor) : null }),
            ...(assignee !== undefined && { assignee }),
            ...(dueAt !== undefined && { due_at: dueAt }),
          })
          .where('id', '=', taskId)
          .where('case_id', '=', id)
          .returning('title')
          .executeTakeFirst();
        if (!row) throw new CaseUnknown('There is no such task in this case.');
        if (done === true)
          await addEntry(tx, id, {
            kind: 'act',
            at,
            recordedAt: at,
            author: nameOf(actor),
            text: `Done: ${row.title}`,
          });
        return { task: taskId, ...patch };
      }),
    /** Writes the post-incident review; its actions become tasks that stay when the case is closed. */
    review: (actor: Actor, id: string, input: z.output<typeof reviewInput>) =>
      change(actor, id, 'case.reviewed', async (_before, tx, at) => {
        const { actions, ...rest } = input;
        await set(tx, id, { review: JSON.stringify({ ...rest, by: nameOf(actor), at }) });
        for (const action of actions) await addTask(tx, id, { ...action, kind: 'review-action' }, at);
        await addEntry(tx, id, {
          kind: 'status',
          at,
          recordedAt: at,
          author: nameOf(actor),
          text: `Reviewed; ${actions.length} actions follow from it`,
        });
        return { actions: actions.length };
      }),
    /** Closes a case. High and critical ones need their review first. */
    close: (actor: Actor, id: string, reason: string) =>
      change(actor, id, 'case.closed', async (before, tx, at) => {
        if (before.status === 'closed') throw new CaseStateConflict('The case is closed already.');
        if (
          before.drill === null &&
          before.review === null &&
          (before.severity === 'high' || before.severity === 'critical')
        ) {
          throw new CaseStateConflict(`A ${before.severity} case is closed after its review.`);
        }
        await set(tx, id, { status: 'closed', closed_at: at });
        await addEntry(tx, id, {
          kind: 'status',
          at,
          recordedAt: at,
          author: nameOf(actor),
          text: `Closed: ${reason}`,
        });
        return { reason };
      }),
    reopen: (actor: Actor, id: string, reason: string) =>
      change(actor, id, 'case.reopened', async (before, tx, at) => {
        if (before.status !== 'closed') throw new CaseStateConflict('The case is not closed.');
        await set(tx, id, { status: 'open', closed_at: null });
        await addEntry(tx, id, {
          kind: 'status',
          at,
          recordedAt: at,
          author: nameOf(actor),
          text: `Opened again: ${reason}`,
        });
        return { reason };
      }),
  };
}

export type CaseCommands = ReturnType<typeof createCaseCommands>;
