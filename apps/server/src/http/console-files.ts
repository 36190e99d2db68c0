import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { RouteUnknown } from './access.ts';
import type { ApiServer } from './api-type.ts';

const FOLDER = fileURLToPath(new URL('../../../console/dist/', import.meta.url));
const ASSET_AGE_S = 31_536_000;
const API = /^\/(api|internal|oauth|sso|scim|\.well-known)\//;

/** The built console; every path that is no file is the console's own route. */
export async function addConsole(server: ApiServer): Promise<void> {
  if (!existsSync(FOLDER)) {
    server.log.warn('the console is not built; run: npm run build -w apps/console');
    return;
  }
  await server.register(fastifyStatic, {
    root: FOLDER,
    prefix: '/assets/',
    decorateReply: true,
    serve: false,
  });
  server.get('/assets/*', { config: { public: true }, schema: { hide: true } }, async (request, reply) => {
    // Vite names assets by their content, so a browser never needs to ask again.
    reply.header('cache-control', `public, max-age=${ASSET_AGE_S}, immutable`);
    return reply.sendFile((request.params as { '*': string })['*'], `${FOLDER}assets`); // a wildcard route has '*'
  });
  server.get('/*', { config: { public: true }, schema: { hide: true } }, async (request, reply) => {
    if (API.test(request.url))
      throw new RouteUnknown(`There is nothing at ${request.method} ${request.url.split('?')[0]}.`);
    return reply.sendFile('index.html', FOLDER);
  });
}
