import { z } from 'zod';

const DAY_MS = 86_400_000;
export const NOTICE_MS_DEFAULT = 3 * DAY_MS;
export const REMIND_MS_DEFAULT = 3 * DAY_MS;
const LENGTH_MS_MAX = 180 * DAY_MS;
export const ITEMS_MAX = 10_000;
export const IDS_MAX = 500;

/** What a campaign looks at. `value`: an app's name, an owner's id, or the least risk (0 to 100). */
export const scopeInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('app'), value: z.string().min(1).max(200) }),
  z.strictObject({ kind: z.literal('owner'), value: z.string().min(1).max(200) }),
  z.strictObject({ kind: z.literal('risk'), value: z.int().min(1).max(100) }),
]);
export type Scope = z.output<typeof scopeInput>;

export const personInput = z.strictObject({
  id: z.string().min(1).max(200),
  name: z.string().min(1).max(200),
  email: z.string().max(320).nullable().default(null),
});
export type Reviewer = z.output<typeof personInput>;

export const campaignInput = z.strictObject({
  name: z.string().trim().min(3).max(120),
  scope: scopeInput,
  dueAt: z.int(),
  /** What becomes of items that nobody decided about. */
  onUndecided: z.enum(['revoke', 'keep']),
  noticeMs: z
    .int()
    .min(0)
    .max(30 * DAY_MS)
    .default(NOTICE_MS_DEFAULT),
  remindMs: z
    .int()
    .min(60_000)
    .max(30 * DAY_MS)
    .default(REMIND_MS_DEFAULT),
  /** Reviews what has no owner, or whose owner can't review it. */
  fallback: personInput,
});
export type CampaignInput = z.input<typeof campaignInput>;

/** Null: the input is in order. */
export function checkTimes(input: z.output<typeof campaignInput>, now: number): string | null {
  if (input.dueAt <= now) return 'The day on which it is due has passed.';
  if (input.dueAt > now + LENGTH_MS_MAX) return 'A review lasts half a year at most.';
  return null;
}

export const ITEM_KINDS = ['grant', 'integration', 'tool_grant', 'account'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** What a reviewer decides on. */
export const evidenceSchema = z.object({
  granted: z.array(z.string()).max(500),
  /** Null: where it is used can't be seen. */
  used: z.array(z.string()).max(500).nullable(),
  unused: z.array(z.string()).max(500),
  /** Days that `used` looks back. */
  days: z.int(),
  calls: z.int(),
  lastUsedAt: z.int().nullable(),
  since: z.int().nullable(),
  /** Why it deserves a look. */
  why: z.array(z.string()).max(20),
  risk: z.int().min(0).max(100),
});
export type ItemEvidence = z.output<typeof evidenceSchema>;

/** One access as the estate has it. */
export interface Candidate {
  /** What and where; the same in each campaign. */
  readonly key: string;
  readonly kind: ItemKind;
  readonly name: string;
  readonly app: string;
  /** Who holds it. */
  readonly holder: string;
  readonly owner: Reviewer | null;
  readonly evidence: ItemEvidence;
  /** What taking it away needs; no secret. Null: only a person can, by `task`. */
  readonly act: Readonly<Record<string, unknown>> | null;
  readonly task: string | null;
}

export function inScope(scope: Scope, candidate: Candidate): boolean {
  if (scope.kind === 'app') return candidate.app.toLowerCase() === scope.value.toLowerCase();
  if (scope.kind === 'owner') return candidate.owner?.id === scope.value;
  return scope.kind === 'all' || candidate.evidence.risk >= scope.value;
}

export const CAMPAIGN_STATES = ['open', 'noticed', 'closing', 'closed'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export const ITEM_STATES = ['open', 'kept', 'waiting', 'done', 'nothing', 'task', 'failed'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  readonly onUndecided: 'revoke' | 'keep';
  readonly state: CampaignState;
  readonly dueAt: number;
  readonly noticeMs: number;
  readonly remindMs: number;
  readonly noticedAt: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly closedAt: number | null;
  readonly counts: Readonly<Record<ItemState, number>>;
}

export interface Item {
  readonly id: string;
  readonly campaignId: string;
  readonly key: string;
  readonly kind: ItemKind;
  readonly name: string;
  readonly app: string;
  readonly holder: string;
  readonly evidence: ItemEvidence;
  readonly canRevoke: boolean;
  readonly reviewer: Reviewer;
  readonly delegatedBy: string | null;
  readonly decision: 'keep' | 'revoke' | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly state: ItemState;
  readonly detail: string | null;
  readonly settledAt: number | null;
}

export interface ItemOutcome {
  readonly state: 'done' | 'nothing' | 'task';
  readonly detail: string;
}

const CSV_COLUMNS = [
  'campaign',
  'item',
  'kind',
  'app',
  'holder',
  'granted',
  'used',
  'unused',
  'days',
  'calls',
  'last_used',
  'risk',
  'why',
  'reviewer',
  'delegated_by',
  'decision',
  'reason',
  'decided_by',
  'decided_at',
  'outcome',
  'evidence',
  'settled_at',
] as const;

/** RFC 4180; a cell that a spreadsheet would run as a formula is made text. */
function cell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== 'number' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const dayOf = (at: number | null): string => (at === null ? '' : new Date(at).toISOString());

/** The campaign as an auditor takes it along: each item with what was seen, decided and done. */
export function toCsv(campaign: Campaign, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { evidence: seen } = item;
    return [
      campaign.name,
      item.name,
      item.kind,
      item.app,
      item.holder,
      seen.granted.join(' '),
      seen.used?.join(' ') ?? 'unknown',
      seen.unused.join(' '),
      seen.days,
      seen.calls,
      dayOf(seen.lastUsedAt),
      seen.risk,
      seen.why.join('; '),
      item.reviewer.name,
      item.delegatedBy,
      item.decision,
      item.reason,
      item.decidedBy,
      dayOf(item.decidedAt),
      item.state,
      item.detail,
      dayOf(item.settledAt),
    ]
      .map(cell)
      .join(',');
  });
  return `${[CSV_COLUMNS.join(','), ...rows].join('\r\n')}\r\n`;
}
