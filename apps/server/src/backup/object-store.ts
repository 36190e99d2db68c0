import { setTimeout } from 'node:timers/promises';
import { createFolderStore, createS3Store, type ObjectStore } from '@cordon/backup';
import { signAws } from '@cordon/gateway';
import { type Clock, ConfigInvalid } from '@cordon/kernel';
import type { RoleConfig } from '../supervisor/role-config.ts';

/** The store that `OBJECTS_URL` names. */
export function createObjectStore(objects: RoleConfig['objects'], clock: Clock): ObjectStore {
  if (objects.url.startsWith('file:')) return createFolderStore(objects.url.replace(/^file:(?:\/\/(?=\/))?/, ''));
  const { hostname: bucket, pathname } = new URL(objects.url);
  const { accessKeyId, secretAccessKey, region } = objects;
  if (accessKeyId === '' || secretAccessKey === '') {
    throw new ConfigInvalid('A store s3:// needs OBJECTS_ACCESS_KEY_ID and OBJECTS_SECRET_ACCESS_KEY.');
  }
  return createS3Store({
    settings: {
      endpoint: objects.endpoint,
      region,
      bucket,
      prefix: pathname.replace(/^\/+|\/+$/g, ''),
      lock: objects.lock === 'none' ? null : objects.lock === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE',
    },
    sign: ({ now, ...request }) =>
      signAws(request, { accessKeyId, secretAccessKey }, { region, service: 's3', now, literalPath: true }),
    clock,
    pause: (ms) => setTimeout(ms),
  });
}
