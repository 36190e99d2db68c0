import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import type { Reach, VendorAnswer, VendorClient, VendorRequest } from '@cordon/estate';
import { checkLiteralHost, describeProbe, guardedLookup } from '@cordon/gateway';
import type { Clock, SecretEnvelope } from '@cordon/kernel';

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 256 * 1024;

interface Request extends Omit<VendorRequest, 'method'> {
  readonly method: 'GET' | 'POST';
}

/** One request of Cordon's own to a vendor, under the same rules of egress as the calls of integrations. */
function ask(request: Request, reach: Reach): Promise<VendorAnswer> {
  const url = new URL(request.url);
  const { promise, resolve, reject } = Promise.withResolvers<VendorAnswer>();
  if (url.protocol === 'http:' && reach.plaintext !== 'allow') {
    return Promise.reject(new Error(`${url.origin} is plain HTTP, which this app does not allow`));
  }
  try {
    checkLiteralHost(url.hostname, reach.privateAddresses);
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const options: https.RequestOptions = {
    method: request.method,
    headers: { ...request.headers, ...(body ? { 'content-length': body.length } : {}) },
    lookup: guardedLookup(reach.privateAddresses),
    agent: false,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    ...(url.protocol === 'https:'
      ? {
          minVersion: reach.tlsVersionMin,
          ...(reach.caCertificates.length > 0
            ? { ca: [...tls.getCACertificates('default'), ...reach.caCertificates] }
            : {}),
        }
      : {}),
  };
  const outgoing = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too large'));
      else chunks.push(chunk);
    });
    response.once('error', reject);
    response.once('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  outgoing.once('error', reject);
  outgoing.end(body);
  return promise;
}

/** What asks vendors for tokens and tries credentials. Follows no redirect: a token must not travel on. */
export function createVendorClient(envelope: SecretEnvelope, clock: Clock): VendorClient {
  return {
    send: ask,
    async probe(app, credential, path) {
      const { url, headers } = describeProbe(envelope, app, credential, path, clock.now());
      const { status } = await ask({ method: 'GET', url, headers }, app);
      return status;
    },
  };
}
