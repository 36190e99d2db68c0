import { fireInject } from './attack.ts';
import { type Drill, dueMs } from './drill.ts';
import { addEntry, listEntries, listObjects, setDrill, settleEntry } from './drill-store.ts';
import type { Facts } from './facts.ts';
import type { Firing } from './firing.ts';
import type { Victim } from './ports.ts';
import type { Inject } from './scenario.ts';
import { scoreDrill } from './score.ts';
import { tagAgent } from './tag.ts';
import { firstCall } from './target.ts';

/** What the drill does meanwhile must not slow down what it measures. */
const PROBE_MS = 120;
const LOOK_MS = 250;
const LOOK_AFTER_DECISION_MS = 1_000;
/** A number range of its own for the tags of probes. */
const PROBE_TAGS_FROM = 500_000_000;
/** For a machine that is slow today. */
const SPARE_MS = 30_000;
const REASON = 'The drill decides at once, so that the machine alone is measured.';

interface Seen {
  lastOkAt: number | null;
  refusedAt: number | null;
}

/**
 * Sends and calls what is due, and follows what that sets in motion, until all that is expected came true, somebody
 * stops it, or time is over.
 */
export async function watchDrill(now: Firing, victim: Victim | null): Promise<void> {
  const { db, drill, clock, pause, isWanted } = now;
  const began = drill.startedAt ?? clock.now();
  const injects = injectsOf(drill);
  const until = began + lastsMs(drill, injects);
  const prober = await createProber(now, victim);
  let [fired, lookAt, isDecided] = [0, 0, false];
  while (clock.now() < until && (await isWanted())) {
    const next = injects[fired];
    if (next && clock.now() >= began + dueMs(drill, next.at)) {
      await fireInject(now, next, victim);
      fired += 1;
      continue;
    }
    if (!injects.slice(fired).some(({ calls }) => calls)) await prober.probe();
    if (clock.now() >= lookAt) {
      lookAt = clock.now() + (isDecided ? LOOK_AFTER_DECISION_MS : LOOK_MS);
      const objects = await listObjects(db, drill.id);
      const facts = await now.ports.observe({ id: drill.id, startedAt: began, counted: false }, objects);
      isDecided = facts.runs.some(({ approved }) => approved !== null) || (await decide(now, facts));
      const score = scoreDrill(drill, await listEntries(db, drill.id), facts);
      await setDrill(db, drill.id, { score });
      const open = score.checks.filter(({ kind, tookMs }) => kind !== 'attended' && kind !== 'held' && tookMs === null);
      if (fired === injects.length && open.length === 0 && (prober.isShutOut() || !drill.document.contain)) return;
    }
    await pause(PROBE_MS);
  }
}

/** In their order; where nobody takes part, only what is sent or called. */
function injectsOf({ document, decide: by }: Drill): Inject[] {
  return document.injects
    .filter(({ events, calls }) => by === 'person' || events !== undefined || calls !== undefined)
    .toSorted((a, b) => a.at - b.at);
}

/** People have the scenario's time; the machine what is expected of it, and a little more. */
function lastsMs(drill: Drill, injects: readonly Inject[]): number {
  const { document } = drill;
  if (drill.decide === 'person') return dueMs(drill, document.limit);
  const longest = (of: readonly { readonly within: number }[]): number =>
    Math.max(0, ...of.map(({ within }) => within));
  const parts = [document.detections, document.playbooks, document.notices].map(longest);
  const whole = parts.reduce((sum, one) => sum + one, dueMs(drill, injects.at(-1)?.at ?? 0));
  return Math.min(document.limit, whole + (document.contain?.fromApproval ?? 0) + SPARE_MS);
}

/** In the name of the drill, where nobody is asked. Two detections may ask for the same playbook: one is enough. */
async function decide({ db, drill, clock, ports }: Firing, facts: Facts): Promise<boolean> {
  const run = facts.runs.find(({ status, missing }) => status === 'proposed' && missing.length === 0);
  if (drill.decide !== 'drill' || !run) return false;
  await ports.approve(run.id, REASON);
  await addEntry(db, drill.id, {
    key: `decision:${run.id}`,
    kind: 'status',
    at: clock.now(),
    author: 'drill',
    text: `Approved "${run.playbook}".`,
    detail: { run: run.id },
  });
  return true;
}

/** Goes on using the stolen token at each gateway address, as a thief would, until all of them refuse. */
async function createProber(now: Firing, victim: Victim | null) {
  const { db, drill, clock, key, ports } = now;
  const call = victim && firstCall(drill, victim);
  const gateways = victim && call && drill.document.contain ? await ports.gateways() : [];
  const seen = new Map<string, Seen>(gateways.map((gateway) => [gateway, { lastOkAt: null, refusedAt: null }]));
  for (const { kind, detail } of await listEntries(db, drill.id)) {
    const known = kind === 'probe' ? seen.get(String(detail['gateway'])) : undefined;
    if (known && typeof detail['refusedAt'] === 'number') known.refusedAt = detail['refusedAt'];
    if (known && typeof detail['lastOkAt'] === 'number') known.lastOkAt = detail['lastOkAt'];
  }
  let number = PROBE_TAGS_FROM;
  const probeOne = async (gateway: string, of: Seen): Promise<void> => {
    if (!victim || !call || of.refusedAt !== null) return;
    const userAgent = tagAgent(key, drill.id, (number += 1), victim.integrationId);
    const { status } = await ports.call({ ...victim, method: call.method, path: call.path, gateway, userAgent });
    if (status >= 200 && status < 300) of.lastOkAt = clock.now();
    else if (status === 401) {
      of.refusedAt = clock.now();
      await note(gateway, of);
    }
  };
  const note = async (gateway: string, of: Seen): Promise<void> => {
    const entryKey = `probe:${gateway}`;
    const text = `The stolen token is refused at ${gateway}.`;
    const detail = { gateway, ...of };
    const entry = { key: entryKey, kind: 'probe', at: clock.now(), author: 'attacker', text, detail } as const;
    if (!(await addEntry(db, drill.id, entry))) await settleEntry(db, drill.id, entryKey, { text, detail });
  };
  return {
    probe: () => Promise.all([...seen].map(([gateway, of]) => probeOne(gateway, of))),
    /** Whether every address refuses; true where nothing is probed. */
    isShutOut: () => [...seen.values()].every(({ refusedAt }) => refusedAt !== null),
  };
}
