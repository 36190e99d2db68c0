import http from 'node:http';
import { guardedLookup } from '../egress-guard.ts';
import { connectionOptions, isForwarded, isReturned, VIA } from '../headers.ts';
import { explainFailure } from '../upstream-call.ts';
import type { Destination } from './destination.ts';
import type { ProxyPassage } from './proxy-event.ts';

const TIMEOUT_MS = 60_000;
/** An unknown destination is watched, not served: what is larger than this isn't an API call. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Fields as they go on. Of an unknown destination the client's own Authorization and cookies are its business. */
function forwarded(request: http.IncomingMessage): string[] {
  const hop = connectionOptions(request.headers.connection);
  const kept: string[] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!;
    const lower = name.toLowerCase();
    const own = lower === 'authorization' || lower === 'cookie' || lower === 'accept-encoding';
    if (own || (isForwarded(lower, hop) && !lower.startsWith('proxy-'))) kept.push(name, request.rawHeaders[at + 1]!);
  }
  return kept;
}

/** Passes one plain HTTP call on to a destination that is only observed. */
export function forwardPlain(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  destination: Destination,
  path: string,
  passage: ProxyPassage,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const headers = [...forwarded(request), 'Host', request.headers.host ?? destination.host, 'Via', VIA];
  const length = request.headers['content-length'];
  if (length !== undefined) headers.push('Content-Length', length);
  else if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
  const upstream = http.request({
    host: destination.host,
    port: destination.port,
    method: request.method ?? 'GET',
    path,
    headers,
    lookup: guardedLookup([]),
    timeout: TIMEOUT_MS,
    agent: false,
    setHost: false,
  });
  const fail = (error: unknown): void => {
    upstream.destroy();
    if (response.headersSent) response.destroy();
    reject(explainFailure(error, destination.host));
  };
  const count = (bytes: number): boolean => bytes <= BYTES_MAX;
  request.on('data', (chunk: Buffer) => {
    passage.bytesOut += chunk.length;
    if (!count(passage.bytesOut)) fail(new Error('too large'));
  });
  upstream.on('timeout', () => fail(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
  upstream.on('error', fail);
  upstream.on('response', (answer) => {
    passage.status = answer.statusCode ?? 502;
    const hop = connectionOptions(answer.headers.connection);
    const fields: string[] = ['Via', VIA];
    for (let at = 0; at < answer.rawHeaders.length; at += 2) {
      const lower = answer.rawHeaders[at]!.toLowerCase();
      if (isReturned(lower, hop) || lower === 'content-length' || lower === 'set-cookie')
        fields.push(answer.rawHeaders[at]!, answer.rawHeaders[at + 1]!);
    }
    response.writeHead(passage.status, fields);
    answer.on('data', (chunk: Buffer) => {
      passage.bytesIn += chunk.length;
      if (!count(passage.bytesIn)) fail(new Error('too large'));
    });
    answer.on('error', fail);
    answer.pipe(response);
    response.once('close', () => {
      upstream.destroy();
      resolve();
    });
  });
  request.pipe(upstream);
  return promise;
}
