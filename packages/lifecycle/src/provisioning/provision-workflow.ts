import { createHash } from 'node:crypto';
import {
  appendAudit,
  canonicalJson,
  type Clock,
  type Database,
  type Logger,
  type SecretEnvelope,
  type Transaction,
  type WorkflowDefinition,
} from '@cordon/kernel';
import { ProvisionInvalid, TooManyLeavers } from '../errors.ts';
import { type Carried, carryOutItem } from './carry-out.ts';
import { settleMoves, settleUntouched } from '../moves.ts';
import { absentNow } from './dates.ts';
import { countTakenMembers } from './group-plan.ts';
import { groupsWanted, planGroupPush, pushGroups } from './group-push.ts';
import { listGroupItems, saveGroupPlan } from './group-store.ts';
import { applyMapping } from './mapping.ts';
import { type Link, planPush, type RemoteUser, type Wanted } from './plan.ts';
import {
  countAttempt,
  endProvisionRun,
  listItems,
  listLinks,
  loadProvisionRun,
  loadProvisionTarget,
  markChecked,
  openTargetToken,
  saveLink,
  savePlan,
  settleItem,
  supersedeTasks,
} from './provision-store.ts';
import { createScimClient, type ScimClient, type ScimPort } from './scim-client.ts';
import type { PeopleSource, ProvisionItem, ProvisionRun, ProvisionTarget } from './target.ts';

/** What commands enqueue; the worker runs `createProvisionWorkflow`. */
export const provisionWorkflow = { name: 'lifecycle.provision' } as const;

const ATTEMPTS_MAX = 3;
const ATTEMPT_WAIT_MS = 1_000;
const SYSTEM = { kind: 'system', name: 'provisioning' } as const;

export interface ProvisionDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly envelope: SecretEnvelope;
  readonly people: PeopleSource;
  readonly portFor: (privateAddresses: readonly string[]) => ScimPort;
  /** Waits, milliseconds; a test passes its own. */
  readonly pause: (ms: number) => Promise<void>;
}

export async function openClient(deps: ProvisionDeps, target: ProvisionTarget): Promise<ScimClient> {
  const { db, envelope, clock, pause, portFor } = deps;
  if (target.baseUrl === null) throw new ProvisionInvalid('This target has no SCIM server.', { target: target.id });
  return createScimClient({
    port: portFor(target.privateAddresses),
    baseUrl: target.baseUrl,
    token: await openTargetToken(db, envelope, target.id),
    requestsPerS: target.requestsPerS,
    now: () => clock.now(),
    pause,
  });
}

/** Who should have an account there now: members of its groups who began and haven't ended. */
export async function wantedAt(deps: Pick<ProvisionDeps, 'db' | 'clock' | 'people'>, target: ProvisionTarget) {
  const { db, clock, people } = deps;
  const absent = await absentNow(db, clock.now());
  const members = await people.membersOf(target.groups);
  const wanted: Wanted[] = members
    .filter(({ id }) => !absent.has(id))
    .map((person) => ({ id: person.id, name: person.name, flat: applyMapping(target.mapping, person) }));
  const lines = wanted.map(({ id, flat }) => canonicalJson([id, flat])).toSorted();
  const groups = await groupsWanted(people, target, wanted);
  const grouped = groups.map((group) =>
    canonicalJson([group.id, group.name, group.members.map((one) => one.personId)]),
  );
  const more = grouped.length === 0 ? '' : `\n${grouped.join('\n')}`;
  const hash = createHash('sha256').update(`${target.onLeave}\n${lines.join('\n')}${more}`);
  return { wanted, groups, fingerprint: hash.digest('base64url') };
}

/** A tool without an interface holds, as far as is known, what people said that they did there. */
function asTold(links: readonly Link[]): RemoteUser[] {
  return links.flatMap(({ personId, pushed, state }) =>
    state === 'live' ? [{ id: `told:${personId}`, externalId: personId, ...nest(pushed) }] : [],
  );
}

