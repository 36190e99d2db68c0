import { z } from 'zod';

const ID_CHARS_MAX = 512;
const TEXT_CHARS_MAX = 4_096;
const LIST_MAX = 10_000;
/** Vendors give seconds, milliseconds and text; a number below this is seconds (it would be 1973 in milliseconds). */
const SECONDS_BELOW = 100_000_000_000;

const id = z.union([z.string(), z.int()]).transform(String).pipe(z.string().min(1).max(ID_CHARS_MAX));
const text = z.string().max(TEXT_CHARS_MAX);
const ids = z.array(id).max(LIST_MAX);

/** A moment as the vendor gives it; comes out as ISO 8601 in UTC with milliseconds. */
const instant = z.union([z.string().min(1).max(64), z.number()]).transform((value, context) => {
  const isDigits = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value);
  const number = typeof value === 'number' || isDigits ? Number(value) : null;
  const ms = number === null ? Date.parse(String(value)) : number < SECONDS_BELOW ? number * 1_000 : number;
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is no moment` });
    return z.NEVER;
  }
  return date.toISOString();
});

/** Left out: not visible. Null: there is none. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable().optional();
const attributes = z.record(z.string().max(128), z.json()).optional();

const party = z.strictObject({
  kind: z.enum(['account', 'group', 'service_account', 'app', 'role', 'resource', 'organisation', 'integration']),
  id,
  name: maybe(text),
});

const account = z.strictObject({
  type: z.literal('account'),
  id,
  kind: z.enum(['person', 'service', 'bot', 'guest', 'external', 'agent', 'unknown']),
  status: z.enum(['active', 'suspended', 'invited', 'deleted', 'unknown']),
  name: maybe(text),
  login: maybe(text),
  email: maybe(text),
  /** Whether the account administers the tool. */
  admin: maybe(z.boolean()),
  roles: z.array(text).max(LIST_MAX).optional(),
  mfa: maybe(z.boolean()),
  mfaMethods: z.array(text).max(50).optional(),
  sso: maybe(z.boolean()),
  createdAt: maybe(instant),
  lastActiveAt: maybe(instant),
  passwordChangedAt: maybe(instant),
  managerId: maybe(id),
  department: maybe(text),
  title: maybe(text),
  url: maybe(text),
  attributes,
});

const group = z.strictObject({
  type: z.literal('group'),
  id,
  name: text,
  kind: z.enum(['group', 'team', 'role', 'workspace', 'channel', 'project', 'unknown']).default('group'),
  description: maybe(text),
  /** Account ids, where the tool lists them with the group; memberships may also be grants. */
  members: ids.optional(),
  owners: ids.optional(),
  privileged: maybe(z.boolean()),
  visibility: maybe(z.enum(['private', 'internal', 'public'])),
  createdAt: maybe(instant),
  url: maybe(text),
  attributes,
});

const grant = z.strictObject({
  type: z.literal('grant'),
  id,
  kind: z.enum(['oauth', 'installed_app', 'api', 'webhook', 'automation', 'agent', 'role', 'membership', 'share']),
  /** Who holds the access. */
  subject: party,
  /** To what. */
  object: party,
  scopes: z.array(text).max(LIST_MAX).optional(),
  status: z.enum(['active', 'suspended', 'revoked', 'pending', 'unknown']).default('active'),
  /** The software that acts by the grant. */
  client: z
    .strictObject({
      id: maybe(id),
      name: maybe(text),
      publisher: maybe(text),
      verified: maybe(z.boolean()),
      url: maybe(text),
      /** First party: made by the organisation itself. */
      own: maybe(z.boolean()),
    })
    .optional(),
  grantedBy: maybe(id),
  createdAt: maybe(instant),
  lastUsedAt: maybe(instant),
  expiresAt: maybe(instant),
  /** Where a webhook or automation delivers to. */
  endpoint: z
    .strictObject({
      url: maybe(text),
      signed: maybe(z.boolean()),
      verifyTls: maybe(z.boolean()),
      events: z.array(text).max(LIST_MAX).optional(),
    })
    .optional(),
  url: maybe(text),
  attributes,
});

const credential = z.strictObject({
  type: z.literal('credential'),
  id,
  kind: z.enum([
    'api_key',
    'personal_access_token',
    'oauth_token',
    'ssh_key',
    'deploy_key',
    'client_secret',
    'certificate',
    'service_account_key',
    'webhook_secret',
    'password',
    'session',
  ]),
  name: maybe(text),
  /** Never the secret: only what the tool shows of it. */
  hint: maybe(z.string().max(64)),
  ownerId: maybe(id),
  ownerKind: maybe(z.enum(['account', 'group', 'service_account', 'app', 'resource', 'organisation'])),
  status: z.enum(['active', 'suspended', 'revoked', 'expired', 'unknown']).default('active'),
  scopes: z.array(text).max(LIST_MAX).optional(),
  createdAt: maybe(instant),
  lastUsedAt: maybe(instant),
  expiresAt: maybe(instant),
  networks: z.array(text).max(LIST_MAX).optional(),
  url: maybe(text),
  attributes,
});

const setting = z.strictObject({
  type: z.literal('setting'),
  id,
  /** Where posture checks look: `content/posture/<product>/README.md` names the paths. */
  path: z
    .string()
    .regex(/^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$/)
    .max(256),
  /** The vendor's own answer, unchanged. */
  value: z.json(),
  /** The path holds a list, and this is one of its members. */
  list: z.boolean().default(false),
});

const auditEvent = z.strictObject({
  type: z.literal('audit_event'),
  /** The vendor's id of the event: what is read twice counts once. */
  id,
  time: instant,
  /** The event as the vendor gave it; a parser in `content/parsers` makes OCSF of it. */
  raw: z.record(z.string(), z.json()),
});

/** Handed to a consumer and forgotten: the content of a customer's records is never stored by this package. */
const record = z.strictObject({
  type: z.literal('record'),
  id,
  /** The data set it belongs to: `issue`, `message`, `contact`, `file`. */
  object: z.string().min(1).max(128),
  title: maybe(text),
  content: z.json().optional(),
  ownerId: maybe(id),
  parentId: maybe(id),
  createdAt: maybe(instant),
  updatedAt: maybe(instant),
  deletedAt: maybe(instant),
  sharing: maybe(z.enum(['private', 'internal', 'external', 'public'])),
  sharedWith: z.array(text).max(LIST_MAX).optional(),
  label: maybe(text),
  mediaType: maybe(text),
  bytes: maybe(z.int().min(0)),
  /** Path or address of the file's bytes, for `readFile`. */
  download: maybe(text),
  url: maybe(text),
});

const schema = z.strictObject({
  type: z.literal('schema'),
  /** The object's name, as in a record's `object`. */
  id,
  title: maybe(text),
  fields: z
    .array(
      z.strictObject({
        name: text,
        kind: maybe(text),
        title: maybe(text),
        required: maybe(z.boolean()),
        custom: maybe(z.boolean()),
        encrypted: maybe(z.boolean()),
      }),
    )
    .max(LIST_MAX),
  records: maybe(z.int().min(0)),
  attributes,
});

/** What streams emit. Times come out as ISO 8601 in UTC; a field that is left out could not be seen, null is none. */
export const entitySchemas = {
  account,
  group,
  grant,
  credential,
  setting,
  audit_event: auditEvent,
  record,
  schema,
} as const;

export const entity = z.discriminatedUnion('type', [
  account,
  group,
  grant,
  credential,
  setting,
  auditEvent,
  record,
  schema,
]);
export type Entity = z.output<typeof entity>;

export const ENTITY_KINDS = [
  'account',
  'group',
  'grant',
  'credential',
  'setting',
  'audit_event',
  'record',
  'schema',
] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** Kinds that are kept as the tool's state; audit events go to the lake, records to a consumer. */
export type StoredEntity = Exclude<Entity, { type: 'audit_event' | 'record' }>;
export const isStored = (one: Entity): one is StoredEntity => one.type !== 'audit_event' && one.type !== 'record';
