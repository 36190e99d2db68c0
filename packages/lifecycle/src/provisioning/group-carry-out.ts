import { TargetRefused } from '../errors.ts';
import type { Carried } from './carry-out.ts';
import { type GroupLink, groupDifferences, memberIdsOf, type PlannedGroup, type WantedGroup } from './group-plan.ts';
import type { PatchOperation } from './mapping.ts';
import type { RemoteUser } from './plan.ts';
import type { ScimResource } from './scim-client.ts';

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

export interface CarriedGroup extends Pick<Carried, 'state' | 'detail'> {
  /** What is true of the link now; null: there is none any more; absent when nothing changed. */
  readonly link?: Pick<GroupLink, 'remoteId' | 'pushed'> | null;
}

type People = Parameters<typeof groupDifferences>[3];

/** Operations (RFC 7644, section 3.5.2.2 for the filtered path) that bring a group there to what is wanted. */
function patchOf(wanted: WantedGroup, remote: RemoteUser): PatchOperation[] {
  const operations: PatchOperation[] = [];
  if (remote['displayName'] !== wanted.name) {
    operations.push({ op: 'replace', path: 'displayName', value: wanted.name });
  }
  const there = new Set(memberIdsOf(remote));
  const ids = wanted.members.flatMap(({ remoteId }) => (remoteId === null ? [] : [remoteId]));
  const added = ids.filter((id) => !there.has(id));
  if (added.length > 0) operations.push({ op: 'add', path: 'members', value: added.map((value) => ({ value })) });
  for (const id of there) {
    if (!ids.includes(id)) operations.push({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` });
  }
  return operations;
}

/** Reads the group back: an answer of 200 says that it was heard, not that it was done. */
async function verify(
  groups: ScimResource,
  id: string,
  wanted: WantedGroup,
  context: { readonly people: People; readonly said: string; readonly made: boolean },
): Promise<CarriedGroup> {
  const { people, said, made } = context;
  const after = await groups.get(id);
  if (after?.user == null) return { state: 'failed', detail: `${said}; ${id} isn't there when read back.` };
  const left = groupDifferences(wanted, undefined, after.user, people);
  const members = wanted.members.flatMap(({ personId, remoteId }) => (remoteId === null ? [] : [personId]));
  const link = { remoteId: id, pushed: { displayName: wanted.name, members, made } };
  if (left.length > 0) {
    const paths = left.map(({ path, wanted: want }) => (want === false ? `${path} still in` : path)).join(', ');
    return { state: 'failed', detail: `${said}, but ${id} read back differs in: ${paths}.`, link };
  }
  const version = after.etag === null ? '' : `, version ${after.etag}`;
  const count = `${members.length} ${members.length === 1 ? 'member' : 'members'}`;
  return { state: 'done', detail: `${said}; ${id} read back with ${count} as wanted${version}.`, link };
}

async function create(groups: ScimResource, wanted: WantedGroup, people: People): Promise<CarriedGroup> {
  const [there] = await groups.find('externalId', wanted.id).catch((error: unknown) => {
    // Some servers can't filter groups by externalId: then the name, looked up by the plan, has to do.
    if (error instanceof TargetRefused) return [];
    throw error;
  });
  if (there) return update(groups, there, wanted, { people, made: true, said: 'There already; ' });
  const members = wanted.members.flatMap(({ remoteId }) => (remoteId === null ? [] : [{ value: remoteId }]));
  const document = { schemas: [GROUP], externalId: wanted.id, displayName: wanted.name, members };
  const made = await groups.create(document);
  if (made.user === null) return { state: 'failed', detail: `POST answered ${made.status} without the group.` };
  return verify(groups, made.user.id, wanted, { people, said: `POST answered ${made.status}`, made: true });
}

async function update(
  groups: ScimResource,
  remote: RemoteUser,
  wanted: WantedGroup,
  context: { readonly people: People; readonly said: string; readonly made: boolean },
): Promise<CarriedGroup> {
  const operations = patchOf(wanted, remote);
  if (operations.length === 0) {
    return verify(groups, remote.id, wanted, { ...context, said: `${context.said}no change` });
  }
  const { status } = await groups.patch(remote.id, operations);
  const acts = operations.map(({ op, path }) => `${op} ${path.split('[')[0] ?? path}`);
  const said = `${context.said}PATCH ${[...new Set(acts)].join(', ')} answered ${status}`;
  return verify(groups, remote.id, wanted, { ...context, said });
}

async function takeGroup(groups: ScimResource, link: GroupLink, accounts: readonly string[]): Promise<CarriedGroup> {
  const { remoteId, pushed } = link;
  const before = await groups.get(remoteId);
  if (before?.user == null) return { state: 'nothing', detail: `${remoteId} isn't there any more.`, link: null };
  if (pushed.made) {
    const status = await groups.remove(remoteId);
    if ((await groups.get(remoteId)) !== null) {
      return { state: 'failed', detail: `DELETE answered ${status}, but ${remoteId} is still there.` };
    }
    return { state: 'done', detail: `DELETE answered ${status}; ${remoteId} is gone when read back.`, link: null };
  }
  const there = memberIdsOf(before.user).filter((id) => accounts.includes(id));
  if (there.length === 0) return { state: 'nothing', detail: 'Nobody whom Cordon put in is in it.', link: null };
  const operations = there.map((id) => ({ op: 'remove' as const, path: `members[value eq ${JSON.stringify(id)}]` }));
  const { status } = await groups.patch(remoteId, operations);
  const after = await groups.get(remoteId);
  const left = after?.user == null ? [] : memberIdsOf(after.user).filter((id) => there.includes(id));
  if (left.length > 0) return { state: 'failed', detail: `PATCH answered ${status}, but ${left.length} are still in.` };
  return { state: 'done', detail: `PATCH answered ${status}; ${there.length} are out when read back.`, link: null };
}

/** Brings one group there to what is planned. May be called again: it looks before it acts. */
export async function carryOutGroup(
  groups: ScimResource,
  item: PlannedGroup,
  now: {
    readonly wanted: WantedGroup | null;
    readonly link: GroupLink | undefined;
    /** People by the id of their account there. */
    readonly people: People;
  },
): Promise<CarriedGroup> {
  const { wanted, link, people } = now;
  if (item.act === 'conflict') return { state: 'task', detail: item.why ?? 'Settle it there.' };
  if (item.act === 'delete' || wanted === null) {
    if (!link) return { state: 'nothing', detail: 'No group there is linked any more.' };
    const pushed = new Set(link.pushed.members);
    const accounts = [...people].flatMap(([id, { personId }]) => (pushed.has(personId) ? [id] : []));
    return takeGroup(groups, link, accounts);
  }
  if (item.remoteId === null) return create(groups, wanted, people);
  const found = await groups.get(item.remoteId);
  if (found?.user == null) return { state: 'failed', detail: `${item.remoteId} went away meanwhile; push again.` };
  return update(groups, found.user, wanted, { people, said: '', made: link?.pushed.made ?? false });
}
