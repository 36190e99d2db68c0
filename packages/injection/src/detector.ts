import { CLASS, maskOf, pairBit, SEEN, TRIGGERS } from './char-mask.ts';
import { detectTypeMember, mayBeStream } from './deserialization.ts';
import { type FieldKind, kindByName, kindBySchema, type SchemaHint } from './field-kind.ts';
import type { InjectionFinding, InjectionPlace, Match } from './finding.ts';
import { inspectText } from './inspect-text.ts';
import { maskEvidence } from './mask-evidence.ts';
import { readMultipart } from './multipart.ts';
import { detectOperatorKey } from './nosql.ts';
import { isPlainUrlAt } from './ssrf.ts';
import { readString, walkJson } from './walk-json.ts';
import { detectXxe } from './xxe.ts';
import { walkXml } from './walk-xml.ts';

/** More would tell nobody more: the first already decides. */
export const FINDINGS_MAX = 8;
const KEY_CHARS_MAX = 512;
const TREE_DEPTH_MAX = 100;
const NESTED_DEPTH_MAX = 3;

/**
 * What a description says of the value at `tokens` within `place`; undefined: nothing. Asked only for values that
 * hold something worth a look.
 */
export type SchemaLookup = (place: InjectionPlace, tokens: readonly string[]) => SchemaHint | undefined;

export interface InspectOptions {
  readonly schema?: SchemaLookup;
  /** Values are known to fit their schemas, so that an integer or UUID needs no look. */
  readonly enforced?: boolean;
  /** Put in front of every pointer: `/variables`. */
  readonly pointer?: string;
  /** Where a tree comes from; `body` by default. */
  readonly in?: InjectionPlace;
}

/** Finds attacks in what a call carries. Stateless and pure; one is enough for a process. */
export interface InjectionDetector {
  /** One value whose field is known by name. `tokens` is its place, outermost first. */
  inspectValue(
    place: InjectionPlace,
    tokens: readonly string[],
    text: string,
    options?: InspectOptions,
  ): InjectionFinding | null;
  /** A JSON text as bytes: nothing is built of it, strings are copied only when they hold a sign of interest. */
  inspectJson(bytes: Uint8Array, options?: InspectOptions): InjectionFinding[];
  /** A parsed JSON value: arguments of a tool, variables of a GraphQL query. */
  inspectTree(value: unknown, options?: InspectOptions): InjectionFinding[];
  /** A query or form as it came: `a=1&b[$ne]=2`. */
  inspectForm(place: 'query' | 'body', text: string, options?: InspectOptions): InjectionFinding[];
  inspectXml(text: string, options?: InspectOptions): InjectionFinding[];
  /**
   * A form with files: its fields by name, JSON in them, and the names of files. What files hold is theirs.
   * Null: it can't be read in one way only.
   */
  inspectMultipart(contentType: string, bytes: Uint8Array, options?: InspectOptions): InjectionFinding[] | null;
  /** Text of another type, as one value without a name. */
  inspectPlain(text: string, options?: InspectOptions): InjectionFinding[];
  /** Path parameters, decoded, or the segments of an undescribed path. */
  inspectPath(parameters: Readonly<Record<string, string>>, options?: InspectOptions): InjectionFinding[];
  /** Fields by turns name and value, as `rawHeaders` has them. Those that HTTP itself defines are left out. */
  inspectHeaders(rawHeaders: readonly string[], options?: InspectOptions): InjectionFinding[];
}

const pointerOf = (tokens: readonly string[]): string =>
  tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function finding(
  place: InjectionPlace,
  tokens: readonly string[],
  text: string,
  found: Match,
  options: InspectOptions,
): InjectionFinding {
  const { kind, rule, confidence, start, end } = found;
  return {
    kind,
    rule,
    confidence,
    in: place,
    pointer: (options.pointer ?? '') + pointerOf(tokens).slice(0, KEY_CHARS_MAX),
    evidence: maskEvidence(text, start, end),
  };
}

/** The innermost name that is no index of a list. */
function nameOf(tokens: readonly string[]): string {
  for (let at = tokens.length - 1; at >= 0; at--) if (!/^\d+$/.test(tokens[at]!)) return tokens[at]!;
  return '';
}

