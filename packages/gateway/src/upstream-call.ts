import type { Dispatcher } from 'undici';
import { GatewayError, Refusal } from './errors.ts';
import type { UpstreamResponse } from './exchange.ts';
import { connectionOptions, isReturned } from './headers.ts';
import { trustFailure } from './upstream-certificates.ts';
import { essence, isEventStream, isText } from './media-type.ts';

/** A response body that is passed on as it comes. */
export interface UpstreamStream {
  /** Declared length, or undefined. */
  readonly length: number | undefined;
  /** Begins the flow. `onData` returns false to pause, and calls `resume` when there is room again. */
  start(onData: (chunk: Buffer) => boolean, onEnd: (error: Error | undefined) => void): void;
  resume(): void;
  abort(): void;
}

export interface CallOptions {
  readonly bytesMax: number;
  /** Asks for room for more held bytes; false refuses. */
  readonly hold: (bytes: number) => boolean;
  readonly headRequest: boolean;
}

interface ParsedHead {
  readonly headers: string[];
  readonly contentType: string;
  readonly encoding: string;
  readonly length: number | undefined;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_A_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

function malformed(message: string): Refusal {
  return new Refusal('gateway.upstream_malformed', `The upstream’s answer is not valid HTTP: ${message}.`);
}

type ParsedFields = Readonly<Record<string, string | string[] | undefined>>;

/** One value of a field that has no list form; a second one means that two parties would read two answers. */
function single(value: string | string[] | undefined, name: string): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (new Set(value).size > 1) throw malformed(`it has several ${name} fields`);
  return value[0] ?? '';
}

/** Takes the fields as undici has parsed them: names in lower case, repeated fields as lists in their order. */
function parseHead(fields: ParsedFields): ParsedHead {
  const length = single(fields['content-length'], 'Content-Length');
  if (length !== '' && !/^\d{1,15}$/.test(length)) throw malformed('its Content-Length is no number');
  const connection = fields['connection'];
  const hop = connectionOptions(Array.isArray(connection) ? connection.join(',') : connection);
  const headers: string[] = [];
  for (const name of Object.keys(fields)) {
    if (!isReturned(name, hop)) continue;
    const value = fields[name];
    if (typeof value === 'string') headers.push(name, checked(name, value));
    else for (const item of value ?? []) headers.push(name, checked(name, item));
  }
  return {
    headers,
    contentType: essence(single(fields['content-type'], 'Content-Type')),
    encoding: single(fields['content-encoding'], 'Content-Encoding'),
    length: length === '' ? undefined : Number(length),
  };
}

/** RFC 9110, section 5.5: a value that node would refuse to send on. */
function checked(name: string, value: string): string {
  if (NOT_A_VALUE.test(value)) throw malformed(`its field ${name} has control characters`);
  return value;
}

function hasNoBody(status: number, headRequest: boolean): boolean {
  return headRequest || status === 204 || status === 205 || status === 304;
}

/**
 * One request to an upstream, as undici's dispatch sees it. Text is held until it is complete, so that it can be
 * inspected; everything else is handed on as a stream once its header is there.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly answer: Promise<UpstreamResponse>;
  readonly #options: CallOptions;
  #resolve!: (response: UpstreamResponse) => void;
  #reject!: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #head: ParsedHead | undefined;
  #held: Buffer[] | undefined;
  #bytes = 0;
  #onData: ((chunk: Buffer) => boolean) | undefined;
  #onEnd: ((error: Error | undefined) => void) | undefined;
  #early: Error | undefined;
  #aborted = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  abort(reason: Error = new GatewayError('gateway.client_gone', 'the client is gone')): void {
    this.#aborted = true;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new GatewayError('gateway.client_gone', 'the client is gone'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, fields: ParsedFields): void {
    // RFC 9110, section 15.2: interim answers concern this hop; the final one follows.
    if (status < 200) return;
    const head = parseHead(fields);
    this.#head = head;
    this.#status = status;
    if (hasNoBody(status, this.#options.headRequest)) {
      this.#held = [];
      return;
    }
    if (isText(head.contentType) && !isEventStream(head.contentType)) {
      const max = this.#options.bytesMax;
      if (head.length !== undefined && head.length > max) throw responseTooLarge(max);
      this.#held = [];
      return;
    }
    controller.pause();
    this.#resolve(this.#response(undefined, this.#stream(head.length)));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#held) {
      if (this.#bytes > this.#options.bytesMax) throw responseTooLarge(this.#options.bytesMax);
      if (!this.#options.hold(chunk.length)) {
        throw new Refusal('gateway.overloaded', 'The gateway holds as many bodies as it can. Try again.', {
          headers: [['Retry-After', '1']],
        });
      }
      this.#held.push(chunk);
    } else if (this.#onData && !this.#onData(chunk)) controller.pause();
  }

  /** Trailers are dropped: nobody judged them (RFC 9110, section 6.5.1). */
  onResponseEnd(): void {
    if (this.#held) {
      const body = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#bytes);
      this.#resolve(this.#response(body, undefined));
    } else this.#onEnd?.(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#onEnd) this.#onEnd(error);
    else {
      // A stream that was handed out and not begun yet learns of it when it begins.
      this.#early = error;
      this.#reject(error);
    }
  }

  #response(body: Buffer | undefined, stream: UpstreamStream | undefined): UpstreamResponse {
    const { headers, contentType, encoding } = this.#head!; // set before either way of answering
    return { status: this.#status, headers, contentType, encoding, body, stream, decoded: undefined, changed: false };
  }

  #stream(length: number | undefined): UpstreamStream {
    return {
      length,
      start: (onData, onEnd) => {
        this.#onData = onData;
        this.#onEnd = onEnd;
        if (this.#early) onEnd(this.#early);
        else this.#controller?.resume();
      },
      resume: () => this.#controller?.resume(),
      abort: () => this.abort(),
    };
  }
}

function responseTooLarge(max: number): Refusal {
  return new Refusal(
    'gateway.response_too_large',
    `The upstream’s answer exceeds ${max} bytes, the most that is held for inspection on this app. Ask for less, such as a smaller page.`,
    { detail: { bytes_max: max } },
  );
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const MALFORMED = /^HPE_|^UND_ERR_(?:RES_|HEADERS_OVERFLOW|RESPONSE)/;

/** Turns what went wrong between here and the upstream into an answer that says so without naming internals. */
export function explainFailure(error: unknown, app: string): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof GatewayError && error.code === 'gateway.upstream_forbidden') {
    return new Refusal(error.code, error.message, { detail: error.detail });
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof AggregateError && error.errors.length > 0) return explainFailure(error.errors[0], app);
  if (TIMEOUTS.has(code))
    return new Refusal('gateway.upstream_timeout', `The upstream of ${app} did not answer in time.`, { cause: error });
  if (MALFORMED.test(code))
    return new Refusal(
      'gateway.upstream_malformed',
      `The upstream of ${app} sent something that is not a valid answer.`,
      { cause: error },
    );
  const untrusted = trustFailure(error);
  if (untrusted !== undefined) {
    return new Refusal(
      'gateway.upstream_untrusted',
      `The upstream of ${app} did not prove its identity (${untrusted}): the connection was refused.`,
      { cause: error },
    );
  }
  return new Refusal(
    'gateway.upstream_unreachable',
    `The upstream of ${app} could not be reached or broke the connection.`,
    {
      detail: code === '' ? {} : { reason: code },
      cause: error,
    },
  );
}
