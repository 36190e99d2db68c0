import { EventTooLarge } from './errors.ts';

export const EVENT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Cuts a stream of text into JSON values: NDJSON, values one after another, or one array of them. Only the value at
 * hand is held in memory.
 */
export async function* splitJson(input: AsyncIterable<string>): AsyncGenerator<string> {
  const splitter = new JsonSplitter();
  for await (const chunk of input) yield* splitter.push(chunk);
  yield* splitter.end();
}

class JsonSplitter {
  #pending = '';
  #depth = 0;
  #inArray = false;
  #started = false;
  #inText = false;
  #escaped = false;

  *push(chunk: string): Generator<string> {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const char = chunk.charCodeAt(i);
      if (this.#inText) {
        this.#insideText(char);
        continue;
      }
      if (char === QUOTE) {
        this.#inText = true;
        this.#started = true;
      } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
        if (
          char === OPEN_BRACKET &&
          this.#depth === 0 &&
          !this.#inArray &&
          !this.#started &&
          this.#pending.trim() === '' &&
          chunk.slice(from, i).trim() === ''
        ) {
          this.#inArray = true;
          this.#pending = '';
          from = i + 1;
          continue;
        }
        this.#depth++;
        this.#started = true;
      } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
        if (this.#depth === 0 && this.#inArray && char === CLOSE_BRACKET) {
          yield* this.#take(chunk.slice(from, i));
          from = i + 1;
          this.#inArray = false;
          continue;
        }
        this.#depth = Math.max(0, this.#depth - 1);
      }
      if (this.#depth === 0 && (char === NEWLINE ? !this.#inArray : char === COMMA && this.#inArray)) {
        yield* this.#take(chunk.slice(from, i));
        from = i + 1;
      }
    }
    this.#pending += chunk.slice(from);
    if (this.#pending.length > EVENT_BYTES_MAX)
      throw new EventTooLarge(`An event is larger than ${EVENT_BYTES_MAX} bytes.`);
  }

  *end(): Generator<string> {
    yield* this.#take('');
  }

  #insideText(char: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === BACKSLASH) this.#escaped = true;
    // A line feed can't stand in a JSON text: the line was broken, the next one is to be read anew.
    else if (char === QUOTE || char === NEWLINE) this.#inText = false;
  }

  *#take(rest: string): Generator<string> {
    const text = (this.#pending + rest).trim();
    this.#pending = '';
    this.#started = false;
    if (text !== '') yield text;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
