import { z } from 'zod';
import { entryId, label } from './app-entry.ts';
import { dataLabel } from './data-entry.ts';

/**
 * In motion: `allow`, `log`, `notify` (people are told), `redact`, `tokenise` (reversible by permission), `justify`
 * (refused until somebody says why), `quarantine` (refused until somebody releases it), `block`. At rest: `allow`, `log`,
 * `notify`, `redact`, `tokenise`, `justify`, `quarantine` (nobody else reaches it), `label`, `unshare`, `delete`.
 */
export const inspectionAction = z.enum([
  'allow',
  'log',
  'notify',
  'redact',
  'tokenise',
  'justify',
  'quarantine',
  'block',
  'label',
  'unshare',
  'delete',
]);
export type InspectionAction = z.output<typeof inspectionAction>;
/** What is done to a call; the rest is done to what lies in a tool. */
export type MotionAction = Exclude<InspectionAction, 'label' | 'unshare' | 'delete'>;
export type Direction = 'request' | 'response';

/** How widely a record is shared, narrowest first. */
export const SHARINGS = ['private', 'internal', 'external', 'public'] as const;
export type Sharing = (typeof SHARINGS)[number];

const PASS_MINUTES_MAX = 1_440;

/** `inspection:<InspectionRuleId>`: what happens to a class of data on its way. */
export const inspectionEntry = z.strictObject({
  id: entryId,
  name: label,
  /** A class (`payment.card`), a prefix (`credential.*`), or `*`. */
  class: z
    .string()
    .max(128)
    .regex(
      /^(?:\*|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:\.\*)?)$/,
      'expected a class such as payment.card, credential.* or *',
    ),
  /** null: both ways of a call. What lies in tools is only met by a rule that says `at-rest`. */
  direction: z.enum(['request', 'response', 'at-rest']).nullable().default(null),
  appId: entryId.nullable().default(null),
  integrationId: entryId.nullable().default(null),
  /** Only where the data is labelled at least so: the operation's data set, or the class by itself. null: any. */
  label: dataLabel.nullable().default(null),
  /** fideslang category of the data, or one that it is below, such as `user.financial`. */
  category: z
    .string()
    .max(128)
    .regex(/^[a-z_]+(?:\.[a-z_]+)*$/)
    .nullable()
    .default(null),
  /** Only where one body or record holds so many of the class. */
  countMin: z.int().min(1).max(1_000_000).default(1),
  /** At rest: the connector, such as `slack`. */
  connector: z.string().max(64).nullable().default(null),
  /** At rest: only what is shared at least so widely. */
  destination: z.enum(SHARINGS).nullable().default(null),
  /** In motion the owner of the integration, at rest the owner of the record as the tool names them. */
  personId: z.string().max(320).nullable().default(null),
  action: inspectionAction,
  /** How long a justification or a release lets the same integration pass. */
  passMinutes: z.int().min(1).max(PASS_MINUTES_MAX).default(60),
  note: z.string().max(2000).default(''),
});
export type InspectionEntry = z.output<typeof inspectionEntry>;
export type InspectionEntryInput = z.input<typeof inspectionEntry>;

const AT_REST_ONLY: ReadonlySet<InspectionAction> = new Set(['label', 'unshare', 'delete']);
export const isMotionAction = (action: InspectionAction): action is MotionAction => !AT_REST_ONLY.has(action);
/** The call goes no further. */
export const stopsCall = (action: InspectionAction): boolean =>
  action === 'block' || action === 'justify' || action === 'quarantine';

/** Why a rule could never do what it says; null when it can. */
export function inspectionProblem(rule: {
  readonly direction?: string | null | undefined;
  readonly connector?: string | null | undefined;
  readonly destination?: string | null | undefined;
  readonly integrationId?: string | null | undefined;
  readonly action: InspectionAction;
}): string | null {
  const atRest = rule.direction === 'at-rest';
  if (!atRest && !isMotionAction(rule.action))
    return `A call can not be ${rule.action}d: such a rule is for data at rest.`;
  if (atRest && rule.action === 'block')
    return 'What lies in a tool can not be blocked: quarantine, unshare or delete it.';
  if (!atRest && rule.connector) return 'A rule for a connector is for data at rest.';
  if (!atRest && rule.destination) return 'How widely a record is shared is known of data at rest.';
  if (atRest && rule.integrationId) return 'No integration moves data at rest: name a connector.';
  return null;
}

/** `inspection-pass:<id>`: lets an integration pass a rule that asks for a justification or quarantines. */
export const inspectionPassEntry = z.strictObject({
  id: entryId,
  ruleId: entryId,
  integrationId: entryId,
  /** null: any app. */
  appId: entryId.nullable().default(null),
  expiresAt: z.int(),
});
export type InspectionPassEntry = z.output<typeof inspectionPassEntry>;

/** `token-key:<id>`: the key of reversible tokens, sealed with context `token-key:<id>`. Never clear text. */
export const tokenKeyEntry = z.strictObject({ id: entryId, sealed: z.string().min(1).max(16_384) });
export type TokenKeyEntry = z.output<typeof tokenKeyEntry>;

/** `limit:<LimitId>`: every limit whose scope fits a call applies; the first exhausted one refuses it. */
export const limitEntry = z.strictObject({
  id: entryId,
  name: label,
  /** Which calls: null means any. */
  scope: z
    .strictObject({
      integrationId: entryId.nullable().default(null),
      appId: entryId.nullable().default(null),
      operationId: z.string().max(512).nullable().default(null),
    })
    .prefault({}),
  /** One counter for each combination of these; empty: one for all calls in scope together. */
  countBy: z
    .array(z.enum(['integration', 'app', 'operation', 'address']))
    .max(4)
    .default(['integration', 'app']),
  /** GCRA: `count` calls in `periodMs`, with bursts of up to `burst`. */
  rate: z
    .strictObject({
      count: z.int().min(1).max(10_000_000),
      periodMs: z.int().min(1).max(86_400_000),
      burst: z.int().min(1).max(10_000_000),
    })
    .nullable()
    .default(null),
  /** Calls in flight. */
  concurrency: z.int().min(1).max(100_000).nullable().default(null),
  /** Per UTC day. */
  quota: z
    .strictObject({
      callsPerDay: z.int().min(1).nullable().default(null),
      /** Both ways together. */
      bytesPerDay: z.int().min(1).nullable().default(null),
      /** Of answers alone. */
      bytesOutPerDay: z.int().min(1).nullable().default(null),
      /** Items of lists in answers; an answer that is no list is one. */
      recordsPerDay: z.int().min(1).nullable().default(null),
    })
    .nullable()
    .default(null),
});
export type LimitEntry = z.output<typeof limitEntry>;
export type LimitEntryInput = z.input<typeof limitEntry>;