function kindOf(place: InjectionPlace, tokens: readonly string[], options: InspectOptions): FieldKind {
  const name = nameOf(tokens);
  const schema = options.schema?.(place, tokens);
  const kind = schema ? kindBySchema(schema, name, options.enforced ?? false) : kindByName(name);
  // A path parameter is an identifier; nobody writes prose or a query into a path.
  if (place === 'path' && (kind === 'free' || kind === 'plain' || kind === 'query')) return 'term';
  // A query parameter called `text` may hold a sentence, a header hardly.
  return place === 'header' && kind === 'free' ? 'plain' : kind;
}

/** Sent by browsers, proxies and SDKs in forms of their own, or judged by other steps. */
const OWN_HEADERS =
  /^(?:accept(?:-.*)?|authorization|proxy-.*|cookie|connection|content-(?:type|length|encoding|md5)|date|dpop|expect|host|if-.*|keep-alive|te|trailer|transfer-encoding|upgrade|via|sec-.*|traceparent|tracestate|baggage|x-amz-.*|x-goog-api-client|x-ms-client-.*|x-stripe-client-.*|x-datadog-.*|x-stainless-.*|x-okta-user-agent.*|pragma|cache-control|origin|sdkversion|x-github-api-version)$/i;

class Detector implements InjectionDetector {
  inspectValue(
    place: InjectionPlace,
    tokens: readonly string[],
    text: string,
    options: InspectOptions = {},
  ): InjectionFinding | null {
    const found = inspectText(text, { kind: kindOf(place, tokens, options), oneLine: place !== 'body' });
    return found && finding(place, tokens, found.text, found, options);
  }

  inspectJson(bytes: Uint8Array, options: InspectOptions = {}): InjectionFinding[] {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const found: InjectionFinding[] = [];
    walkJson(text, {
      value: ({ start, end, mask }, place) => {
        if (found.length >= FINDINGS_MAX || end === start) return;
        // Ids, dates, e-mails, words and URLs: what most values are.
        const signs = mask & TRIGGERS;
        if (signs === 0 ? !couldHide(text, start, end, mask) : signs === SEEN.slashes && isPlainUrlAt(text, start, end))
          return;
        if (kindByName(place.name()) === 'free' && options.schema === undefined && !couldBeStream(text, start)) return;
        this.#string(readString(text, start, end), place.tokens(), options, found, 0);
      },
      key: ({ start, end, mask }, place, valueAt) => {
        if (found.length >= FINDINGS_MAX) return;
        const first = text.charCodeAt(start);
        const special =
          first === 0x24 ||
          first === 0x5f ||
          first === 0x40 ||
          first === 0x5c ||
          (mask & (TRIGGERS | SEEN.bracket)) !== 0;
        if (special || isTypeKey(text, start, end))
          this.#key(readString(text, start, end), stringAt(text, valueAt), place.tokens(), options, found);
      },
    });
    return found;
  }

  inspectTree(value: unknown, options: InspectOptions = {}): InjectionFinding[] {
    const found: InjectionFinding[] = [];
    this.#tree(value, [], options, found, 0);
    return found;
  }

