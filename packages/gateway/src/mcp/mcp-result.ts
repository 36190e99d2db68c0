import { createJsonSchemaCheck, type JsonSchemaCheck, type Violation } from '@cordon/openapi';
import type { McpItemEntry } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { rewriteBody, rewriteUrl } from '../link-rewriter.ts';
import { isText } from '../media-type.ts';
import { blockedRefusal } from '../steps/inspect-request.ts';
import { inspectionRules } from '../steps/inspection-rules.ts';
import { isRecord } from './json-rpc.ts';

type Json = Record<string, unknown>;

const checks = new WeakMap<object, JsonSchemaCheck>();

function checkOf(schema: Record<string, unknown>): JsonSchemaCheck {
  let check = checks.get(schema);
  if (!check) checks.set(schema, (check = createJsonSchemaCheck(schema)));
  return check;
}

/** A call's arguments against the schema that was accepted with the tool. */
export function argumentViolations(item: McpItemEntry, value: unknown): Violation[] {
  return item.inputSchema ? checkOf(item.inputSchema).check(value) : [];
}

function tooMuch(what: string, max: number): Refusal {
  return new Refusal(
    'gateway.response_too_large',
    `The result holds more than ${max} ${what}, the most that this app may answer with.`,
    {
      detail: { max },
    },
  );
}

/** Looks for and takes out sensitive data in one text, and points its links at the gateway. */
class Cleaner {
  readonly #exchange: Exchange;
  readonly #seen = new Set<string>();

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  bytes(bytes: Buffer, contentType: string, again = false): Buffer {
    const exchange = this.#exchange;
    const { runtime, app } = exchange;
    const { resolve, passed } = inspectionRules(exchange, 'response');
    const result = runtime.inspector.inspect(bytes, contentType, 'response', resolve, passed);
    for (const finding of result.findings) {
      // The message as a whole is looked at after its texts: what was only noted there isn't noted twice.
      if (again && finding.action === 'log' && this.#seen.has(finding.class)) continue;
      this.#seen.add(finding.class);
      exchange.addFinding(finding);
    }
    if (result.blocked.length > 0) throw blockedRefusal('response', result.blocked);
    const clean = runtime.credentials.hide(exchange, result.bytes);
    return app.entry.rewriteBodies ? rewriteBody(clean, exchange.links, exchange.gatewayBase) : clean;
  }

  text(text: string): string {
    if (text.length === 0) return text;
    const trimmed = text.trimStart();
    const isJsonText = (trimmed.startsWith('{') || trimmed.startsWith('[')) && isParsable(text);
    const bytes = Buffer.from(text);
    const clean = this.bytes(bytes, isJsonText ? 'application/json' : 'text/plain');
    return clean === bytes ? text : clean.toString('utf8');
  }

  uri(value: string): string {
    const { links, gatewayBase } = this.#exchange;
    return rewriteUrl(value, links, links[0]!, gatewayBase) ?? value; // an app always has its main target
  }

  blob(base64: string, type: string): string {
    const bytes = Buffer.from(base64, 'base64');
    if (!isText(type)) {
      this.#exchange.notes.push('response-uninspected');
      return base64;
    }
    const clean = this.bytes(bytes, type);
    return clean === bytes ? base64 : clean.toString('base64');
  }
}

function isParsable(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function cleanResource(cleaner: Cleaner, resource: Json): Json {
  const type = typeof resource['mimeType'] === 'string' ? resource['mimeType'] : 'application/octet-stream';
  return {
    ...resource,
    ...(typeof resource['text'] === 'string' ? { text: cleaner.text(resource['text']) } : {}),
    ...(typeof resource['blob'] === 'string' ? { blob: cleaner.blob(resource['blob'], type) } : {}),
  };
}

/** One piece of content: text, an embedded resource, a link to one. Images and audio pass as they are, and are noted. */
function cleanContent(cleaner: Cleaner, exchange: Exchange, content: unknown): unknown {
  if (!isRecord(content)) return content;
  switch (content['type']) {
    case 'text':
      return typeof content['text'] === 'string' ? { ...content, text: cleaner.text(content['text']) } : content;
    case 'resource':
      return isRecord(content['resource'])
        ? { ...content, resource: cleanResource(cleaner, content['resource']) }
        : content;
    case 'resource_link':
      return typeof content['uri'] === 'string' ? { ...content, uri: cleaner.uri(content['uri']) } : content;
    default:
      exchange.notes.push('response-uninspected');
      return content;
  }
}

/** The longest list anywhere in a value: what a result calls its records. */
function longestList(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > 64) return 0;
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let longest = Array.isArray(value) ? value.length : 0;
  for (const item of items) longest = Math.max(longest, longestList(item, depth + 1));
  return longest;
}

function checkSize(exchange: Exchange, result: Json): void {
  const { contentItemsMax, recordsMax } = exchange.app.entry.mcp!; // only MCP apps come here
  for (const member of ['content', 'contents', 'messages']) {
    const list = result[member];
    if (Array.isArray(list) && list.length > contentItemsMax) throw tooMuch('pieces of content', contentItemsMax);
  }
  if (longestList(result['structuredContent']) > recordsMax) throw tooMuch('records', recordsMax);
}

function checkOutput(exchange: Exchange, result: Json, item: McpItemEntry | undefined): void {
  const mode = exchange.app.entry.validateResponses;
  if (!item?.outputSchema || mode === 'off' || result['isError'] === true) return;
  const first = checkOf(item.outputSchema).check(result['structuredContent'] ?? null)[0];
  if (!first) return;
  if (mode === 'observe') {
    exchange.notes.push('response-invalid');
    return;
  }
  throw new Refusal('gateway.response_invalid', `The result does not fit the tool’s output schema: ${first.message}.`, {
    detail: { pointer: first.pointer, keyword: first.keyword },
  });
}

/** What a server answered, as the client may have it. */
export function cleanResult(exchange: Exchange, result: Json, item?: McpItemEntry): Json {
  checkSize(exchange, result);
  checkOutput(exchange, result, item);
  const cleaner = new Cleaner(exchange);
  const each = (value: unknown, clean: (one: unknown) => unknown): unknown =>
    Array.isArray(value) ? value.map(clean) : value;
  const cleaned: Json = { ...result };
  if ('content' in result) cleaned['content'] = each(result['content'], (one) => cleanContent(cleaner, exchange, one));
  if ('contents' in result) {
    cleaned['contents'] = each(result['contents'], (one) => (isRecord(one) ? cleanResource(cleaner, one) : one));
  }
  if ('messages' in result) {
    cleaned['messages'] = each(result['messages'], (one) =>
      isRecord(one) ? { ...one, content: cleanContent(cleaner, exchange, one['content']) } : one,
    );
  }
  return cleanWhole(cleaner, cleaned);
}

/** Whatever else a message holds, structured content included, is looked at as one document. */
function cleanWhole(cleaner: Cleaner, value: Json): Json {
  const bytes = Buffer.from(JSON.stringify(value));
  const clean = cleaner.bytes(bytes, 'application/json', true);
  if (clean === bytes) return value;
  const parsed: unknown = JSON.parse(clean.toString('utf8'));
  return isRecord(parsed) ? parsed : {};
}

/** Parameters of a notification or of a request that the server makes. */
export function cleanParams(exchange: Exchange, params: Json): Json {
  return cleanWhole(new Cleaner(exchange), params);
}

/** An error's message and data. */
export function cleanError(exchange: Exchange, error: { code: number; message: string; data?: unknown }): Json {
  const cleaner = new Cleaner(exchange);
  return cleanWhole(cleaner, { ...error, message: cleaner.text(error.message) });
}
