import type { Grant, Integration, Rule } from '@cordon/estate';
import type { OauthClient } from '@cordon/identity';

type Class = Integration['assurance'];
const CLASSES: readonly Class[] = ['m0', 'm1', 'm2'];
const rank = (one: Class): number => CLASSES.indexOf(one);
const DAY_MS = 86_400_000;
/** Nobody used it for this long: somebody should ask whether it is needed. */
export const UNUSED_DAYS = 90;
const EXPIRES_SOON_MS = 30 * DAY_MS;

export const ACCOUNT_PROBLEMS = [
  'owner-left',
  'no-backup-owner',
  'never-expires',
  'expires-soon',
  'expired',
  'unused',
  'weak-proof',
  'no-credential',
] as const;
export type AccountProblem = (typeof ACCOUNT_PROBLEMS)[number];

export interface ServiceAccount {
  readonly integration: Integration;
  /** When one of its credentials last got a token. */
  readonly lastUsedAt: number | null;
  readonly credentials: number;
  /** The weakest proof with which it can get a token today; null: it has no credential. */
  readonly shown: Class | null;
  /** The strongest that anything it may call asks for. */
  readonly required: Class;
  /** What asks for it. */
  readonly requiredBy: readonly string[];
  /** Calls are refused for want of a stronger proof. */
  readonly isGap: boolean;
  readonly problems: readonly AccountProblem[];
}

/** What a token of this credential proves at least (`assuranceOf` in identity judges the token itself). */
export function classOf({ authMethod, binding }: Pick<OauthClient, 'authMethod' | 'binding'>): Class {
  const byKey = authMethod !== 'client_secret_basic';
  if (binding === 'none') return byKey ? 'm1' : 'm0';
  // A certificate that authenticates and binds is one key; only a DPoP key beside another one makes two.
  return byKey && binding === 'dpop' ? 'm2' : 'm1';
}

function requiredOf(
  integration: Integration,
  apps: ReadonlySet<string>,
  rules: readonly Rule<'requirement'>[],
): { required: Class; requiredBy: string[] } {
  const asks: { by: string; assurance: Class }[] = [{ by: 'the integration itself', assurance: integration.assurance }];
  for (const { name, entry } of rules) {
    const isOurs = entry.integrationId === null || entry.integrationId === integration.id;
    const isReached = entry.appId === null || apps.has(entry.appId);
    if (isOurs && isReached) asks.push({ by: `requirement ${name}`, assurance: entry.assurance });
  }
  const required = asks.reduce<Class>((most, one) => (rank(one.assurance) > rank(most) ? one.assurance : most), 'm0');
  const requiredBy = required === 'm0' ? [] : asks.filter((one) => one.assurance === required).map(({ by }) => by);
  return { required, requiredBy };
}

/** Who answers for each integration, how long it lives, when it was used, and whether its proof is strong enough. */
export function reportServiceAccounts(input: {
  readonly integrations: readonly Integration[];
  readonly clients: readonly OauthClient[];
  readonly grants: readonly Grant[];
  readonly rules: readonly Rule<'requirement'>[];
  readonly now: number;
}): ServiceAccount[] {
  const { clients, grants, rules, now } = input;
  return input.integrations
    .filter(({ status }) => status !== 'revoked')
    .map((integration) => {
      const live = clients.filter(
        (one) =>
          one.integrationId === integration.id &&
          one.status !== 'revoked' &&
          (one.expiresAt === null || one.expiresAt > now),
      );
      const lastUsedAt = live.reduce<number | null>(
        (last, { lastTokenAt }) => (lastTokenAt !== null && lastTokenAt > (last ?? 0) ? lastTokenAt : last),
        null,
      );
      const shown = live
        .map(classOf)
        .reduce<Class | null>((least, one) => (least === null || rank(one) < rank(least) ? one : least), null);
      const own = grants.filter((grant) => grant.integrationId === integration.id);
      const isLive = (grant: Grant): boolean => grant.expiresAt === null || grant.expiresAt > now;
      const apps = new Set(own.filter(isLive).map(({ appId }) => appId));
      const { required, requiredBy } = requiredOf(integration, apps, rules);
      const isGap = shown !== null && rank(shown) < rank(required);
      const { expiresAt, orphanedUntil, backupOwner, createdAt } = integration;
      const found: readonly (readonly [AccountProblem, boolean])[] = [
        ['owner-left', orphanedUntil !== null],
        ['no-backup-owner', backupOwner === null],
        ['never-expires', expiresAt === null],
        ['expired', expiresAt !== null && expiresAt <= now],
        ['expires-soon', expiresAt !== null && expiresAt > now && expiresAt - now < EXPIRES_SOON_MS],
        ['unused', (lastUsedAt ?? createdAt) < now - UNUSED_DAYS * DAY_MS],
        ['weak-proof', isGap],
        ['no-credential', live.length === 0],
      ];
      const problems = found.filter(([, isSo]) => isSo).map(([problem]) => problem);
      return { integration, lastUsedAt, credentials: live.length, shown, required, requiredBy, isGap, problems };
    });
}
