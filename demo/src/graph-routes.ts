import { z } from 'zod';
import type { GraphSeed, GraphUser } from './seeds/microsoft-seed.ts';
import type { ExtraRoutes } from './vendor-shim.ts';

const PAGE_DEFAULT = 10;
const PAGE_MAX = 999;

const mailSchema = z.object({ message: z.object({ subject: z.string().optional() }) });

const notFound = (id: string) => ({
  status: 404,
  body: { error: { code: 'Request_ResourceNotFound', message: `Resource '${id}' does not exist.` } },
});

function select(user: GraphUser, fields: string | null): Record<string, unknown> {
  if (fields === null) return { ...user };
  const wanted = new Set(['id', ...fields.split(',')]);
  return Object.fromEntries(Object.entries(user).filter(([key]) => wanted.has(key)));
}

function listUsers(origin: string, seed: GraphSeed, url: URL): { status: number; body: unknown } {
  const size = Math.min(Math.max(Number(url.searchParams.get('$top') ?? PAGE_DEFAULT) || PAGE_DEFAULT, 1), PAGE_MAX);
  const start = Number(url.searchParams.get('$skiptoken') ?? 0) || 0;
  const fields = url.searchParams.get('$select');
  const value = seed.users.slice(start, start + size).map((user) => select(user, fields));
  const next = new URL(`${origin}/v1.0/users`);
  next.searchParams.set('$top', String(size));
  if (fields !== null) next.searchParams.set('$select', fields);
  next.searchParams.set('$skiptoken', String(start + size));
  return {
    status: 200,
    body: {
      '@odata.context': `${origin}/v1.0/$metadata#users`,
      ...(start + size < seed.users.length ? { '@odata.nextLink': next.href } : {}),
      value,
    },
  };
}

/**
 * The part of Microsoft Graph that the emulator lacks: the list of users with `@odata.nextLink`, users by id, mail.
 * Forms after the public reference of Microsoft Graph v1.0.
 */
export function graphRoutes(seed: GraphSeed): (origin: string) => ExtraRoutes {
  return (origin) =>
    ({ method, url, body }) => {
      if (method === 'GET' && url.pathname === '/v1.0/users') return listUsers(origin, seed, url);
      const match = /^\/v1\.0\/(?:me|users\/([^/]+))(\/messages|\/sendMail)?$/.exec(url.pathname);
      if (!match) return undefined;
      const id = match[1] === undefined ? seed.users[0]?.id : decodeURIComponent(match[1]);
      const user = seed.users.find((each) => each.id === id || each.userPrincipalName === id);
      if (!user) return notFound(id ?? 'me');
      if (method === 'GET' && match[2] === undefined)
        return { status: 200, body: select(user, url.searchParams.get('$select')) };
      if (method === 'GET' && match[2] === '/messages')
        return { status: 200, body: { value: seed.messages[user.id] ?? [] } };
      if (method === 'POST' && match[2] === '/sendMail') return sendMail(body);
      return undefined;
    };
}

function sendMail(body: Buffer): { status: number; body?: unknown } {
  try {
    mailSchema.parse(JSON.parse(body.toString('utf8')));
    return { status: 202 };
  } catch {
    return { status: 400, body: { error: { code: 'ErrorInvalidRequest', message: 'The message is not valid.' } } };
  }
}
