import { type Flat, readPath } from './mapping.ts';

export interface Wanted {
  readonly id: string;
  readonly name: string;
  readonly flat: Flat;
}

export interface Link {
  readonly personId: string;
  readonly personName: string;
  readonly remoteId: string | null;
  readonly pushed: Flat;
  readonly state: 'live' | 'left' | 'ended';
}

/** A user as the target holds it. */
export type RemoteUser = Record<string, unknown> & { readonly id: string };

export interface Difference {
  readonly path: string;
  readonly wanted: string | boolean | null;
  readonly found: string | boolean | null;
  /** `there`: what was sent last is still wanted, so the target was changed; that is drift. */
  readonly changed: 'here' | 'there';
}

export const ACTS = ['create', 'link', 'update', 'deactivate', 'delete', 'conflict'] as const;

export interface PlannedItem {
  readonly personId: string;
  readonly personName: string;
  readonly act: (typeof ACTS)[number];
  readonly remoteId: string | null;
  readonly wanted: Flat;
  readonly differences: readonly Difference[];
  readonly why?: string;
}

const CASELESS = /^(userName|emails\..*)$/;

function equal(path: string, one: unknown, other: unknown): boolean {
  if (typeof one === 'string' && typeof other === 'string' && CASELESS.test(path)) {
    return one.toLowerCase() === other.toLowerCase();
  }
  return one === other;
}

/** What of a target's user isn't as wanted. A path without a value here is left alone unless Cordon once filled it. */
export function differencesOf(wanted: Flat, pushed: Flat, remote: RemoteUser): Difference[] {
  const paths = new Set([...Object.keys(wanted), ...Object.keys(pushed)]);
  const found: Difference[] = [];
  for (const path of paths) {
    const [want, have] = [wanted[path], readPath(remote, path)];
    if (equal(path, want, have)) continue;
    const changed = path in pushed && equal(path, pushed[path], want) ? 'there' : 'here';
    found.push({ path, wanted: want ?? null, found: have ?? null, changed });
  }
  if (remote['active'] === false) found.push({ path: 'active', wanted: true, found: false, changed: 'there' });
  return found;
}

function indexOf(remote: readonly RemoteUser[], keyOf: (user: RemoteUser) => unknown): Map<string, RemoteUser[]> {
  const index = new Map<string, RemoteUser[]>();
  for (const user of remote) {
    const key = keyOf(user);
    if (typeof key === 'string') index.set(key, [...(index.get(key) ?? []), user]);
  }
  return index;
}

const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : undefined);

/**
 * What would be done, from what is wanted, what is linked and what the target holds. An account is found by its link,
 * else by externalId, else by userName; whom Cordon never linked it never takes away.
 */
export function planPush(input: {
  readonly wanted: readonly Wanted[];
  readonly links: readonly Link[];
  readonly remote: readonly RemoteUser[];
  readonly onLeave: 'deactivate' | 'delete';
}): { readonly items: PlannedItem[]; readonly unmanaged: number } {
  const links = new Map(input.links.map((link) => [link.personId, link]));
  const byId = new Map(input.remote.map((user) => [user.id, user]));
  const byExternalId = indexOf(input.remote, (user) => user['externalId']);
  const byUserName = indexOf(input.remote, (user) => lower(user['userName']));
  const holders = new Map(input.links.map((link) => [link.remoteId, link.personId]));
  const known = new Set(input.links.map(({ remoteId }) => remoteId));
  const items: PlannedItem[] = [];

  for (const { id, name, flat } of input.wanted) {
    const link = links.get(id);
    const linked = link?.remoteId == null ? undefined : byId.get(link.remoteId);
    const named = byUserName.get(String(lower(flat['userName']))) ?? [];
    const matches = linked ? [linked] : (byExternalId.get(id) ?? named);
    const base = { personId: id, personName: name, wanted: flat };
    const [user] = matches;
    if (matches.length > 1) {
      items.push({ ...base, act: 'conflict', remoteId: null, differences: [], why: 'Several accounts there match.' });
      continue;
    }
    if (user === undefined) {
      items.push({ ...base, act: 'create', remoteId: null, differences: [] });
      continue;
    }
    const holder = holders.get(user.id);
    if (holder !== undefined && holder !== id) {
      const why = `The account ${user.id} there is linked to somebody else.`;
      items.push({ ...base, act: 'conflict', remoteId: user.id, differences: [], why });
      continue;
    }
    known.add(user.id);
    const differences = differencesOf(flat, link?.pushed ?? {}, user);
    const isLive = link?.state === 'live' && link.remoteId === user.id;
    if (!isLive) items.push({ ...base, act: 'link', remoteId: user.id, differences });
    else if (differences.length > 0) items.push({ ...base, act: 'update', remoteId: user.id, differences });
  }
  const wantedIds = new Set(input.wanted.map(({ id }) => id));
  for (const { personId, personName, remoteId, pushed, state } of input.links) {
    const user = remoteId === null ? undefined : byId.get(remoteId);
    if (wantedIds.has(personId) || user === undefined) continue;
    const isOff = user['active'] === false;
    if (isOff && input.onLeave === 'deactivate') continue;
    const found = {
      path: 'active',
      wanted: false,
      found: true,
      changed: state === 'ended' ? 'there' : 'here',
    } as const;
    items.push({ personId, personName, act: input.onLeave, remoteId, wanted: pushed, differences: [found] });
  }
  return { items, unmanaged: input.remote.filter(({ id }) => !known.has(id)).length };
}
