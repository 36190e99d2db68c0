import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Logger, ruleFor } from '@cordon/kernel';
import { lakeErrors, type OcsfEvent, parseEvent } from '@cordon/lake';
import { createInternalCheck } from '../internal-access.ts';
import { answerDrillTarget } from './drill-target.ts';
import { ownEvent } from './observed-event.ts';
import { type SourceEndpoint, wayIn } from './source-endpoint.ts';
import type { DataDuties } from './data-duties.ts';
import type { Watch } from './watch.ts';
import type { WebhookDuties } from './webhook-duties.ts';

/** A gateway's segment is at most a few MiB; this leaves room. */
const BATCH_BYTES_MAX = 64 * 1024 * 1024;
const BATCHES_AT_ONCE_MAX = 8;
const KEY = /^[\w.:/-]{1,200}$/;

/** What happened to a batch; every refusal says what to do. */
type Answer = { readonly status: number; readonly detail: string };

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = chunk as Buffer; // no encoding is set, so chunks are Buffers
    bytes += part.length;
    if (bytes > BATCH_BYTES_MAX) return null;
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

function parseBatch(body: Buffer): { events: OcsfEvent[]; refused: number } {
  const events: OcsfEvent[] = [];
  let refused = 0;
  for (const line of body.toString('utf8').split('\n')) {
    if (line === '') continue;
    try {
      events.push(parseEvent(JSON.parse(line)));
    } catch {
      refused += 1;
    }
  }
  return { events, refused };
}

/** `POST /internal/ingest/batches`, and the ways in for sources: acknowledged only when the lake has it on disk. */
export async function startIngestServer(deps: {
  readonly watch: Watch;
  readonly sources: SourceEndpoint;
  readonly webhooks: Pick<WebhookDuties, 'take'>;
  readonly data: Pick<DataDuties, 'take'>;
  readonly lessons: { take(key: string, body: Buffer): Promise<unknown> };
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  /** Whether the engines that the worker needs answer. */
  readonly ready: () => Promise<boolean>;
  readonly metrics: () => string;
}): Promise<{ server: Server; stop(): Promise<void> }> {
  const { watch, logger } = deps;
  const isInternal = createInternalCheck(deps.key);
  let running = 0;

  const ingest = async (request: IncomingMessage): Promise<Answer> => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || !KEY.test(key)) return { status: 400, detail: 'Send an Idempotency-Key.' };
    if (running >= BATCHES_AT_ONCE_MAX) return { status: 429, detail: 'Too many batches at once; send it again.' };
    running += 1;
    try {
      const body = await readBody(request);
      if (!body) return { status: 413, detail: `A batch has at most ${BATCH_BYTES_MAX} bytes.` };
      const { events, refused } = parseBatch(body);
      // A line that is no event can never become one: the rest must not wait for it. It is counted and logged.
      if (refused > 0)
        logger.error({ key, refused, taken: events.length }, 'a batch holds lines that are no OCSF events');
      if (events.length === 0) return { status: refused > 0 ? 422 : 204, detail: 'The batch holds no event.' };
      await watch.ingest(key, events.map(ownEvent));
      return { status: 204, detail: '' };
    } catch (error) {
      const { status } = ruleFor(error, [lakeErrors]);
      // What the lake can never take must not be sent for ever: the gateway sets such a batch aside for a person.
      const final = status >= 400 && status < 500 && status !== 429;
      logger[final ? 'error' : 'warn']({ err: error, key }, 'a batch could not be stored; its sender keeps it');
      return final
        ? { status: 422, detail: error instanceof Error ? error.message : 'The batch is not valid.' }
        : { status: 503, detail: 'The lake is away; send it again.' };
    } finally {
      running -= 1;
    }
  };

  /** Acknowledged only when PostgreSQL has them: until then the gateway's disk does. */
  const takeDeliveries = async (request: IncomingMessage): Promise<Answer> => {
    if (running >= BATCHES_AT_ONCE_MAX) return { status: 429, detail: 'Too many batches at once; send it again.' };
    running += 1;
    try {
      const body = await readBody(request);
      if (!body) return { status: 413, detail: `A batch has at most ${BATCH_BYTES_MAX} bytes.` };
      const { taken, refused } = await deps.webhooks.take(body);
      return refused > 0 && taken === 0
        ? { status: 422, detail: 'The batch holds no delivery.' }
        : { status: 204, detail: '' };
    } catch (error) {
      logger.warn({ err: error }, 'deliveries could not be stored; their gateway keeps them');
      return { status: 503, detail: 'PostgreSQL is away; send it again.' };
    } finally {
      running -= 1;
    }
  };

  const takeLines = async (
    taker: { take(key: string, body: Buffer): Promise<unknown> },
    request: IncomingMessage,
  ): Promise<Answer> => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || !KEY.test(key)) return { status: 400, detail: 'Send an Idempotency-Key.' };
    if (running >= BATCHES_AT_ONCE_MAX) return { status: 429, detail: 'Too many batches at once; send it again.' };
    running += 1;
    try {
      const body = await readBody(request);
      if (!body) return { status: 413, detail: `A batch has at most ${BATCH_BYTES_MAX} bytes.` };
      await taker.take(key, body);
      return { status: 204, detail: '' };
    } catch (error) {
      logger.warn({ err: error, key }, 'a batch could not be stored; its gateway keeps it');
      return { status: 503, detail: 'PostgreSQL is away; send it again.' };
    } finally {
      running -= 1;
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '/', method } = request;
    if (answerDrillTarget(request, response)) return;
    const way = wayIn(url.split('?', 1)[0] ?? '');
    if (way) {
      const { status, body, retryAfterS } = await deps.sources(way, request);
      if (retryAfterS !== undefined) response.setHeader('retry-after', retryAfterS);
      // What of a refused body has not been read is not waited for.
      if (!request.complete) response.setHeader('connection', 'close');
      // OTLP is answered in the encoding that it came in; an empty protobuf message has no bytes.
      if (way === 'otlp-logs' && status === 200 && request.headers['content-type'] === 'application/x-protobuf') {
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
        return;
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    let answer: Answer = { status: 404, detail: 'There is nothing here.' };
    if (url === '/healthz') answer = { status: 200, detail: 'ok' };
    else if (url === '/readyz')
      answer = (await deps.ready())
        ? { status: 200, detail: 'ready' }
        : { status: 503, detail: 'an engine does not answer' };
    else if (url === '/metrics') answer = { status: 200, detail: deps.metrics() };
    else if (url === '/internal/ingest/batches' && method === 'POST') {
      answer = isInternal(request) ? await ingest(request) : { status: 401, detail: 'Send the internal key.' };
    } else if (url === '/internal/webhooks/deliveries' && method === 'POST') {
      answer = isInternal(request) ? await takeDeliveries(request) : { status: 401, detail: 'Send the internal key.' };
    } else if (url === '/internal/data/observations' && method === 'POST') {
      answer = isInternal(request)
        ? await takeLines(deps.data, request)
        : { status: 401, detail: 'Send the internal key.' };
    } else if (url === '/internal/learning/lessons' && method === 'POST') {
      answer = isInternal(request)
        ? await takeLines(deps.lessons, request)
        : { status: 401, detail: 'Send the internal key.' };
    }
    response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(answer.status === 204 ? undefined : answer.detail);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'an internal request failed');
      response.destroy();
    });
  });
  server.listen(deps.port, deps.host);
  await once(server, 'listening');
  return {
    server,
    async stop() {
      server.close();
      server.closeIdleConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
