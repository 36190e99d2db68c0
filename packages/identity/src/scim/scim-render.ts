import { isoTime } from '../schemas.ts';
import { ScimRefused } from './scim-error.ts';
import { isRecord, type Resource } from './scim-read.ts';
import type { ResourceType } from './scim-schema.ts';
import type { Membership, StoredResource } from './scim-store.ts';

export const SCIM_PATH = '/scim/v2';

export function etagOf(stored: Pick<StoredResource, 'version'>): string {
  return `W/"${stored.version}"`;
}

export function locationOf(publicUrl: string, type: ResourceType, id: string): string {
  return `${publicUrl}${SCIM_PATH}${type.endpoint}/${id}`;
}

/** A resource as a client sees it: what it gave, and what Cordon adds. */
export function renderResource(
  publicUrl: string,
  type: ResourceType,
  stored: StoredResource,
  memberships: readonly Membership[],
): Resource {
  const extensions = type.extensions.map((one) => one.id).filter((id) => isRecord(stored.attributes[id]));
  return {
    schemas: [type.core.id, ...extensions],
    id: stored.id,
    ...stored.attributes,
    ...renderMemberships(publicUrl, type, memberships),
    meta: {
      resourceType: type.name,
      created: isoTime(stored.createdAt),
      lastModified: isoTime(stored.updatedAt),
      location: locationOf(publicUrl, type, stored.id),
      version: etagOf(stored),
    },
  };
}

function renderMemberships(publicUrl: string, type: ResourceType, memberships: readonly Membership[]): Resource {
  if (memberships.length === 0) return {};
  if (type.name === 'User') {
    const groups = memberships.map(({ groupId, groupName }) => ({
      value: groupId,
      $ref: `${publicUrl}${SCIM_PATH}/Groups/${groupId}`,
      display: groupName,
      type: 'direct',
    }));
    return { groups };
  }
  const members = memberships.map(({ userId, userName }) => ({
    value: userId,
    $ref: `${publicUrl}${SCIM_PATH}/Users/${userId}`,
    display: userName,
    type: 'User',
  }));
  return { members };
}

/** If-Match (RFC 7644, section 3.14): the change applies to the version that the client has seen, or not at all. */
export function checkIfMatch(header: string | undefined, stored: StoredResource): void {
  if (header === undefined || header.trim() === '*') return;
  const wanted = header.split(',').map((one) => one.trim());
  if (!wanted.includes(etagOf(stored))) {
    throw new ScimRefused(412, `The resource was changed since; it is at version ${etagOf(stored)} now.`);
  }
}
