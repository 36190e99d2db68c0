/**
 * Numbers of the Open Cybersecurity Schema Framework that Cordon writes, with the meaning each has there.
 * Source: https://schema.ocsf.io/1.8.0 (dictionary, class and profile definitions).
 */
export const OCSF_VERSION = '1.8.0';

export const CLASS = {
  detectionFinding: 2004,
  accountChange: 3001,
  authentication: 3002,
  entityManagement: 3004,
  httpActivity: 4002,
  apiActivity: 6003,
} as const;

export const CATEGORY = { findings: 2, iam: 3, network: 4, application: 6 } as const;

/** `activity_id` is 0 when unknown and 99 when it is none of the class's own, in every class. */
export const ACTIVITY = {
  apiActivity: { unknown: 0, create: 1, read: 2, update: 3, delete: 4, other: 99 },
  httpActivity: {
    unknown: 0,
    connect: 1,
    delete: 2,
    get: 3,
    head: 4,
    options: 5,
    post: 6,
    put: 7,
    trace: 8,
    patch: 9,
    other: 99,
  },
  authentication: {
    unknown: 0,
    logon: 1,
    logoff: 2,
    'authentication-ticket': 3,
    'service-ticket-request': 4,
    'service-ticket-renew': 5,
    preauth: 6,
    'account-switch': 7,
    other: 99,
  },
  accountChange: {
    unknown: 0,
    create: 1,
    enable: 2,
    'password-change': 3,
    'password-reset': 4,
    disable: 5,
    delete: 6,
    'attach-policy': 7,
    'detach-policy': 8,
    lock: 9,
    'mfa-enable': 10,
    'mfa-disable': 11,
    unlock: 12,
    other: 99,
  },
  entityManagement: {
    unknown: 0,
    create: 1,
    read: 2,
    update: 3,
    delete: 4,
    move: 5,
    enroll: 6,
    unenroll: 7,
    enable: 8,
    disable: 9,
    activate: 10,
    deactivate: 11,
    suspend: 12,
    resume: 13,
    other: 99,
  },
  detectionFinding: { unknown: 0, create: 1, update: 2, close: 3, other: 99 },
} as const;

export type ApiActivityName = keyof typeof ACTIVITY.apiActivity;
export type AuthenticationActivityName = keyof typeof ACTIVITY.authentication;
export type AccountChangeActivityName = keyof typeof ACTIVITY.accountChange;
export type EntityManagementActivityName = keyof typeof ACTIVITY.entityManagement;
export type DetectionFindingActivityName = keyof typeof ACTIVITY.detectionFinding;

export const SEVERITY = {
  unknown: 0,
  informational: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
  fatal: 6,
  other: 99,
} as const;
export type SeverityName = keyof typeof SEVERITY;

export const STATUS = { unknown: 0, success: 1, failure: 2, other: 99 } as const;
export type StatusName = keyof typeof STATUS;

/** Findings have their own life cycle in `status_id`. */
export const FINDING_STATUS = {
  unknown: 0,
  new: 1,
  'in-progress': 2,
  suppressed: 3,
  resolved: 4,
  archived: 5,
  deleted: 6,
  other: 99,
} as const;
export type FindingStatusName = keyof typeof FINDING_STATUS;

/** What a control did (`action_id`, profile security_control). */
export const ACTION = { unknown: 0, allowed: 1, denied: 2, observed: 3, modified: 4, other: 99 } as const;

/** How it came out (`disposition_id`); the ones that Cordon's decisions map to. */
export const DISPOSITION = {
  unknown: 0,
  allowed: 1,
  blocked: 2,
  corrected: 11,
  rejected: 25,
  unauthorized: 26,
  error: 27,
} as const;

/** `user.type_id`. */
export const USER_TYPE = { unknown: 0, user: 1, admin: 2, system: 3, service: 4, other: 99 } as const;
export type UserTypeName = keyof typeof USER_TYPE;

/** `auth_protocol_id`. */
export const AUTH_PROTOCOL = {
  unknown: 0,
  openid: 4,
  saml: 5,
  oauth2: 6,
  basic: 11,
  ldap: 12,
  other: 99,
} as const;
export type AuthProtocolName = keyof typeof AUTH_PROTOCOL;

/** `managed_entity.type_id`; apps, integrations and the rest of Cordon's own are 99 with `type` in words. */
export const ENTITY_TYPE = {
  unknown: 0,
  device: 1,
  user: 2,
  group: 3,
  organization: 4,
  policy: 5,
  email: 6,
  other: 99,
} as const;

/** `type_uid` is derived: class times one hundred plus activity. */
export function typeUid(classUid: number, activityId: number): number {
  return classUid * 100 + activityId;
}

/** CRUD activity of an HTTP method, for API Activity (RFC 9110, section 9; RFC 5789 for PATCH). */
export function apiActivityOf(method: string): ApiActivityName {
  switch (method.toUpperCase()) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
      return 'read';
    case 'POST':
      return 'create';
    case 'PUT':
    case 'PATCH':
      return 'update';
    case 'DELETE':
      return 'delete';
    default:
      return 'other';
  }
}

/** HTTP Activity's `activity_id` of a method. */
export function httpActivityOf(method: string): number {
  const table: Readonly<Record<string, number>> = ACTIVITY.httpActivity;
  const name = method.toLowerCase();
  return name === 'unknown' || name === 'other'
    ? ACTIVITY.httpActivity.other
    : (table[name] ?? ACTIVITY.httpActivity.other);
}
