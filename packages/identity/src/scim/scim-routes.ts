import { type Actor, CordonError } from '@cordon/kernel';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../identity.ts';
import { runBulk } from './scim-bulk.ts';
import { createDiscovery, type Discovery, SCIM_BODY_BYTES_MAX } from './scim-discovery.ts';
import type { Answer } from './scim-directory.ts';
import { ScimRefused } from './scim-error.ts';
import { readListQuery } from './scim-list.ts';
import { readOperations } from './scim-patch.ts';
import { readProjection } from './scim-projection.ts';
import { isRecord } from './scim-read.ts';
import { SCIM_PATH } from './scim-render.ts';
import type { Kind } from './scim-store.ts';

const SCIM_JSON = 'application/scim+json; charset=utf-8';
/** The gate leaves these to the bearer check below: a directory has neither a session nor an API token. */
const open = { config: { public: true }, schema: { hide: true } } as const;

/**
 * The SCIM 2.0 server (RFC 7643, 7644, 9865) below `/scim/v2`, for a corporate directory with a SCIM token. Register it
 * beside `identityRoutes`; it brings its own bearer check, body parser and error form.
 */
export function scimRoutes(identity: Identity): FastifyPluginAsync {
  return async (app) => {
    await app.register(async (scope) => {
      prepare(scope, identity);
      addDiscovery(scope, identity);
      addResources(scope, identity, 'User');
      addResources(scope, identity, 'Group');
      addBulk(scope, identity);
    });
  };
}

/** Bearer check before the body is read, SCIM's media type in and out, SCIM's error form. */
function prepare(app: FastifyInstance, identity: Identity): void {
  // Handlers parse with SCIM's own rules; the server's compilers are for JSON schemas of /api.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: SCIM_BODY_BYTES_MAX }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(String(text)));
    } catch {
      done(new ScimRefused(400, 'The body is not JSON.', 'invalidSyntax'));
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('content-type', SCIM_JSON);
    await actorOf(identity, request);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const refused = toRefusal(error);
    if (refused.status >= 500) request.log.error({ err: error }, 'a SCIM request failed');
    if (refused.status === 401) reply.header('www-authenticate', 'Bearer realm="scim"');
    await reply.status(refused.status).header('content-type', SCIM_JSON).send(JSON.stringify(refused.toBody()));
  });
}

function toRefusal(error: unknown): ScimRefused {
  if (error instanceof ScimRefused) return error;
  if (error instanceof CordonError && error.code === 'identity.owner_needed')
    return new ScimRefused(409, error.message);
  if (!(error instanceof Error)) return new ScimRefused(500, 'Something went wrong.');
  // Two requests that took one userName at the same time: the database decided.
  if ('code' in error && error.code === '23505') return new ScimRefused(409, 'This is taken already.', 'uniqueness');
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  return status >= 400 && status < 500
    ? new ScimRefused(status, error.message)
    : new ScimRefused(500, 'Something went wrong.');
}

const actors = new WeakMap<FastifyRequest, Actor>();

async function actorOf(identity: Identity, request: FastifyRequest): Promise<Actor> {
  const known = actors.get(request);
  if (known) return known;
  const token = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  const actor = token === undefined ? null : await identity.scimTokens.resolve(token);
  if (!actor) throw new ScimRefused(401, 'Send a SCIM token as a bearer.');
  actors.set(request, actor);
  return actor;
}

