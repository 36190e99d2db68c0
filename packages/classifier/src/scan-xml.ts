import { DecodedValue } from './decoded.ts';
import type { KeyCache, KeyHint } from './keys.ts';
import type { StructuredScanner } from './structured.ts';
import type { ValueScanner } from './value-scanner.ts';

const OPEN = 0x3c;
const CLOSE = 0x3e;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;

/** Longest character reference: `&#x10FFFF;` */
const ENTITY_BYTES_MAX = 10;
const DEPTH_MAX = 256;
/** Longest tag whose attributes are read. */
const TAG_BYTES_MAX = 16_384;

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const ATTRIBUTE = /([\w:.-]{1,64})\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)')/g;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads XML and HTML as names and values: the text of an element under the element's name, attributes under theirs;
 * `<add key="X" value="Y"/>` is Y under X. It checks no grammar and expands no entities but the five of XML and numbers.
 */
export class XmlScanner implements StructuredScanner {
  readonly broken = false;
  private readonly keys: KeyCache;
  private readonly values: ValueScanner;
  private readonly decoded = new DecodedValue();
  private readonly names: (KeyHint | undefined)[] = [];

  constructor(keys: KeyCache, values: ValueScanner) {
    this.keys = keys;
    this.values = values;
  }

  scan(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    let position = from;
    while (position < to) {
      const stop = find(bytes, bytes[position] === OPEN ? CLOSE : OPEN, position + 1, to);
      if (stop === to && !final) return position;
      if (bytes[position] === OPEN) {
        this.takeTag(bytes, position, Math.min(stop + 1, to));
        position = stop + 1;
      } else {
        this.takeValue(bytes, position, stop, this.names.at(-1));
        position = stop;
      }
    }
    return to;
  }

  private takeTag(bytes: Uint8Array, start: number, end: number): void {
    const text = decoder.decode(bytes.subarray(start, Math.min(end, start + TAG_BYTES_MAX)));
    if (text.startsWith('<![CDATA[')) {
      this.takeValue(bytes, start + 9, Math.max(start + 9, end - 3), this.names.at(-1));
      return;
    }
    if (text.startsWith('<!--')) {
      this.takeValue(bytes, start + 4, Math.max(start + 4, end - 3), undefined);
      return;
    }
    if (text.startsWith('</')) {
      this.names.pop();
      return;
    }
    const name = /^<([\w:.-]{1,64})/.exec(text)?.[1];
    if (name === undefined) return;
    const latin = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, TAG_BYTES_MAX)).toString(
      'latin1',
    );
    this.takeAttributes(bytes, start, latin);
    if (!text.endsWith('/>') && this.names.length < DEPTH_MAX)
      this.names.push(this.keys.hint(name.replace(/^.*:/, ''), this.names.at(-1)));
  }

  private takeAttributes(bytes: Uint8Array, start: number, tag: string): void {
    let named: string | undefined;
    for (const match of tag.matchAll(ATTRIBUTE)) {
      const [all, name = '', double, single] = match;
      const value = double ?? single ?? '';
      const from = start + match.index + all.length - 1 - value.length;
      const isName = name === 'key' || name === 'name' || name === 'id';
      if (isName) named = value;
      const hint = this.keys.hint(name === 'value' && named !== undefined ? named : name);
      if (!isName && !name.startsWith('xmlns')) this.takeValue(bytes, from, from + value.length, hint);
    }
  }

  private takeValue(bytes: Uint8Array, start: number, end: number, hint: KeyHint | undefined): void {
    let from = start;
    let to = end;
    while (from < to && (bytes[from] ?? 0) <= 0x20) from++;
    while (to > from && (bytes[to - 1] ?? 0) <= 0x20) to--;
    if (from === to) return;
    if (find(bytes, AMPERSAND, from, to) === to) {
      this.values.scan(bytes, from, to, 'xml', hint);
      return;
    }
    this.decode(bytes, from, to);
    this.values.scan(this.decoded.bytes, 0, this.decoded.length, 'xml', hint, this.decoded.map);
  }

  private decode(bytes: Uint8Array, start: number, end: number): void {
    this.decoded.start(end - start);
    let i = start;
    while (i < end) {
      const semicolon = bytes[i] === AMPERSAND ? find(bytes, SEMICOLON, i, Math.min(end, i + ENTITY_BYTES_MAX)) : end;
      const sign =
        bytes[semicolon] === SEMICOLON && semicolon < end
          ? entity(decoder.decode(bytes.subarray(i + 1, semicolon)))
          : undefined;
      if (sign === undefined) {
        this.decoded.push(bytes[i] ?? 0, i);
        i++;
        continue;
      }
      for (const byte of encoder.encode(sign)) this.decoded.push(byte, i);
      i = semicolon + 1;
    }
    this.decoded.finish(end);
  }
}

function find(bytes: Uint8Array, wanted: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === wanted) return i;
  return to;
}

function entity(name: string): string | undefined {
  const known = NAMED[name];
  if (known !== undefined) return known;
  const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
  if (!number) return undefined;
  const code = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
