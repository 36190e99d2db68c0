import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import { type Clock, type ErrorTable, type Logger, ruleFor, toProblem } from '@cordon/kernel';
import { type FastifyError, fastify, LogController } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import {
  addAccessGate,
  type Authenticate,
  httpErrors,
  RequestInvalid,
  RequestRefused,
  RouteUnknown,
  type RouteRow,
} from './access.ts';
import type { ApiServer } from './api-type.ts';

export const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_MS_MAX = 60_000;
const HEADERS_MS_MAX = 10_000;
const HEADER_BYTES_MAX = 32 * 1024;

export interface ApiServerOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly authenticate: Authenticate;
  readonly errorTables: readonly ErrorTable[];
  /** Requests that another handler answers: the OAuth server's paths. */
  readonly divert?: { readonly matches: (path: string) => boolean; readonly handle: RequestListener };
  readonly publicUrl: string;
}

/** Text, images and scripts only from ourselves; no frames; styles inline because Cloudscape sets them so. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function translate(error: unknown): unknown {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const fields = error.validation.map((problem) => ({
      field: `${error.validationContext ?? 'body'}${problem.instancePath.replaceAll('/', '.')}`,
      message: problem.message ?? 'not valid',
    }));
    const text = fields.map(({ field, message }) => `${field}: ${message}`).join('; ');
    return new RequestInvalid(`Not valid: ${text}`, { fields }, error);
  }
  if (error instanceof Error && 'statusCode' in error) {
    const { statusCode, message } = error as FastifyError; // Fastify's own errors carry a status
    if (statusCode === 413) return new RequestRefused('The request body is too large.', {}, error);
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
      return new RequestInvalid(message, {}, error);
  }
  return error;
}

function addErrors(server: ApiServer, tables: readonly ErrorTable[]): void {
  server.setErrorHandler(async (raw, request, reply) => {
    const error = translate(raw);
    const rule = ruleFor(error, tables);
    request.log[rule.level]({ err: error, requestId: request.id }, 'request refused');
    const problem = toProblem(error, tables, request.id);
    await reply.status(problem.status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
  });
  server.setNotFoundHandler({}, async (request) => {
    throw new RouteUnknown(`There is nothing at ${request.method} ${request.url.split('?')[0]}.`);
  });
}

/** Fastify with the access gate, problem details, security headers and an OpenAPI document made from the schemas. */
export async function createApiServer(options: ApiServerOptions): Promise<{ server: ApiServer; routes: RouteRow[] }> {
  const { divert } = options;
  const tables = [httpErrors, ...options.errorTables];
  const server: ApiServer = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 200 },
    serverFactory: (handler) => {
      const listener: RequestListener = (request, response) => {
        const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
        if (divert?.matches(path)) divert.handle(request, response);
        else handler(request, response);
      };
      // Fastify sets no timeouts on a server that it didn't make itself.
      const times = { headersTimeout: HEADERS_MS_MAX, requestTimeout: REQUEST_MS_MAX };
      return createServer({ ...times, maxHeaderSize: HEADER_BYTES_MAX }, listener);
    },
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  addErrors(server, tables);
  const secure = options.publicUrl.startsWith('https://');
  server.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cross-origin-opener-policy', 'same-origin');
    if (secure) reply.header('strict-transport-security', 'max-age=31536000');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  await server.register(cookie);
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Cordon', version: '1', description: 'The integration security perimeter.' },
      servers: [{ url: options.publicUrl }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  const routes = addAccessGate(server, options);
  server.get(
    '/api/v1/openapi.json',
    { config: { public: true }, schema: { hide: true } },
    async () => server.swagger() as unknown, // a plain JSON document
  );
  return { server, routes };
}
