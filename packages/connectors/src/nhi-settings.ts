import type { StoredEntity } from './entity.ts';

type Account = Extract<StoredEntity, { type: 'account' }>;
type Grant = Extract<StoredEntity, { type: 'grant' }>;
type Credential = Extract<StoredEntity, { type: 'credential' }>;
type Fields = Record<string, unknown>;

/** Checks of identities that are no people, of whatever tool: `content/posture/nhi/`. */
export const NHI_PRODUCT = 'nhi';

const KINDS: Readonly<Partial<Record<Grant['kind'], string>>> = {
  oauth: 'oauth_grant',
  installed_app: 'installed_app',
  api: 'api',
  automation: 'automation',
  agent: 'agent',
};
/** Bound to a person and ended with the sign-in. */
const OF_PEOPLE: readonly Credential['kind'][] = ['session', 'password'];

/** Without what was not visible: a check tells "there is none" (null) from "nobody could see it" (left out). */
function seen(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

interface Owner {
  readonly owner?: string | null;
  readonly ownerActive?: boolean;
  readonly runsAsPerson?: boolean;
}

/** Who answers for it: an account by its name, with whether it still is one. */
function ownerOf(id: string | null | undefined, accounts: ReadonlyMap<string, Account>): Owner {
  if (id === undefined) return {};
  if (id === null) return { owner: null };
  const account = accounts.get(id);
  const owner = account?.email ?? account?.login ?? account?.name ?? id;
  if (!account) return { owner };
  return {
    owner,
    ownerActive: account.status === 'active' || account.status === 'invited',
    ...(account.kind === 'unknown' ? {} : { runsAsPerson: account.kind === 'person' }),
  };
}

function ofCredential(app: string, one: Credential, accounts: ReadonlyMap<string, Account>): Fields {
  // A key that an app, a resource or the organisation holds has nobody behind it.
  const isOfAccount = one.ownerKind === undefined || one.ownerKind === null || one.ownerKind === 'account';
  return seen({
    name: one.name ?? one.id,
    kind: one.kind,
    app,
    status: one.status,
    ...(isOfAccount ? ownerOf(one.ownerId, accounts) : { owner: one.ownerId }),
    createdAt: one.createdAt,
    secretSetAt: one.createdAt,
    lastUsedAt: one.lastUsedAt,
    expiresAt: one.expiresAt,
    networks: one.networks,
    networkLimited: one.networks === undefined ? undefined : one.networks.length > 0,
    grantedScopes: one.scopes,
  });
}

function ofGrant(app: string, one: Grant, accounts: ReadonlyMap<string, Account>): Fields {
  const { client } = one;
  // Its own software needs no verified publisher; of what names none, nothing is claimed.
  const publisher =
    client === undefined || client.own === true
      ? null
      : client.verified === undefined || client.verified === null
        ? undefined
        : { name: client.publisher ?? null, verified: client.verified };
  const holder = one.subject.kind === 'account' ? one.subject.id : undefined;
  return seen({
    name: client?.name ?? one.subject.name ?? one.id,
    kind: KINDS[one.kind],
    app,
    status: one.status,
    ...ownerOf(one.grantedBy === undefined ? holder : one.grantedBy, accounts),
    createdAt: one.createdAt,
    lastUsedAt: one.lastUsedAt,
    expiresAt: one.expiresAt,
    grantedScopes: one.scopes,
    publisher,
  });
}

/** What the checks of non-human identities look at, made of what one tool shows of grants and credentials. */
export function nhiSettings(app: string, entities: readonly StoredEntity[]): Readonly<Record<string, unknown>> {
  const accounts = new Map(entities.flatMap((one) => (one.type === 'account' ? [[one.id, one] as const] : [])));
  const identities: Fields[] = [];
  const webhooks: Fields[] = [];
  for (const one of entities) {
    if (one.type === 'credential' && !OF_PEOPLE.includes(one.kind)) identities.push(ofCredential(app, one, accounts));
    if (one.type !== 'grant') continue;
    if (KINDS[one.kind] !== undefined) identities.push(ofGrant(app, one, accounts));
    if (one.kind === 'webhook') {
      const { url, signed, verifyTls } = one.endpoint ?? {};
      const name = one.subject.name ?? one.id;
      webhooks.push(seen({ name, app, active: one.status === 'active', url, signed, verifyTls }));
    }
  }
  return { identities, webhooks };
}
