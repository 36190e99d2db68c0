import { Agent } from 'undici';
import { GatewayError } from '../errors.ts';

const WAIT_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Obtains a token with a client's id and secret (RFC 6749, section 4.4), as the client would itself. Null: refused.
 * The endpoint slows and locks out who guesses.
 */
export async function requestClientToken(
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
