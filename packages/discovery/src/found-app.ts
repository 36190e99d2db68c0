import { z } from 'zod';
import type { CatalogueApp, RiskHint } from './catalogue.ts';
import type { EvidenceKind } from './sighting.ts';

/** `new`: nobody has looked. `tolerated`: may be used until the decision expires. */
export const APP_STATES = ['new', 'under_review', 'sanctioned', 'tolerated', 'forbidden'] as const;
export type AppState = (typeof APP_STATES)[number];

export interface FoundApp {
  readonly key: string;
  readonly name: string;
  readonly company: string | null;
  readonly category: string | null;
  readonly state: AppState;
  /** Who was asked about it. */
  readonly owner: { readonly id: string; readonly name: string } | null;
  readonly dueAt: number | null;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly reason: string | null;
  readonly expiresAt: number | null;
  /** Named people and accounts. */
  readonly users: number;
  /** Addresses that no name is known for. */
  readonly addresses: number;
  readonly events: number;
  readonly bytes: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly createdAt: number;
}

/** What one place tells of one user. */
export interface FoundUse {
  readonly app: string;
  readonly evidence: EvidenceKind;
  readonly bucket: string;
  readonly who: string;
  /** Where it was seen, for people: a file, a connection, the gateway. */
  readonly source: string;
  /** Of grants: the scopes. */
  readonly detail: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly events: number;
  readonly bytes: number;
}

const RISK_MAX = 100;
const MANY_USERS = 10;
const LARGE_BYTES = 1_000_000_000;

export interface Risk {
  /** 0 to 100: the sum of the weights, at most 100. */
  readonly score: number;
  readonly hints: readonly RiskHint[];
}

/** Scopes that let software read or change more than one thing of one person. */
const BROAD =
  /(?:^|[\s,:/.])(?:admin|all|full|write|delete|manage|\*|mail|drive|files|repo|directory|user)(?:$|[\s,:/._])/i;

/** Why an app deserves a look: what its catalogue entry says, and what was seen of it. */
export function riskOf(
  found: Pick<FoundApp, 'users' | 'bytes'>,
  known: CatalogueApp | undefined,
  uses: readonly Pick<FoundUse, 'evidence' | 'detail'>[],
  rivals: readonly string[],
): Risk {
  const hints: RiskHint[] = [...(known?.hints ?? [])];
  const seen = (code: string, text: string, weight: number): void =>
    void hints.push({ code, text, weight, source: null });
  if (!known) seen('unknown', 'No catalogue knows this software', 30);
  const grants = uses.filter(({ evidence }) => evidence === 'grant');
  if (grants.length > 0) {
    const broad = grants.find(({ detail }) => detail !== null && BROAD.test(detail));
    if (broad) seen('broad-grant', `Holds broad access to another tool: ${broad.detail}`, 30);
    else seen('grant', 'Holds a grant to another tool', 10);
  }
  const signsInElsewhere = uses.some(({ evidence }) => evidence === 'mail' || evidence === 'expense');
  if (signsInElsewhere && !uses.some(({ evidence }) => evidence === 'sign_in' || evidence === 'grant')) {
    seen('own-accounts', 'Has accounts or is paid for, and nobody signs in to it through single sign-on', 15);
  }
  if (found.users >= MANY_USERS) seen('many-users', `${found.users} people use it`, 10);
  if (found.bytes >= LARGE_BYTES) seen('volume', `${Math.round(found.bytes / 1e9)} GB went to and from it`, 15);
  if (rivals.length > 0) seen('duplicate', `Does what a sanctioned app does: ${rivals.join(', ')}`, 5);
  return {
    score: Math.min(
      RISK_MAX,
      hints.reduce((sum, { weight }) => sum + weight, 0),
    ),
    hints,
  };
}

const DAY_MS = 86_400_000;
export const REASON_CHARS_MIN = 3;
const reason = z.string().trim().min(REASON_CHARS_MIN).max(1_000);

export const askInput = z.strictObject({
  owner: z.strictObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(200) }),
  dueAt: z.int(),
  note: z.string().trim().max(1_000).default(''),
});

export const decideInput = z.strictObject({
  state: z.enum(['sanctioned', 'tolerated', 'forbidden']),
  reason,
  /** When it has to be looked at again; `tolerated` needs one, a year ahead at most. */
  expiresAt: z.int().nullable().default(null),
});
export type DecideInput = z.input<typeof decideInput>;
export const TOLERATED_MS_MAX = 366 * DAY_MS;

export interface Decision {
  readonly id: string;
  readonly from: AppState;
  readonly to: AppState;
  readonly by: string;
  readonly reason: string;
  readonly expiresAt: number | null;
  readonly at: number;
}
