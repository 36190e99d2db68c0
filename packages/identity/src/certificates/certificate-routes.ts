import { IntegrationId } from '@cordon/kernel';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import type { ClientCertificate } from './certificate-store.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, nameSchema } from '../schemas.ts';

const tags = ['certificates'];
const integrationId = z.uuid().transform((value) => IntegrationId.parse(value));

const certificateResponse = z
  .object({
    id: z.string(),
    clientId: z.string(),
    integrationId: z.string(),
    serial: z.string(),
    /** RFC 8705: what tokens are bound to. */
    thumbprint: z.string(),
    uri: z.string(),
    issuedAt: z.string(),
    endsAt: z.string(),
    issuedBy: z.enum(['enrolment', 'renewal']),
    status: z.enum(['live', 'over', 'revoked']),
    revokedAt: z.string().nullable(),
    revokedReason: z.string().nullable(),
  })
  .meta({ id: 'ClientCertificate' });

function show(certificate: ClientCertificate, now: number): z.output<typeof certificateResponse> {
  const { id, clientId, serial, thumbprint, uri, issuedBy, revokedReason, revokedAt, endsAt } = certificate;
  return {
    id,
    clientId,
    integrationId: certificate.integrationId,
    serial,
    thumbprint,
    uri,
    issuedBy,
    revokedReason,
    issuedAt: isoTime(certificate.issuedAt),
    endsAt: isoTime(endsAt),
    revokedAt: isoTimeOrNull(revokedAt),
    status: revokedAt !== null ? 'revoked' : endsAt <= now ? 'over' : 'live',
  };
}

/** Certificates of the built-in authority, for those who answer for an integration. */
export function certificateRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { certificates } = identity;
  return async (app) => {
    app.get(
      '/api/v1/certificates',
      {
        config: { permission: 'integration.read' },
        schema: {
          tags,
          summary: 'Certificates that were issued to an integration, newest first',
          querystring: z.object({ integrationId }),
          response: { 200: z.object({ items: z.array(certificateResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const now = identity.clock.now();
        const items = await certificates.list(actor, request.query.integrationId);
        return {
          items: items.map((one) => show(one, now)),
        };
      },
    );

    app.post(
      '/api/v1/certificates/enrolments',
      {
        config: { permission: 'integration.credential' },
        schema: {
          tags,
          summary: 'A one-time code with which a workload gets its first certificate; shown once, good for an hour',
          body: z.strictObject({ integrationId, name: nameSchema }),
          response: {
            201: z.object({ code: z.string(), expiresAt: z.string(), enrolmentEndpoint: z.string() }),
          },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { code, expiresAt } = await certificates.createEnrolment(actor, request.body);
        return reply
          .status(201)
          .send({ code, expiresAt: isoTime(expiresAt), enrolmentEndpoint: identity.enrolmentEndpoint });
      },
    );

    app.post(
      '/api/v1/certificates/:id/revoke',
      {
        config: { permission: 'integration.revoke' },
        schema: {
          tags,
          summary: 'End a certificate and every token of its client',
          params: z.object({ id: z.uuid() }),
          body: z.strictObject({ reason: z.string().trim().min(3).max(2_000) }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await certificates.revoke(actor, request.params.id, request.body.reason);
        return reply.status(204).send(null);
      },
    );
  };
}
