import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  requireStepUp,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { ApproverSame, DataUnknown, InputInvalid, StateConflict } from './errors.ts';
import { dueAfter } from './subject-due.ts';
import { createMatcher, IDENTIFIERS_MAX, kindOf, subjectIdentifier } from './subject-identifier.ts';
import { subjectWorkflow } from './subject-run.ts';
import {
  countTargets,
  eachTarget,
  loadSubjectRequest,
  moveRequest,
  requestContext,
  setTarget,
  SUBJECT_KINDS,
  type SubjectRequest,
  type SubjectStatus,
  targetContext,
  TARGETS_MAX,
} from './subject-store.ts';
import { tablesOf } from './tables.ts';

const DAY_MS = 86_400_000;
/** How long what was handed over stays for another download. */
const BUNDLE_DAYS = 30;
const LATE_DAYS_MAX = 365;
const text = z.string().trim().min(3).max(1_000);

export const subjectRequestInput = z.strictObject({
  kind: z.enum(SUBJECT_KINDS),
  /** How the register of requests names it; no name of the person. */
  reference: z.string().trim().min(1).max(100),
  identifiers: z.array(subjectIdentifier).min(1).max(IDENTIFIERS_MAX),
  /** When it came in, milliseconds since the epoch; now when left out. */
  receivedAt: z.int().optional(),
  /** A run that would act on more records waits for another person. */
  approvalAbove: z.int().min(0).max(TARGETS_MAX).default(10),
  perMinuteMax: z.int().min(1).max(10_000).default(60),
});

export interface SubjectCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}

/** What one app held of the person. */
export interface SubjectBundle {
  readonly request: string;
  readonly reference: string;
  readonly collectedAt: string;
  readonly apps: Readonly<Record<string, readonly { object: string; id: string; record: unknown }[]>>;
}

const personOf = (actor: Actor): string => {
  const { id, name } = describeActor(actor);
  return JSON.stringify({ id, name });
};

function parse<T extends z.ZodType>(schema: T, raw: unknown): z.output<T> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
  return parsed.data;
}

/** Changes a request in one of these states, with its line in the trail; refuses in any other. */
async function change(
  { db, clock }: Pick<SubjectCommandDeps, 'db' | 'clock'>,
  actor: Actor,
  id: string,
  act: {
    readonly action: string;
    readonly from: readonly SubjectStatus[];
    readonly set: Parameters<typeof moveRequest>[3];
    readonly detail?: Readonly<Record<string, unknown>>;
    readonly also?: (tx: Transaction, request: SubjectRequest) => Promise<void>;
  },
): Promise<SubjectRequest> {
  const at = clock.now();
  await db.transaction(async (tx) => {
    const request = await loadSubjectRequest(tx, id);
    if (!(await moveRequest(tx, id, act.from, act.set))) {
      throw new StateConflict(`This request is ${request.status}; that is not possible now.`, { id });
    }
    const target = { type: 'subject_request', id, name: request.reference };
    await appendAudit(tx, { actor, action: act.action, target, detail: act.detail ?? {}, at });
    await act.also?.(tx, request);
  });
  return loadSubjectRequest(db, id);
}

const EDITABLE: readonly SubjectStatus[] = [
  'open',
  'searching',
  'found',
  'waiting',
  'approved',
  'acting',
  'tasks',
  'failed',
];

