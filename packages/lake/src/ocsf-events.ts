import { z } from 'zod';
import { EventInvalid } from './errors.ts';
import { CATEGORY, CLASS } from './ocsf.ts';
import {
  actor,
  api,
  attack,
  authorization,
  cordonFacts,
  endpoint,
  findingInfo,
  httpRequest,
  httpResponse,
  managedEntity,
  metadata,
  named,
  policy,
  resource,
  session,
  traffic,
  user,
} from './ocsf-objects.ts';

/** Milliseconds since the epoch, within what the lake's DateTime64 column can hold (years 1970 to 2262). */
const TIME_MS_MAX = 9_214_646_400_000;
const time = z.int().nonnegative().max(TIME_MS_MAX);

const unmapped = z.looseObject({ cordon: cordonFacts.optional() });

const base = z.looseObject({
  class_uid: z.int().nonnegative(),
  category_uid: z.int().nonnegative(),
  activity_id: z.int().nonnegative(),
  type_uid: z.int().nonnegative(),
  severity_id: z.int().min(0).max(99),
  time,
  metadata,
  message: z.string().optional(),
  status_id: z.int().min(0).max(99).optional(),
  status_code: z.string().optional(),
  status_detail: z.string().optional(),
  duration: z.number().nonnegative().optional(),
  unmapped: unmapped.optional(),
});

/** Attributes of the profile security_control, present when a control decided over the activity. */
const securityControl = {
  action_id: z.int().optional(),
  disposition_id: z.int().optional(),
  policy: policy.optional(),
  authorizations: z.array(authorization).optional(),
  attacks: z.array(attack).optional(),
  is_alert: z.boolean().optional(),
};

export const apiActivityEvent = base.extend({
  class_uid: z.literal(CLASS.apiActivity),
  category_uid: z.literal(CATEGORY.application),
  actor,
  api,
  src_endpoint: endpoint,
  dst_endpoint: endpoint.optional(),
  http_request: httpRequest.optional(),
  http_response: httpResponse.optional(),
  resources: z.array(resource).optional(),
  ...securityControl,
});

export const httpActivityEvent = base.extend({
  class_uid: z.literal(CLASS.httpActivity),
  category_uid: z.literal(CATEGORY.network),
  actor: actor.optional(),
  src_endpoint: endpoint.optional(),
  dst_endpoint: endpoint.optional(),
  http_request: httpRequest.optional(),
  http_response: httpResponse.optional(),
  traffic: traffic.optional(),
  app_name: z.string().optional(),
  ...securityControl,
});

export const authenticationEvent = base.extend({
  class_uid: z.literal(CLASS.authentication),
  category_uid: z.literal(CATEGORY.iam),
  user,
  actor: actor.optional(),
  service: named.optional(),
  src_endpoint: endpoint.optional(),
  dst_endpoint: endpoint.optional(),
  http_request: httpRequest.optional(),
  session: session.optional(),
  auth_protocol_id: z.int().optional(),
  auth_factors: z.array(z.looseObject({ factor_type: z.string().optional(), factor_type_id: z.int() })).optional(),
  is_mfa: z.boolean().optional(),
  is_remote: z.boolean().optional(),
});

export const accountChangeEvent = base.extend({
  class_uid: z.literal(CLASS.accountChange),
  category_uid: z.literal(CATEGORY.iam),
  user,
  actor: actor.optional(),
  policy: policy.optional(),
  src_endpoint: endpoint.optional(),
  http_request: httpRequest.optional(),
});

export const entityManagementEvent = base.extend({
  class_uid: z.literal(CLASS.entityManagement),
  category_uid: z.literal(CATEGORY.iam),
  entity: managedEntity,
  entity_result: managedEntity.optional(),
  actor: actor.optional(),
  comment: z.string().optional(),
  src_endpoint: endpoint.optional(),
  http_request: httpRequest.optional(),
});

export const detectionFindingEvent = base.extend({
  class_uid: z.literal(CLASS.detectionFinding),
  category_uid: z.literal(CATEGORY.findings),
  finding_info: findingInfo,
  evidences: z.array(z.looseObject({})).optional(),
  resources: z.array(resource).optional(),
  actor: actor.optional(),
  src_endpoint: endpoint.optional(),
  confidence_id: z.int().optional(),
  risk_level_id: z.int().optional(),
  ...securityControl,
});

export type ApiActivityEvent = z.infer<typeof apiActivityEvent>;
export type HttpActivityEvent = z.infer<typeof httpActivityEvent>;
export type AuthenticationEvent = z.infer<typeof authenticationEvent>;
export type AccountChangeEvent = z.infer<typeof accountChangeEvent>;
export type EntityManagementEvent = z.infer<typeof entityManagementEvent>;
export type DetectionFindingEvent = z.infer<typeof detectionFindingEvent>;
export type CordonFacts = z.infer<typeof cordonFacts>;

/** Any event the lake takes: the base attributes of OCSF, and whatever its class adds. */
export type OcsfEvent = z.infer<typeof base>;

/**
 * `category_uid` and `type_uid` follow from class and activity (OCSF, "Event class identifiers"). A class of an
 * extension carries its extension's number times 100,000, so the category is what is left of it.
 */
function checkDerived(event: OcsfEvent, context: z.RefinementCtx): void {
  if (event.type_uid !== event.class_uid * 100 + event.activity_id) {
    context.addIssue({ code: 'custom', path: ['type_uid'], message: 'must be class_uid * 100 + activity_id' });
  }
  if (event.class_uid !== 0 && Math.floor(event.class_uid / 1000) % 100 !== event.category_uid % 100) {
    context.addIssue({ code: 'custom', path: ['category_uid'], message: 'must be the thousands of class_uid' });
  }
}

/** Any class: the base attributes, everything else kept as it came. */
export const ocsfEvent: z.ZodType<OcsfEvent> = base.superRefine(checkDerived);

const BY_CLASS: ReadonlyMap<number, z.ZodType<OcsfEvent>> = new Map<number, z.ZodType<OcsfEvent>>([
  [CLASS.apiActivity, apiActivityEvent.superRefine(checkDerived)],
  [CLASS.httpActivity, httpActivityEvent.superRefine(checkDerived)],
  [CLASS.authentication, authenticationEvent.superRefine(checkDerived)],
  [CLASS.accountChange, accountChangeEvent.superRefine(checkDerived)],
  [CLASS.entityManagement, entityManagementEvent.superRefine(checkDerived)],
  [CLASS.detectionFinding, detectionFindingEvent.superRefine(checkDerived)],
]);

/**
 * An event from outside, checked. Its class picks the schema; a class that Cordon does not write itself is held to the
 * base attributes. Throws `EventInvalid` naming the field.
 */
export function parseEvent(value: unknown): OcsfEvent {
  const classUid = typeof value === 'object' && value !== null && 'class_uid' in value ? value.class_uid : undefined;
  const schema = (typeof classUid === 'number' && BY_CLASS.get(classUid)) || ocsfEvent;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  throw new EventInvalid(`The event is not OCSF: ${field || 'event'}: ${issue?.message ?? 'not valid'}`, {
    field,
    class_uid: classUid,
  });
}
