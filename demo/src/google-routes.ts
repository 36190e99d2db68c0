import { z } from 'zod';
import type { ExtraRoutes } from './vendor-shim.ts';

const permissionSchema = z.object({
  type: z.enum(['user', 'group', 'domain', 'anyone']),
  role: z.enum(['owner', 'organizer', 'fileOrganizer', 'writer', 'commenter', 'reader']),
  emailAddress: z.string().optional(),
});

/** The emulator has no sharing: Drive's `permissions.create`, after the public reference of Drive v3. */
export function googleRoutes(): () => ExtraRoutes {
  return () =>
    ({ method, url, body }) => {
      if (method !== 'POST' || !/^\/drive\/v3\/files\/[^/]+\/permissions$/.test(url.pathname)) return undefined;
      try {
        const { type, role } = permissionSchema.parse(JSON.parse(body.toString('utf8')));
        return {
          status: 200,
          body: { kind: 'drive#permission', id: 'anyoneWithLink', type, role, allowFileDiscovery: false },
        };
      } catch {
        return {
          status: 400,
          body: { error: { code: 400, message: 'The permission type field is required.', status: 'INVALID_ARGUMENT' } },
        };
      }
    };
}
