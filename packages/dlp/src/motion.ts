import { type Database, uuidv7 } from '@cordon/kernel';
import { addNote, type Incident, incidentOf, loadIncident } from './incident-store.ts';
import type { FoundClass } from './judge-record.ts';
import { tablesOf } from './tables.ts';

const EVENTS_KEPT_MS = 7 * 86_400_000;

/** A call about which a rule wants people to know, as its event tells it. */
export interface StoppedCall {
  readonly eventId: string;
  readonly at: Date;
  readonly app: string;
  readonly operation: string;
  readonly integration: { readonly id: string; readonly name: string };
  readonly direction: 'request' | 'response';
  readonly rule: { readonly id: string; readonly name: string };
  readonly action: 'notify' | 'justify' | 'quarantine' | 'block';
  readonly classes: readonly Pick<FoundClass, 'class' | 'category' | 'label' | 'count'>[];
}

function classesOf(call: StoppedCall): FoundClass[] {
  return call.classes.map((one) => ({
    ...one,
    types: [],
    confidence: 1,
    where: [call.operation],
    masked: [],
    action: call.action,
    rule: { id: call.rule.id, name: call.rule.name },
  }));
}

function merge(before: readonly FoundClass[], after: readonly FoundClass[]): FoundClass[] {
  const all = new Map(before.map((one) => [one.class, one]));
  for (const one of after) {
    const known = all.get(one.class);
    all.set(one.class, known ? { ...one, count: known.count + one.count } : one);
  }
  return [...all.values()];
}

/**
 * Keeps a call in the queue: one incident for each integration, app, direction and rule, however often it comes. Gives
 * it when it is new or back; null when it was known, or the event was counted before.
 */
export async function takeStoppedCall(db: Database, call: StoppedCall): Promise<Incident | null> {
  return db.transaction(async (tx) => {
    const taken = await tablesOf(tx)
      .insertInto('dlp_motion_event')
      .values({ event_id: `${call.eventId}:${call.rule.id}`, at: call.at })
      .onConflict((conflict) => conflict.column('event_id').doNothing())
      .executeTakeFirst();
    if (Number(taken.numInsertedOrUpdatedRows) === 0) return null;
    const row = await tablesOf(tx)
      .selectFrom('dlp_incident')
      .selectAll()
      .where('source', '=', 'motion')
      .where('integration_id', '=', call.integration.id)
      .where('app', '=', call.app)
      .where('rule_id', '=', call.rule.id)
      .where('direction', '=', call.direction)
      .forUpdate()
      .executeTakeFirst();
    const classes = classesOf(call);
    const found = classes.reduce((sum, { count }) => sum + count, 0);
    const first = call.action === 'justify' ? 'waiting' : 'open';
    if (row) {
      const before = incidentOf(row);
      const isBack = before.status === 'remediated' || before.status === 'gone';
      await tablesOf(tx)
        .updateTable('dlp_incident')
        .set({
          last_seen: call.at,
          times: before.times + 1,
          found: before.found + found,
          classes: JSON.stringify(merge(before.classes, classes)),
          action: call.action,
          rule_name: call.rule.name,
          record_id: call.operation,
          ...(isBack && { status: first }),
        })
        .where('id', '=', before.id)
        .execute();
      return isBack ? loadIncident(tx, before.id) : null;
    }
    const id = uuidv7(call.at.getTime());
    await tablesOf(tx)
      .insertInto('dlp_incident')
      .values({
        id,
        source: 'motion',
        connection_id: null,
        stream: null,
        app: call.app,
        object: 'call',
        record_id: call.operation,
        parent_id: null,
        title: null,
        url: null,
        sharing: null,
        owner_id: null,
        direction: call.direction,
        integration_id: call.integration.id,
        integration_name: call.integration.name,
        action: call.action,
        rule_id: call.rule.id,
        rule_name: call.rule.name,
        label: classes.some(({ label }) => label === 'restricted') ? 'restricted' : 'confidential',
        classes: JSON.stringify(classes),
        found,
        status: first,
        assignee: null,
        scan_id: null,
        record_at: null,
        tool_label: null,
        first_seen: call.at,
        last_seen: call.at,
      })
      .execute();
    await addNote(tx, id, { at: call.at, by: 'gateway', what: 'found in a call' });
    return loadIncident(tx, id);
  });
}

/** Forgets which events were counted, once no batch can come again. */
export async function sweepStoppedCalls(db: Database, now: number): Promise<void> {
  await tablesOf(db)
    .deleteFrom('dlp_motion_event')
    .where('at', '<', new Date(now - EVENTS_KEPT_MS))
    .execute();
}
