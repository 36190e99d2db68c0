import { portalReply } from '@cordon/vendors';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import { plain, portalFindingsBody } from './assurance-bodies.ts';
import type { AssuranceRouteDeps } from './attestation-routes.ts';
import { idParameter } from './estate-bodies.ts';
import { createPortalRate } from './portal-rate.ts';
import { uploadBody, uploadOf } from './vendor-bodies.ts';

const tags = ['portal'];
/** Anyone may call; the session that a link and a mail code gave decides. */
const config = { public: true } as const;
const SESSION_HEADER = 'x-portal-session';
const WORK_PER_MINUTE_MAX = 300;
const FILE_BODY_BYTES_MAX = 14 * 1024 * 1024;
const nothing = z.null();

const sessionOf = (request: FastifyRequest): unknown => request.headers[SESSION_HEADER];

/** A vendor's own open findings, for people without an account. The entrance is the questionnaires'. */
export function addFindingPortalRoutes(server: ApiServer, { clock, assurance }: AssuranceRouteDeps): void {
  // Made with the first request: registering routes must not look at the clock, nor at what it is given.
  let rate: ((address: string) => void) | null = null;
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    rate ??= createPortalRate(() => clock.now(), WORK_PER_MINUTE_MAX);
    rate(request.ip);
  };
  server.get(
    '/api/v1/portal/findings',
    { config, onRequest, schema: { tags, response: { 200: portalFindingsBody } } },
    async (request) => plain(await assurance.findingPortal.read(sessionOf(request))),
  );
  server.post(
    '/api/v1/portal/findings/:id/replies',
    { config, onRequest, schema: { tags, params: idParameter, body: portalReply, response: { 204: nothing } } },
    async (request, reply) => {
      await assurance.findingPortal.reply(sessionOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/portal/findings/:id/files',
    {
      config,
      onRequest,
      bodyLimit: FILE_BODY_BYTES_MAX,
      schema: {
        tags,
        params: idParameter,
        body: uploadBody,
        response: { 201: z.object({ name: z.string(), bytes: z.int() }) },
      },
    },
    async (request, reply) => {
      const file = uploadOf(request.body);
      return reply.status(201).send(await assurance.findingPortal.attach(sessionOf(request), request.params.id, file));
    },
  );
}
