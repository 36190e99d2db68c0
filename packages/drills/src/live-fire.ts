import { appendAudit, type WorkflowDefinition, type WorkflowSteps } from '@cordon/kernel';
import { type DrillEngine, type Firing, openFiring, tokenContext, victimOf } from './firing.ts';
import type { DrillStatus } from './drill.ts';
import { addEntry, addObject, listEntries, listObjects, markRemoved, setDrill, statusOf } from './drill-store.ts';
import { NO_FACTS } from './facts.ts';
import type { Victim } from './ports.ts';
import { shortName } from './render-events.ts';
import { type Score, scoreDrill } from './score.ts';
import { tagAgent } from './tag.ts';
import { firstCall, markedTarget } from './target.ts';
import { watchDrill } from './watch-drill.ts';

export interface DrillInputOfWorkflow {
  readonly drillId: string;
}
/** What commands enqueue; the worker runs `createDrillWorkflow`. */
export const drillWorkflow = { name: 'drills.live-fire' } as const;

const POLL_MS = 100;
const BASELINE_TRIES_MAX = 150;
const REMOVE_TRIES_MAX = 4;
/** A number range of its own for the tags of the rightful use. */
const BASELINE_TAGS_FROM = 900_000_000;

/**
 * A live fire from its preparation to the last thing taken away. Each step may run again after a crash: what was made
 * is found by name, what was sent is in the journal, and the clock counts from the beginning that is written down.
 */
export function createDrillWorkflow(engine: DrillEngine): WorkflowDefinition<DrillInputOfWorkflow> {
  return {
    name: drillWorkflow.name,
    async run({ drillId }, steps) {
      let broken: string | null = null;
      try {
        await fireAll(engine, drillId, steps);
      } catch (error) {
        broken = error instanceof Error ? error.message : String(error);
        engine.logger.error({ err: error, drill: drillId }, 'a drill broke; what it made is taken away');
      }
      const score = await steps.step('score', async () => finalScore(await openFiring(engine, drillId)));
      await steps.step('clean up', async () => cleanUp(await openFiring(engine, drillId)));
      await steps.step('end', async () => end(await openFiring(engine, drillId), score, broken));
    },
  };
}

async function fireAll(engine: DrillEngine, drillId: string, steps: WorkflowSteps): Promise<void> {
  await steps.step('prepare', async () => prepare(await openFiring(engine, drillId)));
  // One step: it may run again as a whole after a crash, since the journal decides what is still to be done.
  await steps.step('fire', async () => {
    const now = await openFiring(engine, drillId);
    await watchDrill(now, await victimOf(now));
  });
}

/** Makes the target and the sources, waits until the rightful use works at every gateway, then starts the clock. */
async function prepare(now: Firing): Promise<void> {
  const { db, drill, clock, ports } = now;
  if (drill.startedAt !== null && (await listEntries(db, drill.id)).some(({ key }) => key === 'started')) return;
  const { document } = drill;
  if (document.target) await prepareVictim(now, document.target.operations);
  const products = new Set(document.injects.flatMap(({ events }) => (events ? [events.product] : [])));
  for (const product of products) {
    const name = `drill-${shortName(drill.id)}-${product.replaceAll(/[_/]/g, '-')}`;
    const made = await ports.makeSource(name, product);
    const sealed = now.envelope.seal(made.credential, tokenContext(drill.id));
    await addObject(db, drill.id, { kind: 'source', ref: made.id, name: product, sealed, madeAt: clock.now() });
  }
  const at = clock.now();
  await db.transaction(async (tx) => {
    await setDrill(tx, drill.id, { started_at: at });
    await addEntry(tx, drill.id, {
      key: 'started',
      kind: 'status',
      at,
      author: 'cordon',
      text: 'Everything stands; the clock runs.',
      detail: {},
    });
  });
}

