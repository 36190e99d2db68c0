import { addEntry, listEntries, settleEntry } from './drill-store.ts';
import { DrillBroken } from './errors.ts';
import { type Firing, sourceCredential } from './firing.ts';
import type { Victim } from './ports.ts';
import { renderRecords } from './render-events.ts';
import type { Inject } from './scenario.ts';
import { tagAgent, tagRecord } from './tag.ts';
import { placedCall } from './target.ts';

const DELIVER_TRIES_MAX = 20;
const DELIVER_AGAIN_MS = 250;
/** More than an inject has records. */
const TAGS_PER_INJECT = 1_000;

/** Does what an inject says. What the journal has an outcome for isn't done again. */
export async function fireInject(now: Firing, inject: Inject, victim: Victim | null): Promise<void> {
  const { db, drill, clock } = now;
  if (inject.message) {
    await addEntry(db, drill.id, {
      key: `inject:${inject.id}`,
      kind: 'inject',
      at: clock.now(),
      author: inject.message.from,
      text: inject.message.text,
      detail: { inject: inject.id, title: inject.title },
    });
  }
  if (inject.events) await sendEvents(now, inject, inject.events);
  if (inject.calls && victim) await makeCalls(now, inject, inject.calls, victim);
}

async function sendEvents(now: Firing, inject: Inject, of: NonNullable<Inject['events']>): Promise<void> {
  const { db, drill, clock, key, ports, pause } = now;
  const entryKey = `events:${inject.id}`;
  const known = (await listEntries(db, drill.id)).find((entry) => entry.key === entryKey);
  if (known?.detail['accepted'] !== undefined) return;
  const at = known?.at ?? clock.now();
  const detail = { inject: inject.id, events: true, product: of.product };
  await addEntry(db, drill.id, { key: entryKey, kind: 'inject', at, author: 'attacker', text: inject.title, detail });
  const credential = await sourceCredential(now, of.product);
  if (credential === null) throw new DrillBroken(`The source for ${of.product} is gone.`);
  // The time of the first try: sent again after a crash, the records are the same ones, and count once.
  const rendered = renderRecords(drill.document.records[of.file] ?? [], { drillId: drill.id, now: at });
  const offset = drill.document.injects.findIndex(({ id }) => id === inject.id) * TAGS_PER_INJECT;
  const records = rendered.map((record, place) => tagRecord(key, drill.id, offset + place, record));
  for (let tries = 1; ; tries++) {
    try {
      const taken = await ports.deliver(credential, records);
      const text = `${inject.title}: ${records.length} records of ${of.product}`;
      await settleEntry(db, drill.id, entryKey, { text, detail: { ...detail, ...taken, records: records.length } });
      return;
    } catch (error) {
      if (tries >= DELIVER_TRIES_MAX) throw error;
      await pause(DELIVER_AGAIN_MS);
    }
  }
}

async function makeCalls(
  now: Firing,
  inject: Inject,
  calls: NonNullable<Inject['calls']>,
  victim: Victim,
): Promise<void> {
  const { db, drill, clock, key, ports, isWanted } = now;
  const done = new Map((await listEntries(db, drill.id)).map((entry) => [entry.key, entry]));
  const gateways = await ports.gateways();
  if (gateways.length === 0) throw new DrillBroken('No gateway answers.');
  const plan = calls.flatMap((call) => Array.from({ length: call.times }, () => placedCall(drill, victim, call)));
  for (const [place, call] of plan.entries()) {
    const entryKey = `call:${inject.id}:${place}`;
    if (done.get(entryKey)?.detail['status'] !== undefined) continue;
    if (!(await isWanted())) return;
    const text = `${call.method} ${call.path}`;
    // Round and round: a thief whose calls spread over processes must be seen as one.
    const gateway = gateways[place % gateways.length] ?? '';
    const detail = { inject: inject.id, gateway };
    await addEntry(db, drill.id, { key: entryKey, kind: 'call', at: clock.now(), author: 'attacker', text, detail });
    const userAgent = tagAgent(key, drill.id, place, victim.integrationId);
    const outcome = await ports.call({ ...victim, ...call, gateway, userAgent });
    await settleEntry(db, drill.id, entryKey, {
      text: `${text}: ${outcome.status}`,
      detail: { ...detail, ...outcome },
    });
  }
}
