/** One server-sent event (WHATWG HTML, section 9.2) with the fields that MCP uses. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
  readonly retry: number | undefined;
}

/** What never ends is no event. */
export class SseTooLong extends Error {}

const RETRY_MS_MAX = 600_000;

/** Splits a stream into events; bounded by the bytes that one event may have. */
export class SseReader {
  readonly #bytesMax: number;
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #searched = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws {SseTooLong} */
  push(chunk: Buffer): SseEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const events: SseEvent[] = [];
    const ends = /\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n/g;
    let from = 0;
    ends.lastIndex = Math.max(0, this.#searched - 3);
    for (let match = ends.exec(this.#rest); match; match = ends.exec(this.#rest)) {
      const event = parseEvent(this.#rest.slice(from, match.index));
      from = match.index + match[0].length;
      if (event) events.push(event);
    }
    if (from > 0) this.#rest = this.#rest.slice(from);
    this.#searched = this.#rest.length;
    if (this.#rest.length > this.#bytesMax) throw new SseTooLong('an event is longer than a result may be');
    return events;
  }
}

function parseEvent(block: string): SseEvent | undefined {
  const data: string[] = [];
  let id: string | undefined;
  let event: string | undefined;
  let retry: number | undefined;
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'event') event = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retry = Math.min(Number(value), RETRY_MS_MAX);
  }
  if (data.length === 0 && id === undefined && retry === undefined) return undefined;
  return { id, event, data: data.join('\n'), retry };
}

/** An event as it goes out. `data` is JSON on one line, so it can't break out of its field. */
export function formatSse(event: { id?: string | undefined; data: string; retry?: number | undefined }): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const retry = event.retry === undefined ? '' : `retry: ${event.retry}\n`;
  return `${retry}${id}event: message\ndata: ${event.data}\n\n`;
}
