import { PersonId, SessionId } from '@cordon/kernel';
import type { IdentityDb } from '../context.ts';
import { ChallengeInvalid } from '../errors.ts';
import type { IdentityTables } from '../tables.ts';
import { type Random, hashSecret, mintSecret } from '../token-secret.ts';

export const CHALLENGE_MS_MAX = 5 * 60_000;

export type ChallengeKind = IdentityTables['auth_challenges']['kind'];

export interface Challenge {
  readonly personId: PersonId | null;
  readonly sessionId: SessionId | null;
  /** The WebAuthn challenge, or empty. */
  readonly challenge: string;
}

/** Keeps the first half of a ceremony and returns the id that its second half must bring. */
export async function keepChallenge(
  db: IdentityDb,
  random: Random,
  input: {
    readonly kind: ChallengeKind;
    readonly personId?: PersonId;
    readonly sessionId?: SessionId;
    readonly challenge?: string;
    readonly now: number;
  },
): Promise<string> {
  const { value, hash } = mintSecret(random, '');
  await db
    .insertInto('auth_challenges')
    .values({
      hash,
      kind: input.kind,
      person_id: input.personId ?? null,
      session_id: input.sessionId ?? null,
      challenge: input.challenge ?? '',
      expires_at: new Date(input.now + CHALLENGE_MS_MAX),
    })
    .execute();
  return value;
}

/** Takes a challenge for good: whatever comes of the attempt, it can't be answered twice. */
export async function takeChallenge(db: IdentityDb, kind: ChallengeKind, id: string, now: number): Promise<Challenge> {
  const row = await db
    .deleteFrom('auth_challenges')
    .where('hash', '=', hashSecret(id))
    .where('kind', '=', kind)
    .where('expires_at', '>', new Date(now))
    .returning(['person_id', 'session_id', 'challenge'])
    .executeTakeFirst();
  if (!row) throw new ChallengeInvalid('This attempt has expired or was already used; start again.');
  return {
    personId: row.person_id === null ? null : PersonId.parse(row.person_id),
    sessionId: row.session_id === null ? null : SessionId.parse(row.session_id),
    challenge: row.challenge,
  };
}

/** Reads a challenge that may be answered more than once: a code is mistyped, and throttling counts the failures. */
export async function readChallenge(
  db: IdentityDb,
  kind: ChallengeKind,
  id: string,
  now: number,
): Promise<Challenge & { readonly personId: PersonId }> {
  const row = await db
    .selectFrom('auth_challenges')
    .select(['person_id', 'session_id', 'challenge'])
    .where('hash', '=', hashSecret(id))
    .where('kind', '=', kind)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst();
  if (!row?.person_id) throw new ChallengeInvalid('This attempt has expired or was already used; start again.');
  return { personId: PersonId.parse(row.person_id), sessionId: null, challenge: row.challenge };
}

export async function deleteExpiredChallenges(db: IdentityDb, now: number): Promise<void> {
  await db.deleteFrom('auth_challenges').where('expires_at', '<=', new Date(now)).execute();
}