function parameter(request: FastifyRequest, name: string): string {
  const params: unknown = request.params;
  const value = isRecord(params) ? params[name] : undefined;
  return typeof value === 'string' ? value : '';
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Directories differ in whether a path ends with a slash; a server that ignores it has both from the first. */
function both(app: FastifyInstance, method: 'GET' | 'POST', url: string, handler: Handler): void {
  app.route({ method, url, ...open, handler });
  try {
    app.route({ method, url: `${url}/`, ...open, handler });
  } catch (error) {
    const known = error instanceof Error && 'code' in error && error.code === 'FST_ERR_DUPLICATED_ROUTE';
    if (!known) throw error;
  }
}

function addDiscovery(app: FastifyInstance, identity: Identity): void {
  // Made at the first request: registering routes must not need a configured identity (the API document has none).
  let made: Discovery | null = null;
  const discovery = (): Discovery => {
    const { User, Group } = identity.directory.types;
    made ??= createDiscovery(identity.publicUrl, [User, Group]);
    return made;
  };
  const one = (kind: string, found: Record<string, unknown> | undefined): Record<string, unknown> => {
    if (!found) throw new ScimRefused(404, `There is no such ${kind}.`);
    return found;
  };
  const list = (pick: (from: Discovery) => Record<string, unknown>) => (request: FastifyRequest) => {
    // RFC 7644, section 4: a filter here must be refused, not ignored.
    if (isRecord(request.query) && 'filter' in request.query) throw new ScimRefused(403, 'This can’t be filtered.');
    return pick(discovery());
  };
  both(app, 'GET', `${SCIM_PATH}/ServiceProviderConfig`, () => discovery().config);
  both(
    app,
    'GET',
    `${SCIM_PATH}/ResourceTypes`,
    list((from) => from.types),
  );
  both(
    app,
    'GET',
    `${SCIM_PATH}/Schemas`,
    list((from) => from.schemas),
  );
  app.get(`${SCIM_PATH}/ResourceTypes/:name`, open, (request) =>
    one('resource type', discovery().type(parameter(request, 'name'))),
  );
  app.get(`${SCIM_PATH}/Schemas/:name`, open, (request) =>
    one('schema', discovery().schema(parameter(request, 'name'))),
  );
}

function sendAnswer(reply: FastifyReply, answer: Answer, status = 200): FastifyReply {
  const meta = answer.resource['meta'];
  const location = isRecord(meta) && typeof meta['location'] === 'string' ? meta['location'] : undefined;
  if (location !== undefined) reply.header('location', location);
  return reply.status(status).header('etag', answer.etag).send(answer.resource);
}

function addResources(app: FastifyInstance, identity: Identity, kind: Kind): void {
  const { directory } = identity;
  const base = `${SCIM_PATH}/${kind}s`;
  const projection = (request: FastifyRequest) => readProjection(directory.types[kind], readListQuery(request.query));
  /** The answer to a change, with what the client asked to be given of it. */
  const changed = async (request: FastifyRequest, reply: FastifyReply, answer: Answer, status: number) => {
    const query = readListQuery(request.query);
    if (query.attributes === undefined && query.excludedAttributes === undefined)
      return sendAnswer(reply, answer, status);
    return sendAnswer(reply, await directory.get(kind, String(answer.resource['id']), projection(request)), status);
  };

  both(app, 'GET', base, (request) => directory.list(kind, readListQuery(request.query)));
  app.post(`${base}/.search`, open, (request) => directory.list(kind, readListQuery(request.body)));
  both(app, 'POST', base, async (request, reply) =>
    changed(request, reply, await directory.create(await actorOf(identity, request), kind, request.body), 201),
  );
  app.get(`${base}/:id`, open, async (request, reply) => {
    const answer = await directory.get(kind, parameter(request, 'id'), projection(request));
    if (request.headers['if-none-match'] === answer.etag) return reply.status(304).header('etag', answer.etag).send();
    return sendAnswer(reply, answer);
  });
  app.put(`${base}/:id`, open, async (request, reply) => {
    const actor = await actorOf(identity, request);
    const id = parameter(request, 'id');
    const done = await directory.replace(actor, kind, id, request.body, request.headers['if-match']);
    return changed(request, reply, done, 200);
  });
  app.patch(`${base}/:id`, open, async (request, reply) => {
    const actor = await actorOf(identity, request);
    const id = parameter(request, 'id');
    const done = await directory.patch(actor, kind, id, readOperations(request.body), request.headers['if-match']);
    // RFC 7644, section 3.5.2: 204 will do, unless attributes were asked for. Members of a large group stay unsent.
    if (readListQuery(request.query).attributes !== undefined) return changed(request, reply, done, 200);
    return reply.status(204).header('etag', done.etag).send();
  });
  app.delete(`${base}/:id`, open, async (request, reply) => {
    const actor = await actorOf(identity, request);
    await directory.remove(actor, kind, parameter(request, 'id'), request.headers['if-match']);
    return reply.status(204).send();
  });
}

function addBulk(app: FastifyInstance, identity: Identity): void {
  both(app, 'POST', `${SCIM_PATH}/Bulk`, async (request) =>
    runBulk(identity.directory, await actorOf(identity, request), identity.publicUrl, request.body),
  );
  // RFC 7644, section 3.11: a token of a directory is no person.
  both(app, 'GET', `${SCIM_PATH}/Me`, () => {
    throw new ScimRefused(501, 'A SCIM token stands for no person.');
  });
}
