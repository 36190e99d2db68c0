import { AccessDenied, StepUpRequired } from './errors.ts';

export const ROLES = ['owner', 'security', 'developer', 'app-owner', 'responder', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts. Everything that someone may see or do follows from this, never from an id in a request. */
export type Actor =
  | {
      readonly kind: 'person';
      readonly id: string;
      readonly name: string;
      readonly roles: readonly Role[];
      /** When a strong factor was last shown, milliseconds since the epoch. */
      readonly strongAuthAt?: number;
    }
  | { readonly kind: 'client'; readonly id: string; readonly name: string; readonly roles: readonly Role[] }
  | { readonly kind: 'system'; readonly name: string };

/**
 * Every permission and the roles that hold it. This one table decides; routes and commands name a permission.
 * `OWN_ONLY` narrows some of it to objects that the actor owns.
 */
export const PERMISSIONS = {
  'session.self': ROLES,
  'person.read': ['owner', 'security', 'auditor'],
  'person.write': ['owner'],
  'person.suspend': ['owner', 'security', 'responder'],
  'elevation.decide': ROLES,
  'api-token.self': ROLES,
  'app.read': ROLES,
  'app.write': ['owner', 'security', 'app-owner'],
  'app.reach': ['owner', 'security'],
  'credential.write': ['owner', 'security', 'app-owner'],
  'integration.read': ROLES,
  'integration.write': ['owner', 'security', 'developer'],
  'integration.credential': ['owner', 'security', 'developer'],
  'integration.revoke': ['owner', 'security', 'responder', 'app-owner'],
  'integration.restore': ['owner', 'security'],
  'grant.read': ROLES,
  'grant.write': ['owner', 'security', 'app-owner'],
  'webhook.read': ROLES,
  'webhook.write': ['owner', 'security', 'app-owner'],
  'webhook.payload': ['owner', 'security', 'app-owner', 'responder'],
  'policy.read': ROLES,
  'policy.write': ['owner', 'security'],
  'event.read': ['owner', 'security', 'responder', 'auditor', 'developer', 'app-owner'],
  'alert.read': ['owner', 'security', 'responder', 'auditor'],
  'alert.write': ['owner', 'security', 'responder'],
  'detection.read': ['owner', 'security', 'responder', 'auditor'],
  'detection.write': ['owner', 'security'],
  'case.read': ['owner', 'security', 'responder', 'auditor'],
  'case.write': ['owner', 'security', 'responder'],
  'playbook.read': ['owner', 'security', 'responder', 'auditor'],
  'playbook.write': ['owner', 'security'],
  'playbook.run': ['owner', 'security', 'responder'],
  'playbook.approve': ['owner', 'security', 'responder'],
  'source.read': ['owner', 'security', 'responder', 'auditor'],
  'source.write': ['owner', 'security'],
  'vendor.read': ['owner', 'security', 'responder', 'auditor', 'app-owner'],
  'vendor.write': ['owner', 'security'],
  'audit.read': ['owner', 'security', 'auditor'],
  'map.read': ROLES,
  'discovery.read': ['owner', 'security', 'responder', 'auditor', 'app-owner'],
  'discovery.write': ['owner', 'security'],
  'discovery.decide': ['owner', 'security'],
  'discovery.answer': ROLES,
  'discovery.rotate': ['owner', 'security', 'responder'],
  'review.read': ['owner', 'security', 'auditor'],
  'review.write': ['owner', 'security'],
  'review.decide': ROLES,
  'graph.read': ['owner', 'security', 'responder', 'auditor', 'app-owner'],
  'graph.cut': ['owner', 'security', 'responder'],
  'access.read': ROLES,
  'access.apply': ['owner', 'security', 'app-owner'],
  'approval.read': ROLES,
  'approval.decide': ['owner', 'security', 'app-owner'],
  'lock.read': ['owner', 'security', 'responder', 'auditor'],
  'lock.write': ['owner', 'security', 'responder'],
  'apply.plan': ['owner', 'security', 'auditor'],
  'apply.write': ['owner', 'security'],
  'system.read': ['owner', 'security', 'auditor', 'responder'],
  'system.write': ['owner'],
  'scim.write': ['owner'],
  'sso.read': ['owner', 'security', 'auditor'],
  'sso.write': ['owner'],
  'data.read': ['owner', 'security', 'auditor', 'responder', 'app-owner'],
  'data.find': ['owner', 'security', 'responder'],
  'data.write': ['owner', 'security'],
  'data.label': ['owner', 'security', 'app-owner'],
  'data.label_approve': ['owner', 'security'],
  'retention.read': ['owner', 'security', 'auditor', 'app-owner'],
  'retention.write': ['owner', 'security'],
  'retention.approve': ['owner', 'security'],
  'dlp.read': ['owner', 'security', 'auditor', 'responder', 'app-owner'],
  'dlp.write': ['owner', 'security'],
  'dlp.decide': ['owner', 'security', 'app-owner'],
  'dlp.justify': ['owner', 'security', 'app-owner', 'developer'],
  'dlp.remedy': ['owner', 'security'],
  'dlp.reveal': ['owner', 'security'],
  'subject.read': ['owner', 'security', 'auditor'],
  'subject.write': ['owner', 'security'],
  'subject.approve': ['owner', 'security'],
  'subject.export': ['owner', 'security'],
  'connector.read': ['owner', 'security', 'responder', 'auditor', 'app-owner'],
  'connector.write': ['owner', 'security'],
  'connector.sync': ['owner', 'security', 'responder', 'app-owner'],
  'connector.act': ['owner', 'security', 'responder'],
  'connector.records': ['owner', 'security'],
  'drill.read': ROLES,
  'drill.join': ROLES,
  'drill.run': ['owner', 'security'],
  'drill.abort': ['owner', 'security', 'responder'],
  'backup.read': ['owner', 'security', 'responder', 'auditor', 'app-owner'],
  'backup.records': ['owner', 'security'],
  'backup.run': ['owner', 'security', 'responder'],
  'backup.restore': ['owner', 'security'],
  'backup.write': ['owner', 'security'],
  'backup.recovery': ['owner'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** Roles that use a permission only on what they own: the command, which knows the object, calls `authorizeOwn`. */
const OWN_ONLY: Readonly<Partial<Record<Permission, readonly Role[]>>> = {
  'integration.write': ['developer'],
  'integration.credential': ['developer'],
  'app.write': ['app-owner'],
  'credential.write': ['app-owner'],
  'grant.write': ['app-owner'],
  'webhook.write': ['app-owner'],
  'webhook.payload': ['app-owner'],
};

/** Privileged acts need a factor shown this recently. */
export const STEP_UP_AGE_MS_MAX = 15 * 60_000;

const STEP_UP: ReadonlySet<Permission> = new Set([
  'person.write',
  'person.suspend',
  'elevation.decide',
  'policy.write',
  'system.write',
  'sso.write',
  'data.label_approve',
  'retention.approve',
  'dlp.remedy',
  'dlp.reveal',
  'subject.approve',
  'subject.export',
  'approval.decide',
  'backup.restore',
  'backup.recovery',
  'playbook.approve',
  'discovery.decide',
  'review.decide',
]);

/** Held by every person, also without any role: what they may decide follows from what they answer for. */
const EVERYONE: ReadonlySet<Permission> = new Set(['session.self', 'elevation.decide']);

export function isAllowed(actor: Actor, permission: Permission): boolean {
  if (actor.kind === 'system') return true;
  // Whoever is signed in looks after their own sessions and factors, also without any role.
  if (EVERYONE.has(permission) && actor.kind === 'person') return true;
  const holders: readonly Role[] = PERMISSIONS[permission];
  return actor.roles.some((role) => holders.includes(role));
}

/** Throws `AccessDenied` when no role of the actor holds the permission. */
export function authorize(actor: Actor, permission: Permission): void {
  if (isAllowed(actor, permission)) return;
  throw new AccessDenied(
    `This needs the permission ${permission}, held by: ${PERMISSIONS[permission].join(', ')}. Ask an owner for the role.`,
    { permission },
  );
}

/** As `authorize`, for an object with an owner: roles that act only on their own are refused on others'. */
export function authorizeOwn(actor: Actor, permission: Permission, ownerId: string): void {
  authorize(actor, permission);
  if (actor.kind === 'system' || actor.id === ownerId) return;
  const holders: readonly Role[] = PERMISSIONS[permission];
  const own = OWN_ONLY[permission] ?? [];
  if (actor.roles.some((role) => holders.includes(role) && !own.includes(role))) return;
  const others = holders.filter((role) => !own.includes(role));
  throw new AccessDenied(
    `You may do this only to what you own. The permission ${permission} on others' is held by: ${others.join(', ')}.`,
    { permission },
  );
}

/** Throws `StepUpRequired` when a person does something privileged without a fresh strong factor. */
export function requireStepUp(actor: Actor, permission: Permission, now: number): void {
  if (actor.kind !== 'person' || !STEP_UP.has(permission)) return;
  if (actor.strongAuthAt !== undefined && now - actor.strongAuthAt <= STEP_UP_AGE_MS_MAX) return;
  throw new StepUpRequired('Confirm with your passkey or code, then try again.', { permission, step_up: true });
}

/** What the audit trail and events store of an actor. */
export function describeActor(actor: Actor): { kind: Actor['kind']; id: string | null; name: string } {
  return { kind: actor.kind, id: actor.kind === 'system' ? null : actor.id, name: actor.name };
}