async function prepareVictim(now: Firing, operations: readonly string[]): Promise<void> {
  const { db, drill, clock, ports } = now;
  // Marked when it was planned; whoever took the mark away since then meant it.
  const target = drill.target === null ? null : await markedTarget(db, drill.target.appId);
  const named = { id: drill.id, name: `drill-${shortName(drill.id)}`, target };
  const victim = await ports.makeVictim(named, operations, (object) =>
    addObject(db, drill.id, { ...object, madeAt: clock.now() }),
  );
  const sealed = now.envelope.seal(JSON.stringify(victim), tokenContext(drill.id));
  await addObject(db, drill.id, { kind: 'token', ref: 'stolen', name: named.name, sealed, madeAt: clock.now() });
  await waitForBaseline(now, victim);
}

/** The rightful use must work everywhere first: else a refusal would prove nothing. */
async function waitForBaseline(now: Firing, victim: Victim): Promise<void> {
  const { ports, pause, isWanted, drill, key } = now;
  const call = firstCall(drill, victim);
  if (!call) return;
  const request = { ...victim, method: call.method, path: call.path };
  for (let tries = 0; tries < BASELINE_TRIES_MAX; tries++) {
    if (!(await isWanted())) return;
    const gateways = await ports.gateways();
    // Of the exercise too, so that it counts in no figure.
    const userAgent = tagAgent(key, drill.id, BASELINE_TAGS_FROM + tries, victim.integrationId);
    const outcomes = await Promise.all(gateways.map((gateway) => ports.call({ ...request, gateway, userAgent })));
    if (outcomes.length > 0 && outcomes.every(({ status }) => status === 200)) return;
    await pause(POLL_MS);
  }
  throw new Error('The rightful use of the token never worked at every gateway: there is nothing to measure.');
}

async function finalScore({ db, drill, ports }: Firing): Promise<Score> {
  const [entries, objects] = [await listEntries(db, drill.id), await listObjects(db, drill.id)];
  const facts =
    drill.startedAt === null
      ? NO_FACTS
      : await ports.observe({ id: drill.id, startedAt: drill.startedAt, counted: true }, objects);
  return scoreDrill(drill, entries, facts);
}

async function cleanUp({ db, drill, ports, clock, logger, pause }: Firing): Promise<void> {
  const reason = `Exercise ${drill.number}, "${drill.title}", is over.`;
  const settled = await ports.settle(drill, reason);
  const left: string[] = [];
  for (const object of (await listObjects(db, drill.id)).filter(({ removedAt }) => removedAt === null)) {
    for (let tries = 1; ; tries++) {
      try {
        await ports.remove(object, reason);
        await markRemoved(db, drill.id, object.kind, object.ref, clock.now());
        break;
      } catch (error) {
        logger.warn({ err: error, drill: drill.id, kind: object.kind }, 'a thing of a drill could not be removed');
        if (tries >= REMOVE_TRIES_MAX) {
          left.push(`${object.kind} ${object.name}`);
          break;
        }
        await pause(500 * tries);
      }
    }
  }
  await addEntry(db, drill.id, {
    key: 'cleanup',
    kind: 'cleanup',
    at: clock.now(),
    author: 'cordon',
    text:
      left.length === 0
        ? 'Everything that the drill made is gone.'
        : `These could not be taken away, do it by hand: ${left.join(', ')}.`,
    detail: { ...settled, left },
  });
}

async function end({ db, drill, clock }: Firing, score: Score, broken: string | null): Promise<void> {
  const at = clock.now();
  const status: DrillStatus = broken !== null ? 'failed' : drill.stopReason === null ? 'ended' : 'aborted';
  await db.transaction(async (tx) => {
    if ((await statusOf(tx, drill.id)) === status) return;
    await setDrill(tx, drill.id, { status, ended_at: at, score, error: broken });
    await addEntry(tx, drill.id, {
      key: 'ended',
      kind: 'status',
      at,
      author: 'cordon',
      text: broken ?? drill.stopReason ?? `${score.met} of ${score.total} checks were met.`,
      detail: { status },
    });
    await appendAudit(tx, {
      actor: { kind: 'system', name: 'drill' },
      action: `drill.${status}`,
      target: { type: 'drill', id: drill.id, name: drill.title },
      detail: {
        number: drill.number,
        digest: drill.digest,
        met: score.met,
        total: score.total,
        measures: score.measures,
      },
      at,
    });
  });
}