  #tree(
    value: unknown,
    tokens: readonly string[],
    options: InspectOptions,
    found: InjectionFinding[],
    nested: number,
  ): void {
    if (found.length >= FINDINGS_MAX || tokens.length > TREE_DEPTH_MAX) return;
    if (typeof value === 'string') this.#string(value, tokens, options, found, nested);
    else if (Array.isArray(value))
      value.forEach((item, index) => this.#tree(item, [...tokens, String(index)], options, found, nested));
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        const place = [...tokens, key];
        this.#key(key, typeof member === 'string' ? member : null, place, options, found);
        this.#tree(member, place, options, found, nested);
      }
    }
  }

  #key(
    key: string,
    value: string | null,
    tokens: readonly string[],
    options: InspectOptions,
    found: InjectionFinding[],
  ): void {
    // What the description knows by this name is no operator.
    if (options.schema && key.startsWith('$') && options.schema(options.in ?? 'body', tokens) !== undefined) return;
    const member = detectTypeMember(key, value) ?? detectOperatorKey(key);
    if (member) {
      found.push(
        finding(
          options.in ?? 'body',
          tokens,
          member.kind === 'deserialization' && value !== null ? value : key,
          member,
          options,
        ),
      );
      return;
    }
    if ((maskOf(key) & TRIGGERS & ~SEEN.dollar) === 0) return;
    const text = inspectText(key, { kind: 'plain', oneLine: true });
    if (text) found.push(finding(options.in ?? 'body', tokens, text.text, text, options));
  }

  #string(
    text: string,
    tokens: readonly string[],
    options: InspectOptions,
    found: InjectionFinding[],
    nested: number,
  ): void {
    const kind = kindOf(options.in ?? 'body', tokens, options);
    const inner = nested < NESTED_DEPTH_MAX && kind !== 'free' ? nestedJson(text) : undefined;
    if (inner !== undefined) {
      this.#tree(
        inner,
        [],
        { pointer: (options.pointer ?? '') + pointerOf(tokens), in: options.in ?? 'body' },
        found,
        nested + 1,
      );
      return;
    }
    const seen = inspectText(text, { kind, oneLine: false });
    if (seen) found.push(finding(options.in ?? 'body', tokens, seen.text, seen, options));
  }

  inspectForm(place: 'query' | 'body', text: string, options: InspectOptions = {}): InjectionFinding[] {
    const found: InjectionFinding[] = [];
    if (text === '' || !hasFormTrigger(text)) return found;
    for (const pair of text.split('&')) {
      if (found.length >= FINDINGS_MAX || pair === '') continue;
      const equals = pair.indexOf('=');
      const name = formText(equals === -1 ? pair : pair.slice(0, equals));
      const value = equals === -1 ? '' : formText(pair.slice(equals + 1));
      this.#parameter(place, name, value, options, found);
    }
    return found;
  }

  #parameter(
    place: 'query' | 'body',
    name: string,
    value: string,
    options: InspectOptions,
    found: InjectionFinding[],
  ): void {
    const described = options.schema?.(place, [name]) !== undefined;
    const operator = described ? null : (detectTypeMember(name, value) ?? detectOperatorKey(name));
    if (operator) {
      found.push(finding(place, [name], name, operator, options));
      return;
    }
    if (!described && (maskOf(name) & TRIGGERS & ~SEEN.dollar) !== 0) {
      const seen = inspectText(name, { kind: 'plain', oneLine: true });
      if (seen) found.push(finding(place, [name], seen.text, seen, options));
    }
    const inner = value.startsWith('{') || value.startsWith('[') ? nestedJson(value) : undefined;
    const before = found.length;
    if (inner !== undefined)
      this.#tree(inner, [], { pointer: (options.pointer ?? '') + pointerOf([name]), in: place }, found, 1);
    if (found.length > before) return;
    const tokens = name
      .replace(/\]$/, '')
      .split(/\]?\[/)
      .filter((token) => token !== '');
    const kind = kindOf(place, described ? [name] : tokens, options);
    const seen = inspectText(value, { kind, oneLine: place === 'query' });
    if (seen) found.push(finding(place, [name], seen.text, seen, options));
  }

  inspectXml(text: string, options: InspectOptions = {}): InjectionFinding[] {
    const doctype = detectXxe(text, true);
    if (doctype) return [finding('body', [], text, doctype, options)];
    const found: InjectionFinding[] = [];
    walkXml(text, (tokens, value) => {
      if (found.length < FINDINGS_MAX) this.#string(value, tokens, options, found, NESTED_DEPTH_MAX);
    });
    return found;
  }

  inspectMultipart(contentType: string, bytes: Uint8Array, options: InspectOptions = {}): InjectionFinding[] | null {
    const parts = readMultipart(contentType, bytes);
    if (!parts) return null;
    const found: InjectionFinding[] = [];
    for (const { name, fileName, type, content } of parts) {
      if (found.length >= FINDINGS_MAX) break;
      if (fileName !== null) {
        // What is written to a disk or into a page under this name: an identifier, not prose.
        const seen = inspectText(fileName, { kind: 'term', oneLine: true });
        if (seen) found.push(finding('body', [name, 'filename'], seen.text, seen, options));
      } else if (/[/+]json$/.test(type)) {
        const pointer = (options.pointer ?? '') + pointerOf([name]);
        found.push(...this.inspectJson(content, { pointer }));
      } else this.#parameter('body', name, content.toString('utf8'), options, found);
    }
    return found.slice(0, FINDINGS_MAX);
  }

  inspectPlain(text: string, options: InspectOptions = {}): InjectionFinding[] {
    const one = this.inspectValue('body', [], text, options);
    return one ? [one] : [];
  }

  inspectPath(parameters: Readonly<Record<string, string>>, options: InspectOptions = {}): InjectionFinding[] {
    const found: InjectionFinding[] = [];
    for (const name of Object.keys(parameters)) {
      const value = parameters[name]!;
      if ((maskOf(value) & (TRIGGERS | SEEN.space)) === 0) continue;
      const one = this.inspectValue('path', [name], value, options);
      if (one) found.push(one);
    }
    return found;
  }

  inspectHeaders(rawHeaders: readonly string[], options: InspectOptions = {}): InjectionFinding[] {
    const found: InjectionFinding[] = [];
    for (let at = 0; at + 1 < rawHeaders.length && found.length < FINDINGS_MAX; at += 2) {
      const name = rawHeaders[at]!;
      const value = rawHeaders[at + 1]!;
      if ((maskOf(value) & TRIGGERS) === 0 || OWN_HEADERS.test(name)) continue;
      const lower = name.toLowerCase();
      const seen = inspectText(value, {
        kind: /^(?:user-agent|referer|x-.*user-agent.*)$/.test(lower) ? 'plain' : kindOf('header', [lower], options),
        oneLine: true,
      });
      // A user agent's brackets and semicolons read like much; only what is unmistakable counts.
      const floor = lower.includes('user-agent') ? 0.9 : lower === 'referer' ? 0.9 : 0.7;
      if (seen && seen.confidence >= floor && !(lower === 'referer' && seen.kind === 'ssrf'))
        found.push(finding('header', [lower], seen.text, seen, options));
    }
    return found;
  }
}

