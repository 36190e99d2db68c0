import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { isPublicAddress, publicLookup } from '../oauth/public-fetch.ts';
import { refuseUpstream } from './refusal.ts';

const WAIT_MS_MAX = 8_000;
const BODY_BYTES_MAX = 512 * 1024;

export interface UpstreamCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
}

/** Fetches from a corporate provider; throws `UpstreamRefused` with `provider.unreachable` otherwise. */
export type UpstreamFetch = (address: string, call?: UpstreamCall) => Promise<Response>;

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1|::1)$/.test(host);
}

/** Why an address is never fetched; null when it may be. */
export function refusedAddress(address: string, privateHosts: readonly string[]): string | null {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.username !== '' || url.password !== '') return 'An address with a user name is never fetched.';
  if (isPrivateHost(url, privateHosts)) {
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(host))
      ? null
      : 'Only loopback is fetched without TLS.';
  }
  if (url.protocol !== 'https:') return 'Only HTTPS is fetched.';
  const isLiteral = /^[\d.]+$/.test(host) || isIPv6(host);
  return isLiteral && !isPublicAddress(host) ? `${host} is on a private network.` : null;
}

function isPrivateHost(url: URL, privateHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return privateHosts.includes(`${url.hostname}:${port}`);
}

/**
 * Whoever sets a provider up names addresses that this server then fetches: they must not lead inside its own network.
 * No redirects, eight seconds, 512 KiB; names are looked up once and the checked address is the one that is used.
 */
export function createUpstreamFetch(privateHosts: readonly string[]): UpstreamFetch {
  return async (address, call = {}) => {
    if (!URL.canParse(address)) return refuseUpstream('provider.unreachable', `${address} is no address.`);
    const refused = refusedAddress(address, privateHosts);
    if (refused !== null) return refuseUpstream('provider.unreachable', refused);
    const url = new URL(address);
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const options: RequestOptions = {
      method: call.method ?? 'GET',
      headers: { ...call.headers },
      signal: AbortSignal.timeout(WAIT_MS_MAX),
      ...(isPrivateHost(url, privateHosts) ? {} : { lookup: publicLookup }),
    };
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing: ClientRequest = start(url, options, (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > BODY_BYTES_MAX) incoming.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 502;
        const type = incoming.headers['content-type'];
        const hasNoBody = status === 204 || status === 304;
        resolve(
          new Response(hasNoBody ? null : Buffer.concat(chunks), {
            status,
            headers: type === undefined ? {} : { 'content-type': type },
          }),
        );
      });
    });
    outgoing.on('error', reject);
    outgoing.end(call.body ?? undefined);
    try {
      return await promise;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return refuseUpstream('provider.unreachable', `${url.host}: ${text}`, error);
    }
  };
}