/** Undoes the flat paths as far as comparing needs. */
function nest(flat: Link['pushed']): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const urn = path.startsWith('urn:') ? path.lastIndexOf(':') : -1;
    const at = urn > 0 ? urn : path.indexOf('.');
    if (at < 0) {
      document[path] = value;
      continue;
    }
    const [head, tail] = [path.slice(0, at), path.slice(at + 1)];
    const held = document[head];
    if (head === 'emails' || head === 'phoneNumbers') {
      document[head] = [...(Array.isArray(held) ? held : []), { type: tail, value }];
    } else document[head] = { ...(typeof held === 'object' ? held : {}), [tail]: value };
  }
  return document;
}

async function plan(deps: ProvisionDeps, run: ProvisionRun): Promise<void> {
  const { db, clock } = deps;
  if (run.plannedAt !== null) return;
  const target = await loadProvisionTarget(db, run.targetId);
  const stored = await listLinks(db, { targetId: target.id });
  const isTask = target.kind === 'task';
  const links = isTask ? stored.map((link) => ({ ...link, remoteId: `told:${link.personId}` })) : stored;
  const client = isTask ? null : await openClient(deps, target);
  const remote = client === null ? asTold(stored) : await client.list();
  const { wanted, groups, fingerprint } = await wantedAt(deps, target);
  const made = planPush({ wanted, links, remote, onLeave: target.onLeave });
  const planned = client === null ? [] : await planGroupPush(deps, client, { target, groups, items: made.items });
  const state = run.mode === 'preview' ? 'planned' : isTask ? 'task' : 'waiting';
  const at = clock.now();
  await db.transaction(async (tx) => {
    if (run.mode === 'push') await supersedeTasks(tx, run, at);
    await savePlan(tx, run.id, { ...made, wanted: fingerprint }, { state, at });
    await saveGroupPlan(tx, run.id, planned, { state, at });
    await markChecked(tx, target.id, { at });
  });
}

/** A directory that lost a group by mistake must not lock out everybody at once. */
async function checkLeavers(deps: ProvisionDeps, run: ProvisionRun, items: readonly ProvisionItem[]): Promise<void> {
  const target = await loadProvisionTarget(deps.db, run.targetId);
  const accounts = items.filter(({ act }) => act === 'deactivate' || act === 'delete').length;
  const memberships = countTakenMembers(await listGroupItems(deps.db, run.id, ['waiting']));
  const allowed = Math.max(target.leaversMax, run.leaversAllowed ?? 0);
  for (const [count, what] of [
    [accounts, 'accounts'],
    [memberships, 'memberships of groups'],
  ] as const) {
    if (count <= allowed) continue;
    throw new TooManyLeavers(
      `This would take away ${count} ${what} at once; ${allowed} are allowed. Look at a preview, then push with that number allowed.`,
      { count, allowed },
    );
  }
}

async function tryItem(
  deps: ProvisionDeps,
  client: ScimClient,
  run: ProvisionRun,
  item: ProvisionItem,
): Promise<Carried> {
  const { db, logger, pause } = deps;
  for (let attempt = 1; ; attempt += 1) {
    await countAttempt(db, run.id, item.personId);
    try {
      const [link] = (await listLinks(db, { targetId: run.targetId, personId: item.personId })).slice(0, 1);
      return await carryOutItem(client, item, link?.pushed ?? {});
    } catch (error) {
      logger.warn({ err: error, run: run.id, person: item.personId, attempt }, 'a push could not be carried out');
      if (attempt >= ATTEMPTS_MAX) {
        return { state: 'failed', detail: error instanceof Error ? error.message : String(error) };
      }
      await pause(ATTEMPT_WAIT_MS * 2 ** attempt);
    }
  }
}

