import type { Clock } from '@cordon/kernel';
import { answerValue, formSchema, LANGUAGES, type Vendors } from '@cordon/vendors';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import { createPortalRate } from './portal-rate.ts';
import { commentBody, progressBody, proposalBody, storedAnswerBody, uploadBody, uploadOf } from './vendor-bodies.ts';

export interface PortalRouteDeps {
  readonly clock: Clock;
  readonly vendors: Vendors;
}

const tags = ['portal'];
/** Anyone may call; the link's token or the session that it gave decides. */
const config = { public: true } as const;
const SESSION_HEADER = 'x-portal-session';
const ENTER_PER_MINUTE_MAX = 30;
const WORK_PER_MINUTE_MAX = 600;
const FILE_BODY_BYTES_MAX = 14 * 1024 * 1024;

const token = z.strictObject({ token: z.string().max(200) });
const nothing = z.null();
const portalFile = z.object({ id: z.string(), name: z.string(), bytes: z.int() });
const portalBody = z.object({
  title: z.string(),
  state: z.enum(['draft', 'sent', 'submitted', 'reviewed']),
  dueAt: z.int().nullable(),
  email: z.string(),
  language: z.enum(LANGUAGES),
  isDelegate: z.boolean(),
  sections: formSchema.shape.sections,
  visible: z.array(z.string()),
  answers: z.array(storedAnswerBody),
  progress: progressBody,
  comments: z.array(commentBody),
  proposals: z.array(proposalBody),
  files: z.array(portalFile),
});

const sessionOf = (request: FastifyRequest): unknown => request.headers[SESSION_HEADER];

/** The rates are made with the first request: registering routes must not look at the clock. */
function createGuards(deps: PortalRouteDeps) {
  let rates: { enter: (address: string) => void; work: (address: string) => void } | null = null;
  const made = () =>
    (rates ??= {
      enter: createPortalRate(() => deps.clock.now(), ENTER_PER_MINUTE_MAX),
      work: createPortalRate(() => deps.clock.now(), WORK_PER_MINUTE_MAX),
    });
  return {
    enter: async (request: FastifyRequest): Promise<void> => made().enter(request.ip),
    work: async (request: FastifyRequest): Promise<void> => made().work(request.ip),
  };
}

type Guards = ReturnType<typeof createGuards>;

function addEntrance(server: ApiServer, deps: PortalRouteDeps, { enter: onRequest }: Guards): void {
  const look = z.object({
    title: z.string(),
    leadsTo: z.enum(['questionnaire', 'findings']),
    email: z.string(),
    language: z.enum(LANGUAGES),
    expiresAt: z.int(),
  });
  server.post(
    '/api/v1/portal/look',
    { config, onRequest, schema: { tags, body: token, response: { 200: look } } },
    async (request) => deps.vendors.portal.look(request.body.token),
  );
  server.post(
    '/api/v1/portal/code',
    { config, onRequest, schema: { tags, body: token, response: { 204: nothing } } },
    async (request, reply) => {
      await deps.vendors.portal.sendCode(request.body.token);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/portal/session',
    {
      config,
      onRequest,
      schema: {
        tags,
        body: token.extend({ code: z.string().regex(/^\d{6}$/, 'six digits') }),
        response: { 200: z.object({ session: z.string(), expiresAt: z.int() }) },
      },
    },
    async (request) => deps.vendors.portal.enter(request.body.token, request.body.code),
  );
}

function addAnswering(server: ApiServer, deps: PortalRouteDeps, { work: onRequest }: Guards): void {
  server.get(
    '/api/v1/portal/questionnaire',
    { config, onRequest, schema: { tags, response: { 200: portalBody } } },
    async (request) => {
      const { progress, ...rest } = await deps.vendors.portal.read(sessionOf(request));
      return { ...rest, progress: { ...progress, open: [...progress.open] } };
    },
  );
  server.put(
    '/api/v1/portal/answers/:questionId',
    {
      config,
      onRequest,
      schema: {
        tags,
        params: z.object({ questionId: z.string().min(1).max(60) }),
        body: answerValue,
        response: { 200: z.object({ progress: progressBody, visible: z.array(z.string()) }) },
      },
    },
    async (request) => {
      const { progress, visible } = await deps.vendors.portal.answer(
        sessionOf(request),
        request.params.questionId,
        request.body,
      );
      return { progress: { ...progress, open: [...progress.open] }, visible };
    },
  );
  server.post(
    '/api/v1/portal/files',
    {
      config,
      onRequest,
      bodyLimit: FILE_BODY_BYTES_MAX,
      schema: { tags, body: uploadBody, response: { 201: portalFile } },
    },
    async (request, reply) =>
      reply.status(201).send(await deps.vendors.portal.attach(sessionOf(request), uploadOf(request.body))),
  );
  server.post(
    '/api/v1/portal/comments',
    {
      config,
      onRequest,
      schema: {
        tags,
        body: z.strictObject({ questionId: z.string().max(60), text: z.string().min(1).max(4_000) }),
        response: { 201: commentBody },
      },
    },
    async (request, reply) => {
      const { questionId, text } = request.body;
      return reply.status(201).send(await deps.vendors.portal.comment(sessionOf(request), questionId, text));
    },
  );
  server.post(
    '/api/v1/portal/delegates',
    {
      config,
      onRequest,
      schema: {
        tags,
        body: z.strictObject({
          email: z.email().max(254),
          questions: z.array(z.string().max(60)).max(2_000).nullable().default(null),
        }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await deps.vendors.portal.delegate(sessionOf(request), request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/portal/submit',
    { config, onRequest, schema: { tags, response: { 204: nothing } } },
    async (request, reply) => {
      await deps.vendors.portal.submit(sessionOf(request));
      return reply.status(204).send(null);
    },
  );
}

/** The portal of people without an account. */
export function addPortalRoutes(server: ApiServer, deps: PortalRouteDeps): void {
  const guards = createGuards(deps);
  addEntrance(server, deps, guards);
  addAnswering(server, deps, guards);
}
