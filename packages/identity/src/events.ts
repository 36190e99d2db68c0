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

function userOf(subject: Subject | undefined): Record<string, unknown> | undefined {
  if (!subject) return undefined;
  return { uid: subject.id, name: subject.name, email_addr: subject.email };
}

function actorOf(actor: Actor): Record<string, unknown> {
  const { kind, id, name } = describeActor(actor);
  return kind === 'person' ? { user: { uid: id, name } } : { app_uid: id ?? undefined, app_name: name };
}

function base(classUid: IdentityEvent['class_uid'], activityId: number, input: Base): IdentityEvent {
  return {
    metadata: {
      version: '1.6.0',
      uid: uuidv7(input.at),
      product: { name: 'Cordon', vendor_name: 'Cordon', feature: { name: 'identity' } },
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
    readonly method: string;
    readonly mfa?: boolean;
    readonly sessionId?: string;
    readonly integrationId?: string;
    readonly clientId?: string;
    readonly activityName?: string;
  },
): IdentityEvent {
  return {
    ...base(3002, AUTHENTICATION_ACTIVITY[activity], input),
    ...(input.activityName === undefined ? {} : { activity_name: input.activityName }),
    user: userOf(input.user),
    auth_protocol: input.method,
    auth_protocol_id: 99,
    is_mfa: input.mfa ?? false,
    is_remote: true,
    ...(input.sessionId === undefined ? {} : { session: { uid: input.sessionId } }),
    ...(input.integrationId === undefined && input.clientId === undefined
      ? {}
      : { unmapped: { integration_id: input.integrationId, client_id: input.clientId } }),
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
    actor: actorOf(input.actor),
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
  return {
    ...base(3004, ENTITY_ACTIVITY[activity], input),
    actor: actorOf(input.actor),
    entity: { type: input.entity.type, uid: input.entity.id, name: input.entity.name },
    ...(input.integrationId === undefined ? {} : { unmapped: { integration_id: input.integrationId } }),
  };
}
