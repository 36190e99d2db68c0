import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import { issuerOf, type Provider, providerSettings, UpstreamProviderId } from './provider.ts';
import { isReason, type UpstreamReason } from './refusal.ts';

const PROVIDERS_MAX = 100;
const DOMAINS_MAX = 500;
const ATTEMPTS_SHOWN = 50;
const ATTEMPTS_MS_MAX = 90 * 86_400_000;

function providerOf(row: Selectable<IdentityTables['upstream_providers']>): Provider {
  return {
    id: UpstreamProviderId.parse(row.id),
    name: row.name,
    status: row.status,
    settings: providerSettings.parse(row.settings),
    sealedSecret: row.sealed_secret,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    configuredAt: row.configured_at.getTime(),
    testedAt: row.tested_at?.getTime() ?? null,
  };
}

function valuesOf(provider: Provider) {
  return {
    name: provider.name,
    status: provider.status,
    protocol: provider.settings.protocol,
    settings: JSON.stringify(provider.settings),
    issuer: issuerOf(provider.settings),
    sealed_secret: provider.sealedSecret,
    updated_at: new Date(provider.updatedAt),
    configured_at: new Date(provider.configuredAt),
    tested_at: provider.testedAt === null ? null : new Date(provider.testedAt),
  };
}

export async function listProviders(db: IdentityDb): Promise<Provider[]> {
  const rows = await db.selectFrom('upstream_providers').selectAll().orderBy('name').limit(PROVIDERS_MAX).execute();
  return rows.map(providerOf);
}

export async function findProvider(db: IdentityDb, id: UpstreamProviderId): Promise<Provider | undefined> {
  const row = await db.selectFrom('upstream_providers').selectAll().where('id', '=', id).executeTakeFirst();
  return row && providerOf(row);
}

/** False when the name, or the issuer, is taken. */
export async function insertProvider(db: IdentityDb, provider: Provider): Promise<boolean> {
  const result = await db
    .insertInto('upstream_providers')
    .values({ id: provider.id, created_at: new Date(provider.createdAt), ...valuesOf(provider) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function isProviderTaken(db: IdentityDb, provider: Provider): Promise<boolean> {
  const { name, issuer } = valuesOf(provider);
  const row = await db
    .selectFrom('upstream_providers')
    .select('id')
    .where('id', '!=', provider.id)
    .where((or) => or.or([or('name', '=', name), or('issuer', '=', issuer)]))
    .executeTakeFirst();
  return row !== undefined;
}

export async function updateProvider(db: IdentityDb, provider: Provider): Promise<void> {
  await db.updateTable('upstream_providers').set(valuesOf(provider)).where('id', '=', provider.id).execute();
}

export async function markTested(db: IdentityDb, id: UpstreamProviderId, at: number): Promise<void> {
  await db
    .updateTable('upstream_providers')
    .set({ tested_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

export async function deleteProvider(db: IdentityDb, id: UpstreamProviderId): Promise<void> {
  await db.deleteFrom('upstream_providers').where('id', '=', id).execute();
}

export interface ProviderDomain {
  readonly domain: string;
  readonly providerId: UpstreamProviderId;
  readonly challenge: string;
  readonly verifiedAt: number | null;
  readonly verifiedBy: 'dns' | 'owner' | null;
}

function domainRow(row: Selectable<IdentityTables['upstream_domains']>): ProviderDomain {
  return {
    domain: row.domain,
    providerId: UpstreamProviderId.parse(row.provider_id),
    challenge: row.challenge,
    verifiedAt: row.verified_at?.getTime() ?? null,
    verifiedBy: row.verified_by,
  };
}

export async function listDomains(db: IdentityDb, providerId?: UpstreamProviderId): Promise<ProviderDomain[]> {
  let query = db.selectFrom('upstream_domains').selectAll().orderBy('domain').limit(DOMAINS_MAX);
  if (providerId !== undefined) query = query.where('provider_id', '=', providerId);
  return (await query.execute()).map(domainRow);
}

export async function findDomain(db: IdentityDb, domain: string): Promise<ProviderDomain | undefined> {
  const row = await db.selectFrom('upstream_domains').selectAll().where('domain', '=', domain).executeTakeFirst();
  return row && domainRow(row);
}

/** False when a provider has it. */
export async function insertDomain(
  db: IdentityDb,
  input: {
    readonly domain: string;
    readonly providerId: UpstreamProviderId;
    readonly challenge: string;
    readonly at: number;
  },
): Promise<boolean> {
  const { domain, providerId, challenge, at } = input;
  const result = await db
    .insertInto('upstream_domains')
    .values({
      domain,
      provider_id: providerId,
      challenge,
      verified_at: null,
      verified_by: null,
      created_at: new Date(at),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function verifyDomainRow(db: IdentityDb, domain: string, by: 'dns' | 'owner', at: number): Promise<void> {
  await db
    .updateTable('upstream_domains')
    .set({ verified_at: new Date(at), verified_by: by })
    .where('domain', '=', domain)
    .execute();
}

export async function deleteDomain(db: IdentityDb, providerId: UpstreamProviderId, domain: string): Promise<boolean> {
  const result = await db
    .deleteFrom('upstream_domains')
    .where('domain', '=', domain)
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export interface Attempt {
  readonly id: string;
  readonly providerId: UpstreamProviderId;
  readonly at: number;
  readonly kind: 'sign-in' | 'test' | 'step-up' | 'link' | 'logout';
  readonly reason: UpstreamReason | null;
  readonly personId: string | null;
  /** What the provider said, as far as it helps: names of claims, groups, methods. No token. */
  readonly detail: Readonly<Record<string, unknown>>;
}

const detailSchema = z.record(z.string(), z.unknown());

export async function insertAttempt(db: IdentityDb, attempt: Attempt): Promise<void> {
  await db
    .insertInto('upstream_attempts')
    .values({
      id: attempt.id,
      provider_id: attempt.providerId,
      at: new Date(attempt.at),
      kind: attempt.kind,
      reason: attempt.reason,
      person_id: attempt.personId,
      detail: JSON.stringify(attempt.detail),
    })
    .execute();
}

export async function listAttempts(db: IdentityDb, providerId: UpstreamProviderId): Promise<Attempt[]> {
  const rows = await db
    .selectFrom('upstream_attempts')
    .selectAll()
    .where('provider_id', '=', providerId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(ATTEMPTS_SHOWN)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    providerId,
    at: row.at.getTime(),
    kind: row.kind,
    reason: isReason(row.reason) ? row.reason : null,
    personId: row.person_id,
    detail: detailSchema.parse(row.detail),
  }));
}

export async function deleteOldAttempts(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('upstream_attempts')
    .where('at', '<', new Date(now - ATTEMPTS_MS_MAX))
    .execute();
}
