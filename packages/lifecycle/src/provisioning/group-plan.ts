import type { Difference, RemoteUser } from './plan.ts';

/** A group as it should be there: members are people who have an account there, or are about to. */
export interface WantedGroup {
  readonly id: string;
  readonly name: string;
  readonly members: readonly {
    readonly personId: string;
    readonly name: string;
    /** Null: their account is made in the same push. */
    readonly remoteId: string | null;
  }[];
}

export interface PushedGroup {
  readonly displayName: string;
  /** Ids of people. */
  readonly members: readonly string[];
  /** Cordon made it; one that was there before is never deleted. */
  readonly made: boolean;
}

export interface GroupLink {
  readonly groupId: string;
  readonly groupName: string;
  readonly remoteId: string;
  readonly pushed: PushedGroup;
}

export const GROUP_ACTS = ['create', 'link', 'update', 'delete', 'conflict'] as const;

export interface PlannedGroup {
  readonly groupId: string;
  readonly groupName: string;
  readonly act: (typeof GROUP_ACTS)[number];
  readonly remoteId: string | null;
  /** Ids of people. */
  readonly wanted: readonly string[];
  /** `displayName`, and `member NAME` with true or false. */
  readonly differences: readonly Difference[];
  readonly why?: string;
}

/** Ids of the members of a group as the target holds it (RFC 7643, section 4.2). */
export function memberIdsOf(remote: RemoteUser): string[] {
  const list: readonly unknown[] = Array.isArray(remote['members']) ? remote['members'] : [];
  return list.flatMap((one) => {
    const value: unknown = typeof one === 'object' && one !== null && 'value' in one ? one.value : undefined;
    return typeof value === 'string' ? [value] : [];
  });
}

/** What of a group there isn't as wanted. Its members are Cordon's alone: whoever else is in it is drift. */
export function groupDifferences(
  wanted: WantedGroup,
  link: GroupLink | undefined,
  remote: RemoteUser | null,
  people: ReadonlyMap<string, { readonly personId: string; readonly name: string }>,
): Difference[] {
  const pushed = new Set(link?.pushed.members);
  const found: Difference[] = [];
  const name = remote?.['displayName'];
  if (remote && name !== wanted.name) {
    const changed = link?.pushed.displayName === wanted.name ? ('there' as const) : ('here' as const);
    found.push({ path: 'displayName', wanted: wanted.name, found: typeof name === 'string' ? name : null, changed });
  }
  const there = new Set(remote ? memberIdsOf(remote) : []);
  const ids = new Set(wanted.members.map(({ remoteId }) => remoteId));
  for (const one of wanted.members) {
    if (one.remoteId !== null && there.has(one.remoteId)) continue;
    const changed = pushed.has(one.personId) ? ('there' as const) : ('here' as const);
    found.push({ path: `member ${one.name}`, wanted: true, found: false, changed });
  }
  for (const id of there) {
    if (ids.has(id)) continue;
    const who = people.get(id);
    const changed = who && pushed.has(who.personId) ? ('here' as const) : ('there' as const);
    found.push({ path: `member ${who?.name ?? id}`, wanted: false, found: true, changed });
  }
  return found;
}

/** What would be done with groups there. A group is found by its link, else by externalId, else by its name. */
export function planGroups(input: {
  readonly wanted: readonly WantedGroup[];
  readonly links: readonly GroupLink[];
  readonly remote: readonly RemoteUser[];
  /** People by the id of their account there. */
  readonly people: ReadonlyMap<string, { readonly personId: string; readonly name: string }>;
}): PlannedGroup[] {
  const links = new Map(input.links.map((link) => [link.groupId, link]));
  const byId = new Map(input.remote.map((one) => [one.id, one]));
  const holders = new Map(input.links.map((link) => [link.remoteId, link.groupId]));
  const items: PlannedGroup[] = [];
  for (const group of input.wanted) {
    const link = links.get(group.id);
    const linked = link && byId.get(link.remoteId);
    const byExternal = input.remote.filter((one) => one['externalId'] === group.id);
    const byName = input.remote.filter((one) => one['displayName'] === group.name);
    const matches = linked ? [linked] : byExternal.length > 0 ? byExternal : byName;
    const wanted = group.members.map(({ personId }) => personId);
    const base = { groupId: group.id, groupName: group.name, wanted };
    const [found] = matches;
    if (matches.length > 1) {
      const why = 'Several groups there have this name.';
      items.push({ ...base, act: 'conflict', remoteId: null, differences: [], why });
      continue;
    }
    if (found && !linked && (holders.get(found.id) ?? group.id) !== group.id) {
      const why = `The group ${found.id} there is linked to another.`;
      items.push({ ...base, act: 'conflict', remoteId: found.id, differences: [], why });
      continue;
    }
    const differences = groupDifferences(group, link, found ?? null, input.people);
    if (!found) items.push({ ...base, act: 'create', remoteId: null, differences });
    else if (!linked) items.push({ ...base, act: 'link', remoteId: found.id, differences });
    else if (differences.length > 0) items.push({ ...base, act: 'update', remoteId: found.id, differences });
  }
  const wantedIds = new Set(input.wanted.map(({ id }) => id));
  for (const { groupId, groupName, remoteId, pushed } of input.links) {
    if (wantedIds.has(groupId)) continue;
    const why = pushed.made ? 'It is not pushed any more.' : 'It was there before: only whom Cordon put in goes out.';
    const differences = pushed.members.map((id) => {
      const name = [...input.people.values()].find(({ personId }) => personId === id)?.name ?? id;
      return { path: `member ${name}`, wanted: false, found: true, changed: 'here' as const };
    });
    items.push({ groupId, groupName, act: 'delete', remoteId, wanted: [], differences, why });
  }
  return items;
}

/** How many memberships a plan takes away: a group emptied by mistake must not lock everybody out at once. */
export function countTakenMembers(items: readonly PlannedGroup[]): number {
  return items.flatMap(({ differences }) => differences).filter(({ wanted }) => wanted === false).length;
}
