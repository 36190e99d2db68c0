import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';
import type { SendAnswer, SendRequest } from '@cordon/webhooks';

/** How much of an answer is kept for people to look at. */
const ANSWER_BYTES_MAX = 4 * 1024;
const HEADER_CHARS_MAX = 256;
const HEADERS_MAX = 32;
/** Fields that may carry what nobody should keep. */
const DROPPED = new Set(['set-cookie', 'authorization', 'proxy-authorization', 'www-authenticate']);

/**
 * Posts one delivery. Private networks are refused after the name is resolved, certificates are verified, redirects are
 * not followed, and the whole takes at most `timeoutMs`.
 */
export function sendDelivery({
  url: address,
  headers,
  body,
  privateAddresses,
  timeoutMs,
}: SendRequest): Promise<SendAnswer> {
  const url = new URL(address);
  checkLiteralHost(url.hostname, privateAddresses);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = send(
      url,
      {
        method: 'POST',
        agent: false,
        lookup: guardedLookup(privateAddresses),
        minVersion: 'TLSv1.2',
        signal,
        headers: { ...headers, 'content-length': body.length, 'user-agent': 'cordon-webhooks/1' },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        const done = (): void => {
          const kept = Object.entries(answer.headers)
            .filter(([name]) => !DROPPED.has(name))
            .slice(0, HEADERS_MAX)
            .map(([name, value]): [string, string] => [name, String(value).slice(0, HEADER_CHARS_MAX)]);
          const start = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX);
          resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(kept), body: start });
        };
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          // The status decides; the rest of a long answer is not waited for.
          if (bytes >= ANSWER_BYTES_MAX) {
            done();
            request.destroy();
          }
        });
        answer.once('end', done);
        answer.once('error', reject);
      },
    );
    request.once('error', (error) =>
      reject(
        signal.aborted ? new Error(`The integration did not answer within ${timeoutMs} ms.`, { cause: error }) : error,
      ),
    );
    request.end(body);
  });
}
