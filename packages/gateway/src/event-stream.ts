import { rewriteBody } from './link-rewriter.ts';
import type { Exchange } from './exchange.ts';
import { blockedRefusal } from './steps/inspect-request.ts';
import { inspectionRules } from './steps/inspection-rules.ts';

/** One server-sent event; more without an empty line is not what the format is for. */
const EVENT_BYTES_MAX = 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Offset just behind the empty line that ends the first event at or after `from`, or -1 (WHATWG HTML, section 9.2). */
function endOfEvent(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/**
 * Inspects and rewrites a stream of server-sent events one event at a time: nothing is handed on before it was looked
 * at, and nothing waits for more than the end of its own event.
 */
export class EventStreamFilter {
  readonly #exchange: Exchange;
  #rest: Buffer = Buffer.alloc(0);
  #searched = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /**
   * Takes a chunk; returns the events that are complete with it, possibly none.
   *
   * @throws {Refusal} when an event holds what is blocked, or never ends.
   */
  push(chunk: Buffer): Buffer {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const done: Buffer[] = [];
    for (let end = endOfEvent(this.#rest, this.#searched); end !== -1; end = endOfEvent(this.#rest, 0)) {
      done.push(this.#judge(this.#rest.subarray(0, end)));
      this.#rest = this.#rest.subarray(end);
    }
    this.#searched = Math.max(0, this.#rest.length - 3);
    // What doesn't end is judged in pieces rather than held for ever.
    if (this.#rest.length > EVENT_BYTES_MAX) done.push(this.end());
    return done.length === 1 ? done[0]! : Buffer.concat(done);
  }

  /** What is left when the stream ends. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#searched = 0;
    return rest.length > 0 ? this.#judge(rest) : rest;
  }

  #judge(event: Buffer): Buffer {
    const exchange = this.#exchange;
    const { resolve, passed } = inspectionRules(exchange, 'response');
    const result = exchange.runtime.inspector.inspect(event, 'text/plain', 'response', resolve, passed);
    for (const finding of result.findings) exchange.addFinding(finding);
    if (result.blocked.length > 0) throw blockedRefusal('response', result.blocked);
    const clean = exchange.runtime.credentials.hide(exchange.app.entry, result.bytes);
    return exchange.app.entry.rewriteBodies ? rewriteBody(clean, exchange.links, exchange.gatewayBase) : clean;
  }
}
