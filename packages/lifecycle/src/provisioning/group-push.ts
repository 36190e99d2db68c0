import { appendAudit, type Database } from '@cordon/kernel';
import { carryOutGroup, type CarriedGroup } from './group-carry-out.ts';
import { type PlannedGroup, planGroups, type WantedGroup } from './group-plan.ts';
import {
  countGroupAttempt,
  deleteGroupLink,
  listGroupItems,
  listGroupLinks,
  saveGroupLink,
  settleGroupItem,
} from './group-store.ts';
import type { PlannedItem, Wanted } from './plan.ts';
import { listLinks } from './provision-store.ts';
import type { ProvisionDeps } from './provision-workflow.ts';
import type { ScimClient } from './scim-client.ts';
import type { PeopleSource, ProvisionGroupItem, ProvisionRun, ProvisionTarget } from './target.ts';

const ATTEMPTS_MAX = 3;
const ATTEMPT_WAIT_MS = 1_000;
const SYSTEM = { kind: 'system', name: 'provisioning' } as const;

/** Groups of a target with those of their members who should have an account there. */
export async function groupsWanted(people: PeopleSource, target: ProvisionTarget, wanted: readonly Wanted[]) {
  if (target.pushGroups.length === 0) return [];
  const names = new Map(wanted.map(({ id, name }) => [id, name]));
  const groups = await people.groups(target.pushGroups);
  return groups.map(({ id, name, memberIds }) => ({
    id,
    name,
    members: memberIds.flatMap((one) => (names.has(one) ? [{ personId: one, name: names.get(one) ?? one }] : [])),
  }));
}
type Groups = Awaited<ReturnType<typeof groupsWanted>>;

/** Whose account is which there, as far as it is known. */
async function accountsOf(db: Database, targetId: string, planned: readonly PlannedItem[] = []) {
  const links = (await listLinks(db, { targetId })).filter(
    ({ remoteId, state }) => remoteId !== null && state === 'live',
  );
  const byPerson = new Map(links.map((link) => [link.personId, link.remoteId]));
  const people = new Map(
    links.map((link) => [link.remoteId ?? '', { personId: link.personId, name: link.personName }]),
  );
  for (const { act, personId, personName, remoteId } of planned) {
    if (act !== 'link' || remoteId === null) continue;
    byPerson.set(personId, remoteId);
    people.set(remoteId, { personId, name: personName });
  }
  return { byPerson, people };
}

const withAccounts = (groups: Groups, byPerson: ReadonlyMap<string, string | null>): WantedGroup[] =>
  groups.map(({ id, name, members }) => ({
    id,
    name,
    members: members.map((one) => ({ ...one, remoteId: byPerson.get(one.personId) ?? null })),
  }));

/** What would be done with groups there. Looks only where groups are pushed, or once were. */
export async function planGroupPush(
  deps: ProvisionDeps,
  client: ScimClient,
  input: { readonly target: ProvisionTarget; readonly groups: Groups; readonly items: readonly PlannedItem[] },
): Promise<PlannedGroup[]> {
  const { target, groups, items } = input;
  const links = await listGroupLinks(deps.db, target.id);
  if (groups.length === 0 && links.length === 0) return [];
  const { byPerson, people } = await accountsOf(deps.db, target.id, items);
  const remote = await client.groups.list();
  return planGroups({ wanted: withAccounts(groups, byPerson), links, remote, people });
}

async function tryGroup(
  deps: ProvisionDeps,
  client: ScimClient,
  run: ProvisionRun,
  item: ProvisionGroupItem,
  groups: Groups,
): Promise<CarriedGroup> {
  const { db, logger, pause } = deps;
  for (let attempt = 1; ; attempt += 1) {
    await countGroupAttempt(db, run.id, item.groupId);
    try {
      const { byPerson, people } = await accountsOf(db, run.targetId);
      const wanted = withAccounts(groups, byPerson).find(({ id }) => id === item.groupId) ?? null;
      const link = (await listGroupLinks(db, run.targetId)).find(({ groupId }) => groupId === item.groupId);
      return await carryOutGroup(client.groups, item, { wanted, link, people });
    } catch (error) {
      logger.warn({ err: error, run: run.id, group: item.groupId, attempt }, 'a group could not be pushed');
      if (attempt >= ATTEMPTS_MAX) {
        return { state: 'failed', detail: error instanceof Error ? error.message : String(error) };
      }
      await pause(ATTEMPT_WAIT_MS * 2 ** attempt);
    }
  }
}

/** After the people, whose accounts are the members. Each group is read back and settled once. */
export async function pushGroups(
  deps: ProvisionDeps,
  client: ScimClient,
  run: ProvisionRun,
  groups: Groups,
): Promise<void> {
  const { db, clock } = deps;
  for (const item of await listGroupItems(db, run.id, ['waiting'])) {
    const carried = await tryGroup(deps, client, run, item, groups);
    const at = clock.now();
    await db.transaction(async (tx) => {
      const { groupId, groupName } = item;
      const end = { state: carried.state, detail: carried.detail, at };
      // A crash right after the commit runs this step again: the trail holds each outcome once.
      if (!(await settleGroupItem(tx, { runId: run.id, groupId }, end))) return;
      const { targetId } = run;
      if (carried.link === null) await deleteGroupLink(tx, targetId, groupId);
      else if (carried.link) await saveGroupLink(tx, { targetId, groupId, groupName, ...carried.link, at });
      await appendAudit(tx, {
        actor: SYSTEM,
        action: `provision.group_${carried.state === 'nothing' ? 'nothing_there' : carried.state}`,
        target: { type: 'group', id: groupId, name: groupName },
        detail: { run: run.id, target: run.targetName, act: item.act, outcome: carried.detail },
        at,
      });
    });
  }
}
