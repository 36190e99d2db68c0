import { request as send, type RequestListener } from 'node:http';
import { pipeline } from 'node:stream';
import type { Logger } from '@cordon/kernel';
import { wayIn } from '../worker/source-endpoint.ts';

const WAIT_MS_MAX = 60_000;

/**
 * Vendor events come in at the worker. Control passes them on, so that a source can use the address that people use,
 * with its certificate, and the worker stays on an inner network. Bodies are piped: nothing is held here, and the
 * worker's answer, which says that everything is on disk, is the sender's.
 */
export function createSourceForward(
  workerUrl: string,
  logger: Logger,
): { matches: (path: string) => boolean; handle: RequestListener } {
  return {
    matches: (path) => wayIn(path) !== null,
    handle(request, response) {
      const { method, url, headers } = request;
      const onward = send(new URL(url ?? '/', workerUrl), { method, headers, timeout: WAIT_MS_MAX }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, response, () => undefined);
      });
      onward.once('timeout', () => onward.destroy(new Error('the worker does not answer')));
      onward.once('error', (error) => {
        logger.warn({ err: error }, 'a delivery could not be passed to the worker; its sender keeps it');
        if (response.headersSent) return response.destroy();
        response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
        return response.end(JSON.stringify({ status: 503, detail: 'The worker is away; send the events again.' }));
      });
      pipeline(request, onward, (error) => {
        if (error) onward.destroy();
      });
    },
  };
}