/** A value without any sign: Base64 of something, a file's absolute path, SQL made of words. */
function couldHide(text: string, start: number, end: number, mask: number): boolean {
  const length = end - start;
  if (length < 8) return false;
  if (text.charCodeAt(start) === 0x2f || couldBeStream(text, start)) return true;
  if ((mask & SEEN.space) !== 0) return hasSqlWord(text, start, end);
  // Base64 comes in fours; what holds a dash or a dot is an id, a date or a host.
  return length >= 12 && length % 4 === 0 && isBase64Like(text, start, end);
}

function isBase64Like(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(end - 1) === 0x3d) return true;
  let upper = false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2d || code === 0x2e || code === 0x5f || code === 0x3a || code === 0x40) return false;
    upper = upper || (code >= 0x41 && code <= 0x5a);
  }
  return upper;
}

/** `select`, `union`, `order`, `having`: looked for by their second and third letters, which a sentence seldom has. */
function hasSqlWord(text: string, start: number, end: number): boolean {
  for (let at = text.indexOf(' ', start); at !== -1 && at < end; at = text.indexOf(' ', at + 1)) {
    const code = text.charCodeAt(at + 1) | 0x20;
    const next = text.charCodeAt(at + 2) | 0x20;
    if (
      (code === 0x73 && next === 0x65) ||
      (code === 0x75 && next === 0x6e) ||
      (code === 0x6f && next === 0x72) ||
      (code === 0x68 && next === 0x61)
    )
      return true;
  }
  return false;
}

function couldBeStream(text: string, start: number): boolean {
  return mayBeStream(text.charCodeAt(start), text.charCodeAt(start + 1));
}

/** `py/object`, `json_class`: the type members that begin with a letter. */
function isTypeKey(text: string, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 9 || length === 10 || length === 11) &&
    (text.startsWith('py/', start) || text.startsWith('json_class', start) || text.startsWith('constructor', start))
  );
}

function stringAt(text: string, at: number): string | null {
  if (text.charCodeAt(at) !== 0x22) return null;
  const end = text.indexOf('"', at + 1);
  return end === -1 ? null : text.slice(at + 1, Math.min(end, at + KEY_CHARS_MAX));
}

function nestedJson(text: string): unknown {
  const first = text.charCodeAt(0);
  if ((first !== 0x7b && first !== 0x5b) || text.length < 4) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // then it is text like any other
  }
}

/** Whether a query holds anything beyond names, plain values and escaped spaces. */
function hasFormTrigger(text: string): boolean {
  let mask = 0;
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x26 || code === 0x3d) {
      before = 0;
      continue;
    }
    mask |= code < 256 ? CLASS[code]! : SEEN.high;
    if (code >= 0x2a && code <= 0x2f) mask |= pairBit(before, code);
    before = code;
  }
  return (mask & (TRIGGERS | SEEN.plus | SEEN.bracket)) !== 0 || text.length >= 12;
}

/** WHATWG URL, section 5.1: plus is a space; an escape that isn't one stays. */
function formText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced; // left to the lenient decoder, which knows overlong forms
  }
}

export function createInjectionDetector(): InjectionDetector {
  return new Detector();
}
