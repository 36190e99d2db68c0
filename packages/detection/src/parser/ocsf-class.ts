/** An OCSF class: its numbers, and the names of activities that parsers may use (schema.ocsf.io, 1.x). */
interface OcsfClass {
  readonly uid: number;
  readonly category: number;
  readonly name: string;
  readonly activities: Readonly<Record<string, number>>;
}

const crud = { create: 1, read: 2, update: 3, delete: 4 };

export const OCSF_VERSION = '1.6.0';

export const OCSF_CLASSES = {
  account_change: {
    uid: 3001,
    category: 3,
    name: 'Account Change',
    activities: {
      create: 1,
      enable: 2,
      password_change: 3,
      password_reset: 4,
      disable: 5,
      delete: 6,
      attach_policy: 7,
      detach_policy: 8,
      lock: 9,
      mfa_enable: 10,
      mfa_disable: 11,
      unlock: 12,
    },
  },
  authentication: {
    uid: 3002,
    category: 3,
    name: 'Authentication',
    activities: { logon: 1, logoff: 2, ticket: 3, ticket_renew: 4 },
  },
  entity_management: { uid: 3004, category: 3, name: 'Entity Management', activities: crud },
  user_access: { uid: 3005, category: 3, name: 'User Access Management', activities: { assign: 1, revoke: 2 } },
  group_management: {
    uid: 3006,
    category: 3,
    name: 'Group Management',
    activities: { assign: 1, revoke: 2, add_user: 3, remove_user: 4, delete: 5, create: 6 },
  },
  network_activity: {
    uid: 4001,
    category: 4,
    name: 'Network Activity',
    activities: { open: 1, close: 2, reset: 3, fail: 4, refuse: 5, traffic: 6 },
  },
  http_activity: {
    uid: 4002,
    category: 4,
    name: 'HTTP Activity',
    activities: { connect: 1, delete: 2, get: 3, head: 4, options: 5, post: 6, put: 7, trace: 8, patch: 9 },
  },
  email_activity: { uid: 4009, category: 4, name: 'Email Activity', activities: { send: 1, receive: 2, scan: 3 } },
  detection_finding: {
    uid: 2004,
    category: 2,
    name: 'Detection Finding',
    activities: { create: 1, update: 2, close: 3 },
  },
  api_activity: { uid: 6003, category: 6, name: 'API Activity', activities: crud },
  datastore_activity: {
    uid: 6005,
    category: 6,
    name: 'Datastore Activity',
    activities: { read: 1, update: 2, connect: 3, query: 4, write: 5, create: 6, delete: 7 },
  },
  file_hosting: {
    uid: 6006,
    category: 6,
    name: 'File Hosting Activity',
    activities: {
      upload: 1,
      download: 2,
      update: 3,
      delete: 4,
      rename: 5,
      copy: 6,
      move: 7,
      restore: 8,
      preview: 9,
      lock: 10,
      unlock: 11,
      share: 12,
      unshare: 13,
      open: 14,
    },
  },
} as const satisfies Record<string, OcsfClass>;

export type OcsfClassName = keyof typeof OCSF_CLASSES;

export const OCSF_ACTIVITY_OTHER = 99;
const STATUS_IDS: Readonly<Record<string, number>> = { Success: 1, Failure: 2 };

/** The numbers of a class and activity; an activity that the class doesn't know is "other". */
export function ocsfNumbers(name: OcsfClassName, activity: string): Record<string, unknown> {
  const found: OcsfClass = OCSF_CLASSES[name];
  const activityId = found.activities[activity] ?? OCSF_ACTIVITY_OTHER;
  return {
    class_uid: found.uid,
    class_name: found.name,
    category_uid: found.category,
    activity_id: activityId,
    activity_name: activity,
    type_uid: found.uid * 100 + activityId,
  };
}

/** `status_id` for a status text; 0 is unknown, 99 another. */
export function ocsfStatusId(status: unknown): number {
  if (typeof status !== 'string') return 0;
  return STATUS_IDS[status] ?? OCSF_ACTIVITY_OTHER;
}

const SEVERITY_IDS: Readonly<Record<string, number>> = {
  informational: 1,
  info: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
  fatal: 6,
};

/** `severity_id` for a severity text; what a vendor doesn't rate is informational. */
export function ocsfSeverityId(severity: unknown): number {
  if (typeof severity !== 'string') return 1;
  return SEVERITY_IDS[severity.toLowerCase()] ?? OCSF_ACTIVITY_OTHER;
}
