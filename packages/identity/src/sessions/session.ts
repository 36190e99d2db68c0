import type { Actor, PersonId, SessionId } from '@cordon/kernel';

/** `enrol`: made by a one-time link or a recovery code; may only set up factors. */
export type SessionStage = 'enrol' | 'full';

/**
 * How someone showed who they are (RFC 8176 values where there is one). `fed`: at a corporate provider; `fed-mfa` and
 * `fed-phr`: whose word for a second factor, or one that resists phishing, was taken.
 */
export type AuthMethod = 'hwk' | 'pwd' | 'otp' | 'link' | 'recovery' | 'fed' | 'fed-mfa' | 'fed-phr';

export interface Session {
  readonly id: SessionId;
  readonly personId: PersonId;
  readonly stage: SessionStage;
  readonly amr: readonly string[];
  /** When a strong factor was last shown, milliseconds since the epoch; null: never in this session. */
  readonly strongAuthAt: number | null;
  readonly agent: string;
  readonly ip: string;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
}

/** Who a request comes from. `actor` is what commands take; the rest is for the identity routes themselves. */
export interface Principal {
  readonly actor: Extract<Actor, { kind: 'person' }> | Extract<Actor, { kind: 'client' }>;
  readonly via: 'session' | 'api-token';
  readonly session: Session | null;
  /** Until when this principal's credential works, milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Writing `seen_at` on each request would cost a write per read; once in this time is precise enough. */
export const SEEN_STEP_MS = 60_000;

export type SessionVerdict = 'live' | 'idle-expired' | 'expired' | 'other-browser';

export function judgeSession(
  session: Session,
  facts: { readonly now: number; readonly idleMs: number; readonly sameBrowser: boolean },
): SessionVerdict {
  if (facts.now >= session.expiresAt) return 'expired';
  if (facts.now - session.seenAt >= facts.idleMs) return 'idle-expired';
  return facts.sameBrowser ? 'live' : 'other-browser';
}
