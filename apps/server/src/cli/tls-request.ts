import { request } from 'node:https';
import { isProblem } from '@cordon/client';
import { ApiRefused, UsageWrong } from './output.ts';

const ANSWER_BYTES_MAX = 256 * 1024;
const WAIT_MS_MAX = 30_000;

export interface TlsParts {
  /** PEM of the authority of Cordon's own certificate; the system's when absent. */
  readonly ca?: string;
  /** The client's certificate and key, PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** One POST of JSON over TLS, with a client certificate when there is one: fetch can't show any. */
export async function postTls(url: string, body: unknown, tls: TlsParts): Promise<unknown> {
  const text = JSON.stringify(body);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const outgoing = request(url, { method: 'POST', headers, timeout: WAIT_MS_MAX, ...tls }, (response) => {
    let answer = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
      if (answer.length > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too large'));
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text: answer }));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', reject);
  outgoing.end(text);
  const answer = await promise.catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageWrong(
      `${url} can't be reached safely: ${why}. Give the authority of its certificate with --ca.`,
      {},
      cause,
    );
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer.text);
  } catch {
    parsed = undefined;
  }
  if (answer.status === 200) return parsed;
  if (isProblem(parsed)) throw new ApiRefused(parsed);
  throw new UsageWrong(`${url} answered ${answer.status}.`);
}
