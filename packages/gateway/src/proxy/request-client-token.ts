import { Agent } from 'undici';
import { z } from 'zod';
import type { ControlClient } from '../control-client.ts';
import { GatewayError } from '../errors.ts';
import type { CertificateTokenRequest, TokenRequest } from './proxy-identity.ts';

const WAIT_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Obtains a token with a client's id and secret (RFC 6749, section 4.4), as the client would itself. Null: refused.
 * The endpoint slows and locks out who guesses.
 */
async function requestClientToken(
  tokenUrl: string,
  clientId: string,
  secret: string,
  ca: readonly string[] | undefined,
): Promise<string | null> {
  const url = new URL(tokenUrl);
  const agent = new Agent({
    connect: { timeout: WAIT_MS_MAX, ...(ca ? { ca: [...ca] } : {}) },
    headersTimeout: WAIT_MS_MAX,
    bodyTimeout: WAIT_MS_MAX,
  });
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64');
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname,
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 400 && answer.statusCode < 500) return null;
    const value: unknown = text.length > ANSWER_BYTES_MAX ? null : JSON.parse(text);
    const token =
      typeof value === 'object' && value !== null && 'access_token' in value ? value.access_token : undefined;
    if (answer.statusCode !== 200 || typeof token !== 'string') {
      throw new GatewayError('gateway.control_unavailable', `the token endpoint answered ${answer.statusCode}`);
    }
    return token;
  } finally {
    await agent.destroy();
  }
}

const certificateAnswer = z.object({ token: z.string().nullable() });

/** Asks control whose certificate (DER) this is, and for a token that is bound to it. Null: nobody's. */
async function askCertificateToken(control: ControlClient, certificate: Buffer): Promise<string | null> {
  const { status, body } = await control.post('/internal/gateway/tokens/certificate', {
    certificate: certificate.toString('base64'),
  });
  if (status !== 200) throw new GatewayError('gateway.control_unavailable', `control answered ${status}`);
  return certificateAnswer.parse(JSON.parse(body.toString('utf8'))).token;
}

/** Where the proxy gets tokens for whoever shows it something else than a token. */
export function tokenRequests(
  control: ControlClient,
  tokenUrl: string | undefined,
  ca: readonly string[] | undefined,
): { readonly requestToken: TokenRequest | undefined; readonly requestCertificateToken: CertificateTokenRequest } {
  return {
    requestToken: tokenUrl === undefined ? undefined : (id, secret) => requestClientToken(tokenUrl, id, secret, ca),
    requestCertificateToken: (certificate) => askCertificateToken(control, certificate),
  };
}
