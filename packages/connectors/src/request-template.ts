import { createHash } from 'node:crypto';
import { z } from 'zod';

const PATH_CHARS_MAX = 2_048;
const scalar = z.union([z.string().max(8_192), z.number(), z.boolean()]);

/**
 * One call of a tool's API. Text may hold `{config.x}`, `{parent.x}`, `{item.x}`, `{input.x}`, `{captured.x}`,
 * `{since}` and `{token}`; in a path each is percent-encoded whole. A query or body member whose template has no value
 * is left out.
 */
export const requestTemplate = z
  .strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
    path: z
      .string()
      .max(PATH_CHARS_MAX)
      .regex(/^\/(?!\/)/, 'starts with one slash')
      .describe('Path below the base URL.'),
    host: z.string().max(64).optional().describe('Name of another base URL in `hosts`.'),
    query: z.record(z.string().max(128), scalar).optional(),
    headers: z.record(z.string().max(128), z.string().max(1_024)).optional(),
    json: z.json().optional().describe('JSON body; a text that is one template alone keeps the type of its value.'),
    form: z.record(z.string().max(128), scalar).optional().describe('Form body.'),
    upload: z
      .strictObject({
        json: z.json().describe('What the tool is told of the file.'),
        mediaType: z.string().max(256).default('application/octet-stream').describe('Of the bytes; may be a template.'),
      })
      .optional()
      .describe('The bytes of a restored file, with JSON before them, as `multipart/related` (RFC 2387).'),
    graphql: z
      .strictObject({ query: z.string().max(20_000), variables: z.record(z.string(), z.json()).optional() })
      .optional(),
    safe: z
      .boolean()
      .optional()
      .describe('This call only reads, although its method could write: a search by POST, a GraphQL query.'),
  })
  .refine((one) => [one.json, one.form, one.graphql, one.upload].filter((body) => body !== undefined).length <= 1, {
    error: 'has more than one body',
  });
export type RequestTemplate = z.output<typeof requestTemplate>;

export type Bindings = Readonly<Record<string, unknown>>;

export interface BuiltRequest {
  readonly method: RequestTemplate['method'];
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** Reads only, by its method or by what the manifest says. */
  readonly safe: boolean;
}

const PLACEHOLDER = /\{([a-zA-Z][\w]*(?:\.[\w$@-]+)*)\}/g;
const WHOLE = /^\{([a-zA-Z][\w]*(?:\.[\w$@-]+)*)\}$/;

function lookUp(bindings: Bindings, name: string): unknown {
  let value: unknown = bindings;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part]; // an object by the check above
  }
  return value;
}

/** Names of the placeholders in a template, for checks of manifests. */
export function placeholdersOf(value: unknown): string[] {
  return Array.from((JSON.stringify(value) ?? '').matchAll(PLACEHOLDER), ([, name = '']) => name);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Fills a text; undefined when a placeholder has no value. */
export function fillText(template: string, bindings: Bindings, encode?: (text: string) => string): string | undefined {
  let missing = false;
  const filled = template.replaceAll(PLACEHOLDER, (_all, name: string) => {
    const value = textOf(lookUp(bindings, name));
    if (value === undefined) missing = true;
    return encode && value !== undefined ? encode(value) : (value ?? '');
  });
  return missing ? undefined : filled;
}

/** Fills a tree of JSON; members without a value are left out. */
export function fillTree(template: unknown, bindings: Bindings): unknown {
  if (typeof template === 'string') {
    const whole = WHOLE.exec(template)?.[1];
    return whole === undefined ? fillText(template, bindings) : lookUp(bindings, whole);
  }
  if (Array.isArray(template)) return template.map((one) => fillTree(one, bindings)).filter((one) => one !== undefined);
  if (typeof template !== 'object' || template === null) return template;
  const members = Object.entries(template).map(([key, value]) => [key, fillTree(value, bindings)] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** `.` and `..` would be folded into the path by the URL parser, whatever their encoding. */
function encodeSegment(text: string): string {
  if (/^\.{1,2}$/.test(text)) throw new TypeError(`a path can't hold ${JSON.stringify(text)}`);
  return encodeURIComponent(text);
}

/** From the bytes themselves, so that the same file gives the same request, and never one that stands in them. */
function boundaryFor(file: Uint8Array): string {
  for (let tries = 0; ; tries++) {
    const boundary = `cordon-${createHash('sha256').update(`${tries} `).update(file).digest('hex').slice(0, 40)}`;
    if (!Buffer.from(file.buffer, file.byteOffset, file.byteLength).includes(boundary)) return boundary;
  }
}

function relatedBody(boundary: string, json: string, file: Uint8Array, mediaType: string): Buffer {
  // A line break in a name of a type would end the header that it stands in.
  const type = mediaType.replaceAll(/[\r\n]/g, '');
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${json}\r\n`),
    Buffer.from(`--${boundary}\r\ncontent-type: ${type}\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

/** Gives null when the path lacks a value: there is nothing to ask for. */
export function buildRequest(
  template: RequestTemplate,
  bindings: Bindings,
  base: { readonly url: string; readonly headers?: Readonly<Record<string, string>> },
): BuiltRequest | null {
  const path = fillText(template.path, bindings, encodeSegment);
  if (path === undefined) return null;
  const url = new URL(`${base.url.replace(/\/+$/, '')}${path}`);
  for (const [name, value] of Object.entries(template.query ?? {})) {
    const filled = fillText(String(value), bindings);
    if (filled !== undefined) url.searchParams.set(name, filled);
  }
  const headers: Record<string, string> = { accept: 'application/json', ...base.headers };
  for (const [name, value] of Object.entries(template.headers ?? {})) {
    const filled = fillText(value, bindings);
    if (filled !== undefined) headers[name.toLowerCase()] = filled;
  }
  let body: string | Uint8Array | undefined;
  if (template.upload) {
    const { file } = bindings;
    if (!(file instanceof Uint8Array)) return null;
    const mediaType = fillText(template.upload.mediaType, bindings) ?? 'application/octet-stream';
    const boundary = boundaryFor(file);
    body = relatedBody(boundary, JSON.stringify(fillTree(template.upload.json, bindings)), file, mediaType);
    headers['content-type'] = `multipart/related; boundary=${boundary}`;
  } else if (template.form) {
    const filled = fillTree(template.form, bindings) as Record<string, unknown>; // a record comes out as one
    body = new URLSearchParams(Object.entries(filled).map(([key, value]) => [key, textOf(value) ?? ''])).toString();
    headers['content-type'] = 'application/x-www-form-urlencoded';
  } else if (template.json !== undefined || template.graphql) {
    const { graphql } = template;
    const tree = graphql
      ? { query: graphql.query, variables: fillTree(graphql.variables ?? {}, bindings) }
      : fillTree(template.json, bindings);
    body = JSON.stringify(tree);
    headers['content-type'] ??= 'application/json';
  }
  const safe = template.method === 'GET' || template.method === 'HEAD' || template.safe === true;
  return { method: template.method, url: url.href, headers, body, safe };
}