/** Requests of data subjects: find a person across the tools, hand over what is there, or take it away. */
export function createSubjectCommands(deps: SubjectCommandDeps) {
  const { db, clock, envelope, workflows } = deps;
  const start = (phase: 'search' | 'run' | 'check') => async (tx: Transaction, request: SubjectRequest) => {
    const run = `${request.id}.${phase}.${uuidv7(clock.now())}`;
    await workflows.enqueue(tx, subjectWorkflow, run, { requestId: request.id, phase });
  };
  return {
    async open(actor: Actor, raw: z.input<typeof subjectRequestInput>): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const input = parse(subjectRequestInput, raw);
      const at = clock.now();
      const receivedAt = new Date(input.receivedAt ?? at);
      if (receivedAt.getTime() > at || at - receivedAt.getTime() > LATE_DAYS_MAX * DAY_MS) {
        throw new InputInvalid('A request came in at some time within the last year.');
      }
      const identifiers = input.identifiers.map((one) => ({ ...one, kind: one.kind ?? kindOf(one.value) }));
      const matchers = identifiers.map((one) => createMatcher(one));
      const masked = matchers.flatMap((one) => (one ? [{ kind: one.kind, text: one.masked }] : []));
      if (masked.length < matchers.length) throw new InputInvalid('An identifier has at least six characters.');
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('subject_request')
          .values({
            id,
            kind: input.kind,
            reference: input.reference,
            masked: JSON.stringify(masked),
            sealed: envelope.seal(JSON.stringify(identifiers), requestContext(id)),
            received_at: receivedAt,
            due_at: dueAfter(receivedAt, false),
            status: 'open',
            approval_above: input.approvalAbove,
            per_minute_max: input.perMinuteMax,
            opened_by: personOf(actor),
            opened_at: new Date(at),
          })
          .execute();
        const target = { type: 'subject_request', id, name: input.reference };
        const detail = { kind: input.kind, identifiers: masked };
        await appendAudit(tx, { actor, action: 'subject.request_opened', target, detail, at });
      });
      return loadSubjectRequest(db, id);
    },

    /** How it was made sure that the person is who they say (Article 12(6)); without it nothing is run. */
    async noteIdentity(actor: Actor, id: string, how: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const identity = { how: parse(text, how), by: actor.name, at: clock.now() };
      const set = { identity: JSON.stringify(identity) };
      return change(deps, actor, id, {
        action: 'subject.identity_noted',
        from: EDITABLE,
        set,
        detail: { how: identity.how },
      });
    },

    /** Two further months, once, with the reason that the person is told (Article 12(3)). */
    async extend(actor: Actor, id: string, given: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const reason = parse(text, given);
      const { extension, receivedAt } = await loadSubjectRequest(db, id);
      if (extension) throw new StateConflict('The time was extended before; it can be once.', { id });
      const due = dueAfter(receivedAt, true);
      const told = JSON.stringify({ reason, by: actor.name, at: clock.now() });
      const set = { due_at: due, extension: told };
      const detail = { reason, due: due.toISOString() };
      return change(deps, actor, id, { action: 'subject.time_extended', from: EDITABLE, set, detail });
    },

    /** The dry run: reads the tools and changes nothing. */
    async search(actor: Actor, id: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const from = ['open', 'found'] as const;
      const set = { status: 'searching', error: null };
      return change(deps, actor, id, { action: 'subject.search_requested', from, set, also: start('search') });
    },

    /** Leaves a record that the search found as it is: of somebody else, or needed for a claim (Article 17(3)). */
    async spare(actor: Actor, id: string, seq: number, given: string): Promise<void> {
      authorize(actor, 'subject.write');
      const reason = parse(text, given);
      const also = async (tx: Transaction) => {
        if (!(await setTarget(tx, id, seq, { status: 'spared', reason }, ['planned', 'task']))) {
          throw new StateConflict('Only what is planned can be spared.', { id, seq });
        }
        await countTargets(tx, id);
      };
      await change(deps, actor, id, {
        action: 'subject.record_spared',
        from: ['found'],
        set: {},
        detail: { seq, reason },
        also,
      });
    },

    /** Does what was found and is not spared; above the limit another person approves first. */
    async run(actor: Actor, id: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const request = await loadSubjectRequest(db, id);
      if (!request.identity) throw new StateConflict('Say first how the identity of the person was checked.', { id });
      const { planned = 0 } = request.counts;
      const waits = request.status === 'found' && request.kind !== 'export' && planned > request.approvalAbove;
      const isAgain = request.status === 'tasks';
      return change(deps, actor, id, {
        action: 'subject.run_requested',
        from: ['found', 'failed', 'tasks'],
        set: {
          status: waits ? 'waiting' : 'approved',
          run_by: personOf(actor),
          error: null,
          runs: request.runs + Number(isAgain),
        },
        detail: { planned },
        also: async (tx, found) => {
          if (isAgain) await retryFailed(tx, id);
          if (!waits) await start('run')(tx, found);
        },
      });
    },

    async approve(actor: Actor, id: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.approve');
      const at = clock.now();
      requireStepUp(actor, 'subject.approve', at);
      const request = await loadSubjectRequest(db, id);
      const me = describeActor(actor);
      if (request.runBy?.id === me.id) {
        throw new ApproverSame('Who asked for the run does not approve it: another person must.', { id });
      }
      const set = { status: 'approved', approved_by: actor.name, approved_at: new Date(at) };
      const detail = { targets: request.counts };
      return change(deps, actor, id, {
        action: 'subject.run_approved',
        from: ['waiting'],
        set,
        detail,
        also: start('run'),
      });
    },

    /** Ends a request without doing it: manifestly unfounded, or nobody could say who asks (Articles 11 and 12(5)). */
    async refuse(actor: Actor, id: string, given: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const reason = parse(text, given);
      const from = ['open', 'found', 'waiting'] as const;
      const set = { status: 'refused', error: reason, sealed: null, ended_at: new Date(clock.now()) };
      return change(deps, actor, id, { action: 'subject.request_refused', from, set, detail: { reason } });
    },

    /** A person says that they did what no program could; it is read again where a connector can. */
    async taskDone(actor: Actor, id: string, seq: number, given: string): Promise<SubjectRequest> {
      authorize(actor, 'subject.write');
      const how = parse(text, given);
      const also = async (tx: Transaction, request: SubjectRequest) => {
        const set = {
          status: 'task-done',
          reason: how,
          done_by: actor.name,
          done_at: new Date(clock.now()),
          error: null,
        };
        if (!(await setTarget(tx, id, seq, set, ['task', 'failed']))) {
          throw new StateConflict('This is no task of a person.', { id, seq });
        }
        await countTargets(tx, id);
        await start('check')(tx, request);
      };
      return change(deps, actor, id, {
        action: 'subject.task_done',
        from: ['tasks'],
        set: {},
        detail: { seq, how },
        also,
      });
    },

    /** What the tools held of the person, app by app; each download is in the trail. */
    async bundle(actor: Actor, id: string): Promise<SubjectBundle> {
      authorize(actor, 'subject.export');
      const at = clock.now();
      requireStepUp(actor, 'subject.export', at);
      const request = await loadSubjectRequest(db, id);
      const apps: Record<string, { object: string; id: string; record: unknown }[]> = {};
      let records = 0;
      for await (const { seq, app, object, recordId, status, sealed } of eachTarget(db, id)) {
        if (status !== 'collected' || sealed === null) continue;
        const record: unknown = JSON.parse(envelope.open(sealed, targetContext(id, seq)).toString('utf8'));
        (apps[app] ??= []).push({ object, id: recordId, record });
        records += 1;
      }
      if (records === 0)
        throw new DataUnknown('There is nothing to hand over, or it was handed over long ago.', { id });
      await db.transaction((tx) => {
        const target = { type: 'subject_request', id, name: request.reference };
        return appendAudit(tx, { actor, action: 'subject.bundle_downloaded', target, detail: { records }, at });
      });
      return { request: id, reference: request.reference, collectedAt: new Date(at).toISOString(), apps };
    },
  };
}
export type SubjectCommands = ReturnType<typeof createSubjectCommands>;

async function retryFailed(tx: Transaction, id: string): Promise<void> {
  await tablesOf(tx)
    .updateTable('subject_target')
    .set({ status: 'planned', error: null })
    .where('request_id', '=', id)
    .where('status', '=', 'failed')
    .where('action', 'is not', null)
    .execute();
}

/** Forgets what was handed over a month ago. Gives how many records. */
export async function sweepSubjectBundles(db: Database, now: number): Promise<number> {
  const before = new Date(now - BUNDLE_DAYS * DAY_MS);
  const done = await tablesOf(db)
    .updateTable('subject_target')
    .set({ sealed: null })
    .where('sealed', 'is not', null)
    .where('request_id', 'in', (query) =>
      query.selectFrom('subject_request').select('id').where('ended_at', '<', before),
    )
    .executeTakeFirst();
  return Number(done.numUpdatedRows);
}
