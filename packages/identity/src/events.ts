import { type Actor, describeActor, uuidv7 } from '@cordon/kernel';

/**
 * Events of this package in the shape of OCSF 1.x. `packages/lake` owns the full schema; here is only what these three
 * classes need, so that identity depends on no other domain.
 */
export type IdentityEvent = Readonly<Record<string, unknown>> & {
  readonly class_uid: 3001 | 3002 | 3004;
  readonly activity_id: number;
  readonly time: number;
};

const CATEGORY_IAM = 3;
const STATUS = { success: 1, failure: 2 } as const;
const SEVERITY = { informational: 1, low: 2, medium: 3, high: 4 } as const;

export interface Subject {
  readonly id?: string;
  readonly name?: string;
  readonly email?: string;
}

interface Base {
  readonly at: number;
  readonly outcome: 'success' | 'failure';
  readonly severity?: keyof typeof SEVERITY;
  /** Why it failed or was done; never a secret. */
  readonly reason?: string;
  readonly ip?: string;
  readonly agent?: string;
}

/** `user.type_id` of OCSF's dictionary. */
const USER_TYPE = { person: 1, system: 3, client: 4 } as const;

function userOf(subject: Subject): Record<string, unknown> {
  const { id, name, email } = subject;
  return {
    ...(id === undefined ? {} : { uid: id }),
    name: name ?? id ?? 'unknown',
    ...(email === undefined ? {} : { email_addr: email }),
  };
}

/** The lake files an event under `actor.user` as the person and `actor.app_uid` as the integration. */
function actorOf(actor: Actor, integration: string | undefined): Record<string, unknown> {
  const { kind, id, name } = describeActor(actor);
  const user = { ...(id === null ? {} : { uid: id }), name, type_id: USER_TYPE[kind] };
  return { user, ...(integration === undefined ? {} : { app_uid: integration }) };
}

/** `auth_factor.factor_type_id` of OCSF's dictionary; what has no number there is 99 with the word beside it. */
const FACTORS: Readonly<Record<string, { readonly factor_type: string; readonly factor_type_id: number }>> = {
  hwk: { factor_type: 'passkey', factor_type_id: 10 },
  pwd: { factor_type: 'password', factor_type_id: 11 },
  otp: { factor_type: 'totp', factor_type_id: 7 },
};
const FACTOR_OTHER = 99;

function base(classUid: IdentityEvent['class_uid'], activityId: number, input: Base): IdentityEvent {
  return {
    metadata: {
      version: '1.8.0',
      uid: uuidv7(input.at),
      product: { name: 'Cordon', vendor_name: 'Cordon' },
      log_name: 'cordon.control',
    },
    category_uid: CATEGORY_IAM,
    class_uid: classUid,
    activity_id: activityId,
    type_uid: classUid * 100 + activityId,
    severity_id: SEVERITY[input.severity ?? 'informational'],
    status_id: STATUS[input.outcome],
    ...(input.reason === undefined ? {} : { status_detail: input.reason, message: input.reason }),
    ...(input.ip === undefined ? {} : { src_endpoint: { ip: input.ip } }),
    ...(input.agent === undefined ? {} : { http_request: { user_agent: input.agent } }),
    time: input.at,
  };
}

const AUTHENTICATION_ACTIVITY = { logon: 1, logoff: 2, ticket: 3, other: 99 } as const;

/** OCSF Authentication (3002): sign-ins, sign-outs, tokens issued. */
export function authenticationEvent(
  activity: keyof typeof AUTHENTICATION_ACTIVITY,
  input: Base & {
    readonly user?: Subject;
    /** How it was shown: `hwk` (passkey), `pwd`, `otp`, `link`, `recovery`, `bearer`, `dpop`, `mtls`. */
    readonly methods: readonly string[];
    readonly mfa?: boolean;
    readonly sessionId?: string;
    readonly integrationId?: string;
    readonly clientId?: string;
    readonly activityName?: string;
    /** What was signed on to, when it isn't Cordon itself. */
    readonly service?: { readonly id: string; readonly name: string };
  },
): IdentityEvent {
  const user = userOf(input.user ?? {});
  return {
    ...base(3002, AUTHENTICATION_ACTIVITY[activity], input),
    ...(input.activityName === undefined ? {} : { activity_name: input.activityName }),
    user,
    actor: { user, ...(input.integrationId === undefined ? {} : { app_uid: input.integrationId }) },
    service: input.service ? { uid: input.service.id, name: input.service.name } : { name: 'Cordon' },
    auth_factors: input.methods.map(
      (method) => FACTORS[method] ?? { factor_type: method, factor_type_id: FACTOR_OTHER },
    ),
    is_mfa: input.mfa ?? false,
    is_remote: true,
    ...(input.sessionId === undefined ? {} : { session: { uid: input.sessionId } }),
    ...(input.clientId === undefined ? {} : { unmapped: { client_id: input.clientId } }),
  };
}

const ACCOUNT_ACTIVITY = {
  create: 1,
  enable: 2,
  passwordChange: 3,
  passwordReset: 4,
  disable: 5,
  delete: 6,
  attachPolicy: 7,
  detachPolicy: 8,
  lock: 9,
  mfaEnable: 10,
  mfaDisable: 11,
  unlock: 12,
  other: 99,
} as const;

/** OCSF Account Change (3001): people and their factors. */
export function accountChangeEvent(
  activity: keyof typeof ACCOUNT_ACTIVITY,
  input: Base & { readonly actor: Actor; readonly user: Subject; readonly activityName?: string },
): IdentityEvent {
  return {
    ...base(3001, ACCOUNT_ACTIVITY[activity], input),
    ...(input.activityName === undefined ? {} : { activity_name: input.activityName }),
    actor: actorOf(input.actor, undefined),
    user: userOf(input.user),
  };
}

const ENTITY_ACTIVITY = { create: 1, read: 2, update: 3, delete: 4, other: 99 } as const;

/** OCSF Entity Management (3004): clients, tokens, keys. */
export function entityManagementEvent(
  activity: keyof typeof ENTITY_ACTIVITY,
  input: Base & {
    readonly actor: Actor;
    readonly entity: { readonly type: string; readonly id: string; readonly name?: string };
    readonly integrationId?: string;
  },
): IdentityEvent {
  const { name } = input.entity;
  return {
    ...base(3004, ENTITY_ACTIVITY[activity], input),
    actor: actorOf(input.actor, input.integrationId),
    entity: { type: input.entity.type, uid: input.entity.id, ...(name === undefined ? {} : { name }) },
  };
}
