import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { GatewayError } from './errors.ts';

export interface ControlClientOptions {
  readonly controlUrl: string;
  readonly workerUrl: string;
  /** Bearer key of this gateway. */
  readonly key: string;
  readonly ca?: readonly string[];
  readonly timeoutMs?: number;
}

const ANSWER_BYTES_MAX = 64 * 1024;
const DOCUMENT_BYTES_MAX = 512 * 1024 * 1024;

async function readAll(body: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const part = chunk as Buffer; // undici's body streams yield Buffers
    bytes += part.length;
    if (bytes > bytesMax) throw new GatewayError('gateway.control_unavailable', 'an internal answer is too large');
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** HTTP to control and worker, with the gateway's key. Never on the path of a call, except for introspection. */
export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #agent: Agent;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      allowH2: false,
      connections: 8,
      headersTimeout: options.timeoutMs ?? 5_000,
      bodyTimeout: 0,
      connect: { timeout: 2_000, ...(options.ca ? { ca: [...options.ca] } : {}) },
    });
  }

  #request(base: string, method: 'GET' | 'POST', path: string, extra: Partial<Dispatcher.RequestOptions> = {}) {
    const url = new URL(base);
    return this.#agent.request({
      origin: url.origin,
      path: url.pathname.replace(/\/$/, '') + path,
      method,
      ...extra,
      headers: {
        authorization: `Bearer ${this.#options.key}`,
        ...(extra.headers as Record<string, string> | undefined),
      },
    });
  }

  async get(path: string, signal?: AbortSignal): Promise<ControlAnswer> {
    const answer = await this.#request(this.#options.controlUrl, 'GET', path, signal ? { signal } : {});
    return { status: answer.statusCode, body: await readAll(answer.body, DOCUMENT_BYTES_MAX) };
  }

  async post(path: string, value: unknown): Promise<ControlAnswer> {
    const answer = await this.#request(this.#options.controlUrl, 'POST', path, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
    return { status: answer.statusCode, body: await readAll(answer.body, ANSWER_BYTES_MAX) };
  }

  /** Opens a stream that lasts; the caller reads `body` until it ends or `signal` aborts. */
  async open(path: string, signal: AbortSignal): Promise<{ status: number; body: Readable }> {
    const answer = await this.#request(this.#options.controlUrl, 'GET', path, { signal });
    return { status: answer.statusCode, body: answer.body };
  }

  /** Hands a batch of events to the worker. Resolves with the status. */
  sendBatch(key: string, ndjson: Buffer, signal: AbortSignal): Promise<number> {
    return this.#sendLines('/internal/ingest/batches', key, ndjson, signal);
  }

  /** Hands webhook deliveries to the worker. Resolves with the status. */
  sendDeliveries(key: string, ndjson: Buffer, signal: AbortSignal): Promise<number> {
    return this.#sendLines('/internal/webhooks/deliveries', key, ndjson, signal);
  }

  /** Tells the worker what data passed. Resolves with the status. */
  sendObservations(key: string, ndjson: Buffer, signal: AbortSignal): Promise<number> {
    return this.#sendLines('/internal/data/observations', key, ndjson, signal);
  }

  /** Tells the worker what calls of undescribed apps look like. Resolves with the status. */
  sendLessons(key: string, ndjson: Buffer, signal: AbortSignal): Promise<number> {
    return this.#sendLines('/internal/learning/lessons', key, ndjson, signal);
  }

  async #sendLines(path: string, key: string, ndjson: Buffer, signal: AbortSignal): Promise<number> {
    const answer = await this.#request(this.#options.workerUrl, 'POST', path, {
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': key },
      body: ndjson,
      headersTimeout: 30_000,
      signal,
    });
    await answer.body.dump();
    return answer.statusCode;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
