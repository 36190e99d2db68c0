import { type Actor, appendAudit, authorize, type PersonId, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import {
  UpstreamDomainTaken,
  UpstreamDomainUnverified,
  UpstreamNotTested,
  UpstreamProviderExists,
  UpstreamProviderNotFound,
} from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { lockPerson } from '../people/person-store.ts';
import { changeGroupRoles } from '../scim/scim-person.ts';
import { withAccess } from '../groups/access-change.ts';
import { deleteAccount, findSessionsOf, listAccounts, setMemberships, type UpstreamAccount } from './account-store.ts';
import { deleteSession } from '../sessions/session-store.ts';
import {
  domainOf,
  isTested,
  normalDomain,
  type Provider,
  providerSecretContext,
  type ProviderSettings,
  type ProviderStatus,
  UpstreamProviderId,
} from './provider.ts';
import {
  type Attempt,
  deleteDomain,
  deleteProvider,
  findDomain,
  findProvider,
  insertDomain,
  insertProvider,
  isProviderTaken,
  listAttempts,
  listDomains,
  listProviders,
  type ProviderDomain,
  updateProvider,
  verifyDomainRow,
} from './provider-store.ts';

/** The TXT records of a name, as `node:dns/promises` gives them. */
export type ResolveTxt = (name: string) => Promise<readonly (readonly string[])[]>;

export const DOMAIN_RECORD = '_cordon-challenge';
export const DOMAIN_PREFIX = 'cordon-domain-verification=';

export interface ProviderInput {
  readonly name: string;
  readonly settings: ProviderSettings;
  /** Absent: the one that is there stays. */
  readonly clientSecret?: string | undefined;
}

/** Ways in for an e-mail address. Says nothing about whether somebody has it. */
export interface WayIn {
  readonly provider: { readonly id: string; readonly name: string } | null;
  /** The provider's people must come from there; owners still have their own factors. */
  readonly required: boolean;
}

export interface Providers {
  list(actor: Actor): Promise<Provider[]>;
  get(actor: Actor, id: UpstreamProviderId): Promise<Provider>;
  add(actor: Actor, input: ProviderInput): Promise<Provider>;
  change(actor: Actor, id: UpstreamProviderId, input: ProviderInput): Promise<Provider>;
  setStatus(actor: Actor, id: UpstreamProviderId, status: ProviderStatus): Promise<Provider>;
  /** Ties and mapped groups go with it; what its people were given by the mapping is taken away, their sessions end. */
  remove(actor: Actor, id: UpstreamProviderId): Promise<void>;
  domains(actor: Actor, id: UpstreamProviderId): Promise<ProviderDomain[]>;
  addDomain(actor: Actor, id: UpstreamProviderId, domain: string): Promise<ProviderDomain>;
  /** By the TXT record, or with `byOwner` by an owner's word alone. */
  verifyDomain(actor: Actor, id: UpstreamProviderId, domain: string, byOwner: boolean): Promise<ProviderDomain>;
  removeDomain(actor: Actor, id: UpstreamProviderId, domain: string): Promise<void>;
  accounts(actor: Actor, id: UpstreamProviderId): Promise<UpstreamAccount[]>;
  unlink(actor: Actor, id: UpstreamProviderId, personId: PersonId): Promise<void>;
  attempts(actor: Actor, id: UpstreamProviderId): Promise<Attempt[]>;
  wayIn(email: string): Promise<WayIn>;
}

/** What of the settings decides who gets in, or where the browser goes: a change wants a new test sign-in. */
function decisive({ settings }: Pick<Provider, 'settings'>): string {
  const { groupRules: _rules, defaultRoles: _roles, required: _required, createPeople: _create, ...rest } = settings;
  return JSON.stringify(rest, Object.keys(rest).sort());
}

export function createProviders(context: IdentityContext, resolveTxt: ResolveTxt): Providers {
  const { db, clock, envelope } = context;

  const load = async (tx: Pick<Transaction, 'tables'>, id: UpstreamProviderId): Promise<Provider> => {
    const found = await findProvider(tablesOf(tx), id);
    if (!found) throw new UpstreamProviderNotFound('There is no such provider.');
    return found;
  };
  const audit = (tx: Transaction, actor: Actor, action: string, provider: Provider, detail: object): Promise<unknown> =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'sign-on-provider', id: provider.id, name: provider.name },
      detail: { ...detail },
      at: clock.now(),
    });
  const report = (kind: 'create' | 'update' | 'delete', actor: Actor, provider: Provider, reason: string): void =>
    context.emit(
      entityManagementEvent(kind, {
        at: clock.now(),
        outcome: 'success',
        severity: 'medium',
        actor,
        reason,
        entity: { type: 'sign-on-provider', id: provider.id, name: provider.name },
      }),
    );
  const sealSecret = (id: string, secret: string): string => envelope.seal(secret, providerSecretContext(id));

  /** Ends what came from there, and takes what the mapping gave. */
  const forget = async (tx: Transaction, actor: Actor, provider: Provider, account: UpstreamAccount): Promise<void> => {
    const tables = tablesOf(tx);
    if (await lockPerson(tables, account.personId)) {
      await changeGroupRoles(context, tx, actor, account.personId, { before: account.roles, after: [] });
    }
    const move = { actor, cause: `No longer from ${provider.name}.`, groups: [], people: [account.personId] };
    await withAccess(context, tx, move, () => setMemberships(tables, provider.id, account.personId, []));
    for (const one of await findSessionsOf(tables, provider.id, { sids: [], subject: account.subject })) {
      await deleteSession(tables, one.sessionId);
    }
    await deleteAccount(tables, provider.id, account.personId);
  };

  return {
    async list(actor) {
      authorize(actor, 'sso.read');
      return listProviders(tablesOf(db));
    },
    async get(actor, id) {
      authorize(actor, 'sso.read');
      return load(db, id);
    },
    async add(actor, { name, settings, clientSecret }) {
      authorize(actor, 'sso.write');
      const now = clock.now();
      const id = UpstreamProviderId.create(now);
      const provider: Provider = {
        id,
        name,
        status: 'draft',
        settings,
        sealedSecret: clientSecret === undefined ? null : sealSecret(id, clientSecret),
        createdAt: now,
        updatedAt: now,
        configuredAt: now,
        testedAt: null,
      };
      await db.transaction(async (tx) => {
        if (!(await insertProvider(tablesOf(tx), provider)))
          throw new UpstreamProviderExists('Another provider has this name or issuer.');
        await audit(tx, actor, 'sign_on_provider.added', provider, { settings });
      });
      report('create', actor, provider, 'Sign-on provider added');
      return provider;
    },
    async change(actor, id, { name, settings, clientSecret }) {
      authorize(actor, 'sso.write');
      const provider = await db.transaction(async (tx) => {
        const before = await load(tx, id);
        if (before.settings.protocol !== settings.protocol)
          throw new UpstreamProviderExists('A provider keeps its protocol; add another one.');
        const now = clock.now();
        const isDecisive = clientSecret !== undefined || decisive(before) !== decisive({ settings });
        const after: Provider = {
          ...before,
          name,
          settings,
          sealedSecret: clientSecret === undefined ? before.sealedSecret : sealSecret(id, clientSecret),
          updatedAt: now,
          configuredAt: isDecisive ? now : before.configuredAt,
        };
        if (await isProviderTaken(tablesOf(tx), after))
          throw new UpstreamProviderExists('Another provider has this name or issuer.');
        await updateProvider(tablesOf(tx), after);
        const detail = { before: before.settings, after: settings, secretReplaced: clientSecret !== undefined };
        await audit(tx, actor, 'sign_on_provider.changed', after, detail);
        return after;
      });
      report('update', actor, provider, 'Sign-on provider changed');
      return provider;
    },
    async setStatus(actor, id, status) {
      authorize(actor, 'sso.write');
      const provider = await db.transaction(async (tx) => {
        const before = await load(tx, id);
        if (status === 'active' && !isTested(before)) {
          throw new UpstreamNotTested('Try a sign-in first: nobody shall find out at their desk that it doesn’t work.');
        }
        const after = { ...before, status, updatedAt: clock.now() };
        await updateProvider(tablesOf(tx), after);
        await audit(tx, actor, 'sign_on_provider.status_changed', after, { before: before.status, after: status });
        return after;
      });
      report('update', actor, provider, `Sign-on provider is now ${status}`);
      return provider;
    },
    async remove(actor, id) {
      authorize(actor, 'sso.write');
      const provider = await db.transaction(async (tx) => {
        const found = await load(tx, id);
        for (const account of await listAccounts(tablesOf(tx), { providerId: id }))
          await forget(tx, actor, found, account);
        await deleteProvider(tablesOf(tx), id);
        await audit(tx, actor, 'sign_on_provider.removed', found, {});
        return found;
      });
      report('delete', actor, provider, 'Sign-on provider removed');
    },
    async domains(actor, id) {
      authorize(actor, 'sso.read');
      return listDomains(tablesOf(db), id);
    },
    async addDomain(actor, id, given) {
      authorize(actor, 'sso.write');
      const domain = normalDomain(given);
      if (domain === null) throw new UpstreamDomainUnverified(`${given} is no name of a domain.`);
      return db.transaction(async (tx) => {
        const provider = await load(tx, id);
        const challenge = context.random(24).toString('base64url');
        if (!(await insertDomain(tablesOf(tx), { domain, providerId: id, challenge, at: clock.now() }))) {
          throw new UpstreamDomainTaken(`${domain} belongs to a provider already.`);
        }
        await audit(tx, actor, 'sign_on_provider.domain_added', provider, { domain });
        return { domain, providerId: id, challenge, verifiedAt: null, verifiedBy: null };
      });
    },
    async verifyDomain(actor, id, domain, byOwner) {
      authorize(actor, 'sso.write');
      const found = await findDomain(tablesOf(db), domain);
      if (found?.providerId !== id) throw new UpstreamProviderNotFound('The provider has no such domain.');
      if (!byOwner) await checkRecord(resolveTxt, found);
      return db.transaction(async (tx) => {
        const provider = await load(tx, id);
        const at = clock.now();
        const by = byOwner ? 'owner' : 'dns';
        await verifyDomainRow(tablesOf(tx), domain, by, at);
        await audit(tx, actor, 'sign_on_provider.domain_verified', provider, { domain, by });
        return { ...found, verifiedAt: at, verifiedBy: by };
      });
    },
    async removeDomain(actor, id, domain) {
      authorize(actor, 'sso.write');
      await db.transaction(async (tx) => {
        const provider = await load(tx, id);
        if (!(await deleteDomain(tablesOf(tx), id, domain)))
          throw new UpstreamProviderNotFound('The provider has no such domain.');
        await audit(tx, actor, 'sign_on_provider.domain_removed', provider, { domain });
      });
    },
    async accounts(actor, id) {
      authorize(actor, 'sso.read');
      await load(db, id);
      return listAccounts(tablesOf(db), { providerId: id });
    },
    async unlink(actor, id, personId) {
      authorize(actor, 'sso.write');
      await db.transaction(async (tx) => {
        const provider = await load(tx, id);
        const account = (await listAccounts(tablesOf(tx), { personId })).find((one) => one.providerId === id);
        if (!account) throw new UpstreamProviderNotFound('This person has no account at the provider.');
        await forget(tx, actor, provider, account);
        await audit(tx, actor, 'upstream_account.unlinked', provider, { person: personId, subject: account.subject });
      });
    },
    async attempts(actor, id) {
      authorize(actor, 'sso.read');
      await load(db, id);
      return listAttempts(tablesOf(db), id);
    },
    wayIn: (email) => findWayIn(context, email),
  };
}

async function checkRecord(resolveTxt: ResolveTxt, { domain, challenge }: ProviderDomain): Promise<void> {
  const name = `${DOMAIN_RECORD}.${domain}`;
  let records: readonly (readonly string[])[];
  try {
    records = await resolveTxt(name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    throw new UpstreamDomainUnverified(
      `${name} has no TXT record that could be read (${code}). It can take some minutes until a new one is seen.`,
      {},
      error,
    );
  }
  if (records.some((parts) => parts.join('') === DOMAIN_PREFIX + challenge)) return;
  throw new UpstreamDomainUnverified(
    `None of the ${records.length} TXT records of ${name} is ${DOMAIN_PREFIX}${challenge}.`,
  );
}

/** The provider whose verified domain this address is of. */
export async function findWayIn(context: IdentityContext, email: string): Promise<WayIn> {
  const tables = tablesOf(context.db);
  const domain = domainOf(email);
  const found = domain === null ? undefined : await findDomain(tables, domain);
  const provider = found?.verifiedAt == null ? undefined : await findProvider(tables, found.providerId);
  if (provider?.status !== 'active') return { provider: null, required: false };
  return { provider: { id: provider.id, name: provider.name }, required: provider.settings.required };
}
