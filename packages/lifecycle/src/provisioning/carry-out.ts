import { TargetRefused } from '../errors.ts';
import { type Flat, toDocument, toPatch } from './mapping.ts';
import { differencesOf, type Link, type PlannedItem, type RemoteUser } from './plan.ts';
import type { ScimAnswer, ScimClient } from './scim-client.ts';

export interface Carried {
  readonly state: 'done' | 'nothing' | 'failed' | 'task';
  readonly detail: string;
  /** What is true of the link now; absent when nothing changed. */
  readonly link?: Pick<Link, 'remoteId' | 'state' | 'pushed'>;
}

const versionOf = (answer: ScimAnswer): string => (answer.etag === null ? '' : `, version ${answer.etag}`);

/** Reads the account back: an answer of 200 says that it was heard, not that it was done. */
async function verify(client: ScimClient, id: string, wanted: Flat, said: string): Promise<Carried> {
  const link = { remoteId: id, state: 'live', pushed: wanted } as const;
  const after = await client.get(id);
  if (after?.user == null) return { state: 'failed', detail: `${said}; ${id} isn't there when read back.` };
  const left = differencesOf(wanted, {}, after.user);
  if (left.length === 0) {
    return { state: 'done', detail: `${said}; ${id} read back as wanted${versionOf(after)}.`, link };
  }
  const paths = left.map(({ path }) => path).join(', ');
  return { state: 'failed', detail: `${said}, but ${id} read back differs in: ${paths}.`, link };
}

async function update(
  client: ScimClient,
  user: RemoteUser,
  item: PlannedItem,
  before: { readonly pushed: Flat; readonly said: string },
): Promise<Carried> {
  const paths = differencesOf(item.wanted, before.pushed, user).map(({ path }) => path);
  const operations = toPatch(
    paths.filter((path) => path !== 'active'),
    item.wanted,
    user,
  );
  if (paths.includes('active')) operations.push({ op: 'replace', path: 'active', value: true });
  // From now on the account is found by Cordon's own id, whatever becomes of its name.
  if (user['externalId'] !== item.personId) {
    operations.push({ op: 'replace', path: 'externalId', value: item.personId });
  }
  if (operations.length === 0) return verify(client, user.id, item.wanted, `${before.said}no change`);
  const { status } = await client.patch(user.id, operations);
  const said = `${before.said}PATCH ${operations.map(({ path }) => path).join(', ')} answered ${status}`;
  return verify(client, user.id, item.wanted, said);
}

/** Looks before it makes one: after a crash, or an answer that was lost, the account may be there already. */
async function create(client: ScimClient, item: PlannedItem, pushed: Flat): Promise<Carried> {
  const [there] = await client.find('externalId', item.personId);
  if (there) return update(client, there, item, { pushed, said: 'There already; ' });
  try {
    const made = await client.create(toDocument(item.wanted, item.personId));
    if (made.user === null) return { state: 'failed', detail: `POST answered ${made.status} without the account.` };
    const said = `POST answered ${made.status}`;
    return await verify(client, made.user.id, item.wanted, said);
  } catch (error) {
    if (!(error instanceof TargetRefused) || error.detail['status'] !== 409) throw error;
    const detail = `${error.message} Somebody else there has this name: settle it there, then preview again.`;
    return { state: 'task', detail };
  }
}

/** Takes an account off, and reads back that it is. */
export async function takeAway(
  client: ScimClient,
  item: { readonly remoteId: string; readonly act: 'deactivate' | 'delete'; readonly pushed: Flat },
): Promise<Carried> {
  const { remoteId, act, pushed } = item;
  const link = { remoteId, state: 'ended', pushed } as const;
  const before = await client.get(remoteId);
  if (before?.user == null) return { state: 'nothing', detail: `${remoteId} isn't there any more.`, link };
  if (act === 'delete') {
    const status = await client.remove(remoteId);
    const after = await client.get(remoteId);
    if (after !== null)
      return { state: 'failed', detail: `DELETE answered ${status}, but ${remoteId} is still there.` };
    return { state: 'done', detail: `DELETE answered ${status}; ${remoteId} is gone when read back.`, link };
  }
  if (before.user['active'] === false) return { state: 'nothing', detail: `${remoteId} is off already.`, link };
  const { status } = await client.patch(remoteId, [{ op: 'replace', path: 'active', value: false }]);
  const after = await client.get(remoteId);
  if (after !== null && after.user?.['active'] !== false) {
    return { state: 'failed', detail: `PATCH answered ${status}, but ${remoteId} read back is not off.` };
  }
  return { state: 'done', detail: `PATCH active answered ${status}; ${remoteId} read back is off.`, link };
}

/** Brings one account there to what is planned. May be called again: it looks before it acts. */
export async function carryOutItem(client: ScimClient, item: PlannedItem, pushed: Flat): Promise<Carried> {
  const { act, remoteId } = item;
  if (act === 'create') return create(client, item, pushed);
  if (remoteId === null || act === 'conflict') return { state: 'task', detail: item.why ?? 'Settle it there.' };
  if (act === 'deactivate' || act === 'delete') return takeAway(client, { remoteId, act, pushed });
  const found = await client.get(remoteId);
  if (found?.user == null) return { state: 'failed', detail: `${remoteId} went away meanwhile; push again.` };
  return update(client, found.user, item, { pushed, said: '' });
}
