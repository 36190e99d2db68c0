import {
  type AuthProtocolName,
  buildActor,
  buildEndpoint,
  buildMetadata,
  buildUser,
  type EndpointFacts,
  type EventOrigin,
  type Named,
  type PersonFacts,
} from './event-build.ts';
import {
  type AccountChangeActivityName,
  ACTIVITY,
  AUTH_PROTOCOL,
  type AuthenticationActivityName,
  CATEGORY,
  CLASS,
  ENTITY_TYPE,
  type EntityManagementActivityName,
  SEVERITY,
  STATUS,
  typeUid,
} from './ocsf.ts';
import type { AccountChangeEvent, AuthenticationEvent, EntityManagementEvent } from './ocsf-events.ts';

export interface IamFacts extends EventOrigin {
  readonly success: boolean;
  readonly reason?: string;
  readonly reasonText?: string;
  readonly source?: EndpointFacts;
  readonly userAgent?: string;
}

export interface AuthenticationFacts extends IamFacts {
  readonly activity: AuthenticationActivityName;
  /** Who signs in; an integration that gets a token is a `service`. */
  readonly user: PersonFacts;
  readonly integration?: Named;
  /** What is signed in to. */
  readonly service: { readonly id?: string; readonly name: string };
  readonly protocol?: AuthProtocolName;
  /** How it was proven, in Cordon's words: `passkey`, `password`, `totp`, `private_key_jwt`, `mtls`, `dpop`. */
  readonly factors?: readonly string[];
  readonly mfa?: boolean;
  readonly sessionId?: string;
}

export interface AccountChangeFacts extends IamFacts {
  readonly activity: AccountChangeActivityName;
  /** Whose account. */
  readonly user: PersonFacts;
  /** Who changed it. */
  readonly actor?: PersonFacts;
  readonly integration?: Named;
  readonly policy?: Named;
}

export interface EntityManagementFacts extends IamFacts {
  readonly activity: EntityManagementActivityName;
  /** What was managed: `type` in Cordon's words (`app`, `integration`, `grant`, `policy`). */
  readonly entity: { readonly type: string; readonly id: string; readonly name?: string; readonly data?: unknown };
  /** How it was afterwards, where that matters. */
  readonly result?: { readonly type: string; readonly id: string; readonly name?: string; readonly data?: unknown };
  readonly actor?: PersonFacts;
  readonly integration?: Named;
  readonly comment?: string;
}

/** `auth_factor.factor_type_id` of OCSF's dictionary; what OCSF has no number for is 99 with the word beside it. */
const FACTOR_TYPE: Readonly<Record<string, number>> = { totp: 7, email: 8, passkey: 10, password: 11 };
const FACTOR_TYPE_OTHER = 99;

function buildIam(facts: IamFacts) {
  const fallback = facts.success ? SEVERITY.informational : SEVERITY.low;
  return {
    time: facts.time,
    metadata: buildMetadata(facts),
    severity_id: facts.severity ? SEVERITY[facts.severity] : fallback,
    status_id: facts.success ? STATUS.success : STATUS.failure,
    ...(facts.message !== undefined && { message: facts.message }),
    ...(facts.reason !== undefined && { status_code: facts.reason }),
    ...(facts.reasonText !== undefined && { status_detail: facts.reasonText }),
    ...(facts.source && { src_endpoint: buildEndpoint(facts.source) }),
    ...(facts.userAgent !== undefined && { http_request: { user_agent: facts.userAgent } }),
  };
}

/** Authentication (3002): someone or something signs in, signs out, or gets a token. */
export function authentication(facts: AuthenticationFacts): AuthenticationEvent {
  const activityId = ACTIVITY.authentication[facts.activity];
  return {
    class_uid: CLASS.authentication,
    category_uid: CATEGORY.iam,
    activity_id: activityId,
    type_uid: typeUid(CLASS.authentication, activityId),
    ...buildIam(facts),
    user: buildUser(facts.user),
    actor: buildActor(facts.integration, facts.user),
    service: { name: facts.service.name, ...(facts.service.id !== undefined && { uid: facts.service.id }) },
    is_remote: true,
    ...(facts.protocol && { auth_protocol_id: AUTH_PROTOCOL[facts.protocol] }),
    ...(facts.factors && {
      auth_factors: facts.factors.map((factor) => ({
        factor_type: factor,
        factor_type_id: FACTOR_TYPE[factor] ?? FACTOR_TYPE_OTHER,
      })),
    }),
    ...(facts.mfa !== undefined && { is_mfa: facts.mfa }),
    ...(facts.sessionId !== undefined && { session: { uid: facts.sessionId } }),
  };
}

/** Account Change (3001): an account is created, enabled, locked, given a policy, and so on. */
export function accountChange(facts: AccountChangeFacts): AccountChangeEvent {
  const activityId = ACTIVITY.accountChange[facts.activity];
  return {
    class_uid: CLASS.accountChange,
    category_uid: CATEGORY.iam,
    activity_id: activityId,
    type_uid: typeUid(CLASS.accountChange, activityId),
    ...buildIam(facts),
    user: buildUser(facts.user),
    actor: buildActor(facts.integration, facts.actor),
    ...(facts.policy && { policy: { uid: facts.policy.id, name: facts.policy.name } }),
  };
}

function buildEntity(entity: EntityManagementFacts['entity']) {
  const types: Readonly<Record<string, number>> = ENTITY_TYPE;
  return {
    uid: entity.id,
    type: entity.type,
    type_id: types[entity.type] ?? ENTITY_TYPE.other,
    ...(entity.name !== undefined && { name: entity.name }),
    ...(entity.data !== undefined && { data: entity.data }),
  };
}

/** Entity Management (3004): something of the estate is created, changed, suspended, deleted. */
export function entityManagement(facts: EntityManagementFacts): EntityManagementEvent {
  const activityId = ACTIVITY.entityManagement[facts.activity];
  return {
    class_uid: CLASS.entityManagement,
    category_uid: CATEGORY.iam,
    activity_id: activityId,
    type_uid: typeUid(CLASS.entityManagement, activityId),
    ...buildIam(facts),
    entity: buildEntity(facts.entity),
    ...(facts.result && { entity_result: buildEntity(facts.result) }),
    actor: buildActor(facts.integration, facts.actor),
    ...(facts.comment !== undefined && { comment: facts.comment }),
  };
}