async function recordItem(
  tx: Transaction,
  run: ProvisionRun,
  item: ProvisionItem,
  end: Carried & { readonly at: number },
): Promise<void> {
  const which = { runId: run.id, personId: item.personId, from: ['waiting'] as const };
  // A crash right after the commit runs this step again: the trail holds each outcome once.
  if (!(await settleItem(tx, which, { state: end.state, detail: end.detail, at: end.at }))) return;
  const { personId, personName } = item;
  if (end.link) await saveLink(tx, { targetId: run.targetId, personId, personName, ...end.link, at: end.at });
  const isGain = item.act !== 'deactivate' && item.act !== 'delete';
  if (end.state !== 'failed') {
    const { state, detail, at } = end;
    await settleMoves(
      tx,
      { targetId: run.targetId, personId, isGain },
      { state, detail: `${detail} (run ${run.id})`, at },
    );
  }
  await appendAudit(tx, {
    actor: SYSTEM,
    action: `provision.${end.state === 'nothing' ? 'nothing_there' : end.state}`,
    target: { type: 'person', id: personId, name: personName },
    detail: { run: run.id, target: run.targetName, act: item.act, outcome: end.detail },
    at: end.at,
  });
}

async function push(deps: ProvisionDeps, run: ProvisionRun): Promise<void> {
  const { db, clock } = deps;
  const waiting = await listItems(db, run.id, { states: ['waiting'] });
  const groupsWaiting = await listGroupItems(db, run.id, ['waiting']);
  if (waiting.length + groupsWaiting.length === 0) return;
  await checkLeavers(deps, run, waiting);
  const target = await loadProvisionTarget(db, run.targetId);
  const client = await openClient(deps, target);
  for (const item of waiting) {
    const carried = await tryItem(deps, client, run, item);
    await db.transaction((tx) => recordItem(tx, run, item, { ...carried, at: clock.now() }));
  }
  if (groupsWaiting.length > 0) await pushGroups(deps, client, run, (await wantedAt(deps, target)).groups);
}

async function close(deps: ProvisionDeps, runId: string, error: string | null): Promise<void> {
  const { db, clock } = deps;
  const at = clock.now();
  await db.transaction(async (tx) => {
    const ended = await endProvisionRun(tx, runId, { at, error });
    const run = await loadProvisionRun(tx, runId);
    if (ended === null || run.mode === 'preview') return;
    const { failed, waiting } = run.counts;
    const isWhole = error === null && failed === 0 && waiting === 0 && ended.wanted !== null;
    if (isWhole) {
      await markChecked(tx, run.targetId, { at, fingerprint: ended.wanted ?? '' });
      const { kind } = await loadProvisionTarget(tx, run.targetId);
      if (kind === 'scim') await settleUntouched(tx, run.targetId, at, run.plannedAt ?? run.startedAt);
    }
    await appendAudit(tx, {
      actor: SYSTEM,
      action: error === null ? 'provision.push_ended' : 'provision.push_failed',
      target: { type: 'provision-target', id: run.targetId, name: run.targetName },
      detail: { run: runId, counts: run.counts, ...(error === null ? {} : { error }) },
      at,
    });
  });
}

/**
 * Compares what is wanted with what the target holds; a push then brings it there, one account after the other, each
 * read back and settled once with its evidence. After a crash it goes on with what waits.
 */
export function createProvisionWorkflow(deps: ProvisionDeps): WorkflowDefinition<{ readonly runId: string }> {
  const { db, logger } = deps;
  return {
    name: provisionWorkflow.name,
    async run({ runId }, steps) {
      const load = () => loadProvisionRun(db, runId);
      const error = await steps.step('plan and push', async () => {
        try {
          const run = await load();
          if (run.endedAt !== null) return run.error;
          await plan(deps, run);
          if (run.mode === 'push') await push(deps, run);
          return null;
        } catch (failure) {
          logger.warn({ err: failure, run: runId }, 'a provisioning run failed');
          return failure instanceof Error ? failure.message : String(failure);
        }
      });
      await steps.step('close', () => close(deps, runId, error));
    },
  };
}
