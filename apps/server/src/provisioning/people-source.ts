import type { Identity } from '@cordon/identity';
import type { Actor } from '@cordon/kernel';
import type { PeopleSource } from '@cordon/lifecycle';

const SYSTEM: Actor = { kind: 'system', name: 'provisioning' };

/** Who is in which group, as provisioning asks it of identity. */
export function createPeopleSource(identity: Identity): PeopleSource {
  return {
    membersOf: (groups) => identity.groups.membersOf(SYSTEM, groups),
    groups: (ids) => identity.groups.withMembers(SYSTEM, ids),
  };
}
