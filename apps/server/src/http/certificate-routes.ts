import type { Estate } from '@cordon/estate';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

const certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  notBefore: z.int(),
  notAfter: z.int(),
  keyType: z.string(),
  keyBits: z.int().nullable(),
  signature: z.string().nullable(),
  sha256: z.string(),
});

const upstreamCertificate = z.object({
  /** Host and port. */
  host: z.string(),
  /** The last connection that came about: the server's certificate first, then authorities. */
  seen: z
    .object({
      chain: z.array(certificate),
      protocol: z.string().nullable(),
      cipher: z.string().nullable(),
    })
    .nullable(),
  seenAt: z.int().nullable(),
  /** Why the gateways refused the last connection, when none came about since. */
  refused: z.string().nullable(),
  refusedAt: z.int().nullable(),
  /** What is wrong with it today. */
  problems: z.array(
    z.enum([
      'refused',
      'expired',
      'expires-within-week',
      'expires-within-month',
      'weak-key',
      'weak-signature',
      'no-forward-secrecy',
    ]),
  ),
});

/** Certificates and TLS of an app's upstreams, as gateways saw them when they connected. */
export function addCertificateRoutes(server: ApiServer, { estate }: { readonly estate: Estate }): void {
  server.get(
    '/api/v1/apps/:id/certificates',
    {
      config: { permission: 'app.read' },
      schema: {
        tags: ['apps'],
        params: idParameter,
        response: { 200: z.object({ items: z.array(upstreamCertificate) }) },
      },
    },
    async (request) => ({
      items: (await estate.certificates.list(actorOf(request), request.params.id)).map(
        ({ seen, problems, ...rest }) => ({
          ...rest,
          seen: seen && { chain: [...seen.chain], protocol: seen.protocol, cipher: seen.cipher },
          problems: [...problems],
        }),
      ),
    }),
  );
}
