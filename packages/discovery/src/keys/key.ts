/** Secrets that stay the same until somebody changes them. */
const STATIC_KINDS = new Set([
  'api_key',
  'personal_access_token',
  'oauth_token',
  'ssh_key',
  'deploy_key',
  'client_secret',
  'service_account_key',
  'webhook_secret',
]);

const DAY_MS = 86_400_000;
/** Older than this a static key is due (CIS: rotate access keys every 90 days or less). */
export const KEY_DAYS_MAX = 90;
const VERY_OLD_DAYS = 365;

/** A credential as a connector shows it. */
export interface KeyFact {
  /** `connection/id`: names it here. */
  readonly ref: string;
  readonly connectionId: string;
  readonly tool: string;
  readonly toolTitle: string;
  readonly externalId: string;
  readonly kind: string;
  readonly status: string;
  readonly name: string | null;
  readonly owner: string | null;
  readonly scopes: readonly string[];
  /** Milliseconds; null: the tool shows none. */
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
  readonly expiresAt: number | null;
  /** When Cordon first saw it. */
  readonly firstSeenAt: number;
  /** Titles of what the connector can do about it. */
  readonly canRotate: boolean;
  readonly canRemove: boolean;
}

export const KEY_AGES = ['very_old', 'old', 'fresh'] as const;
export type KeyAge = (typeof KEY_AGES)[number];

export interface FoundKey extends KeyFact {
  readonly ageDays: number;
  /** Its age is at least this: the tool does not say when it was made. */
  readonly isAgeAtLeast: boolean;
  readonly age: KeyAge;
  /** Why it deserves a look, in words. */
  readonly why: readonly string[];
}

/** The age of a key and what is wrong with it; null: it is no static key, or is over. */
export function judgeKey(fact: KeyFact, now: number): FoundKey | null {
  if (!STATIC_KINDS.has(fact.kind) || fact.status === 'revoked' || fact.status === 'expired') return null;
  const ageDays = Math.max(0, Math.floor((now - (fact.createdAt ?? fact.firstSeenAt)) / DAY_MS));
  const age: KeyAge = ageDays > VERY_OLD_DAYS ? 'very_old' : ageDays > KEY_DAYS_MAX ? 'old' : 'fresh';
  const why: string[] = [];
  if (age !== 'fresh') why.push(`${ageDays} days old; ${KEY_DAYS_MAX} are the most`);
  if (fact.expiresAt === null) why.push('never expires');
  if (fact.lastUsedAt !== null && now - fact.lastUsedAt > KEY_DAYS_MAX * DAY_MS) {
    why.push(`not used for ${Math.floor((now - fact.lastUsedAt) / DAY_MS)} days`);
  }
  if (fact.owner === null) why.push('has no owner');
  return { ...fact, ageDays, isAgeAtLeast: fact.createdAt === null, age, why };
}
