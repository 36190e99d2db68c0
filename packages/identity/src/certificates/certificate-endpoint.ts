import type { IncomingMessage, ServerResponse } from 'node:http';
import { CordonError, kernelErrors, toProblem } from '@cordon/kernel';
import { z } from 'zod';
import type { IdentityContext } from '../context.ts';
import { identityErrors, InputInvalid } from '../errors.ts';
import type { TokenGuard } from '../oauth/token-guard.ts';
import type { Certificates } from './certificates.ts';
import type { PeerCertificate } from './peer-certificate.ts';

export const ENROL_PATH = '/oauth/certificate/enrol';
export const RENEW_PATH = '/oauth/certificate/renew';
const BODY_BYTES_MAX = 32 * 1024;

const enrolBody = z.strictObject({ code: z.string().min(20).max(100), request: z.string().min(1).max(16_384) });
const renewBody = z.strictObject({ request: z.string().min(1).max(16_384) });

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) throw new InputInvalid(`The body has at most ${BODY_BYTES_MAX} bytes.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InputInvalid('The body is not JSON.');
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InputInvalid('Send JSON with "request", a PKCS #10 request in PEM, and to enrol also "code".');
}

/**
 * Where workloads get and renew certificates. Beside the authorization server, because renewal proves itself with the
 * connection's certificate as the token endpoint does. Returns false for paths that aren't its own.
 */
export function createCertificateEndpoint(context: IdentityContext, certificates: Certificates, guard: TokenGuard) {
  const answer = async (
    path: string,
    request: IncomingMessage,
    peer: PeerCertificate | null,
  ): Promise<Record<string, unknown>> => {
    const body = await readJson(request);
    const enrolled =
      path === ENROL_PATH
        ? await certificates.enrol(parse(enrolBody, body))
        : await certificates.renew(peer, parse(renewBody, body).request);
    return { ...enrolled, endsAt: new Date(enrolled.endsAt).toISOString() };
  };

  return async (request: IncomingMessage, response: ServerResponse, peer: PeerCertificate | null): Promise<boolean> => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path !== ENROL_PATH && path !== RENEW_PATH) return false;
    const send = (status: number, type: string, body: unknown): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      send(405, 'application/problem+json', { status: 405, title: 'Method Not Allowed', detail: 'Send a POST.' });
      return true;
    }
    try {
      send(200, 'application/json', await answer(path, request, peer));
    } catch (error) {
      const problem = toProblem(error, [identityErrors, kernelErrors], '-');
      if (error instanceof CordonError && problem.status === 401)
        await guard.countFailure(request, undefined, problem.code);
      if (problem.status >= 500) context.logger.error({ err: error }, 'a certificate could not be issued');
      send(problem.status, 'application/problem+json', problem);
    }
    return true;
  };
}
