import { ToolFailed } from './errors.ts';
import { listOf } from './expression.ts';
import type { LoadedManifest } from './load-manifest.ts';
import type { Paging, ReadSpec } from './manifest-stream.ts';
import type { Bindings } from './request-template.ts';
import { type CallOptions, judgeFailure, type ToolClient, type ToolResult } from './tool-client.ts';

const PAGES_MAX = 100_000;

/** Where a walk is: null at its beginning. JSON, so that it can be kept and taken up again. */
export type PageCursor = string | number | null;

export interface Page {
  readonly items: readonly unknown[];
  /** Undefined at the end. */
  readonly next: PageCursor | undefined;
  readonly body: unknown;
}

// oxlint-disable-next-line typescript/consistent-return -- every kind returns; a new one fails to compile
function optionsFor(paging: Paging, cursor: PageCursor): CallOptions {
  switch (paging.kind) {
    case 'none':
      return {};
    case 'link':
    case 'next-url':
      return cursor === null ? {} : { url: String(cursor) };
    case 'cursor':
      if (cursor === null) return {};
      return paging.in === 'query'
        ? { query: { [paging.parameter]: String(cursor) } }
        : { body: { [paging.parameter]: cursor } };
    case 'graphql':
      return { body: { [paging.variable]: cursor } };
    case 'offset':
      return {
        query: {
          [paging.parameter]: String(cursor ?? paging.start),
          [paging.limitParameter]: String(paging.limit),
        },
      };
    case 'page':
      return {
        query: {
          [paging.parameter]: String(cursor ?? paging.first),
          ...(paging.sizeParameter === undefined ? {} : { [paging.sizeParameter]: String(paging.size) }),
        },
      };
  }
}

/** `<https://…?page=2>; rel="next", …` (RFC 8288). */
function nextLink(header: string | undefined): string | undefined {
  for (const part of header?.split(/,(?=\s*<)/) ?? []) {
    const [, target, parameters = ''] = /^\s*<([^>]*)>(.*)$/s.exec(part) ?? [];
    if (target !== undefined && /;\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?/i.test(parameters)) return target;
  }
  return undefined;
}

// oxlint-disable-next-line typescript/consistent-return -- as above
async function nextOf(
  loaded: LoadedManifest,
  paging: Paging,
  cursor: PageCursor,
  result: ToolResult,
  count: number,
  requestUrl: string,
): Promise<PageCursor | undefined> {
  const ask = (text: string): Promise<unknown> => loaded.expression(text).evaluate(result.body);
  const asCursor = (value: unknown): PageCursor | undefined =>
    (typeof value === 'string' && value !== '') || typeof value === 'number' ? value : undefined;
  switch (paging.kind) {
    case 'none':
      return undefined;
    case 'link':
      return nextLink(result.headers['link']);
    case 'next-url': {
      const found = asCursor(await ask(paging.from));
      if (found === undefined) return undefined;
      const text = String(found);
      if (/^https?:/i.test(text)) return text;
      return paging.relativeTo === 'base' ? `${requestUrl}${text}` : new URL(text, requestUrl).href;
    }
    case 'cursor':
      return asCursor(await ask(paging.from));
    case 'graphql': {
      const info = await ask(paging.pageInfo);
      const isMore = typeof info === 'object' && info !== null && 'hasNextPage' in info && info.hasNextPage === true;
      return isMore && 'endCursor' in info ? asCursor(info.endCursor) : undefined;
    }
    case 'offset': {
      const next = Number(cursor ?? paging.start) + count;
      if (count === 0) return undefined;
      if (paging.total === undefined) return count < paging.limit ? undefined : next;
      const total = await ask(paging.total);
      return typeof total === 'number' && next - paging.start < total ? next : undefined;
    }
    case 'page': {
      const next = Number(cursor ?? paging.first) + 1;
      if (paging.more !== undefined) return (await ask(paging.more)) === true ? next : undefined;
      return count < paging.size ? undefined : next;
    }
  }
}

/** What is asked for a page: tools with a path of its own for following pages want nothing but the cursor there. */
function requestAt({ request, paging }: ReadSpec, cursor: PageCursor): ReadSpec['request'] {
  if (paging.kind !== 'cursor' || paging.path === undefined || cursor === null) return request;
  const { host, method, safe } = request;
  return {
    method,
    path: paging.path,
    ...(host === undefined ? {} : { host }),
    ...(safe === undefined ? {} : { safe }),
    json: {},
  };
}

/** Reads one page. Throws `NotVisible` or `ToolFailed` for an answer that is no success. */
export async function readPage(
  loaded: LoadedManifest,
  client: ToolClient,
  spec: ReadSpec & {
    readonly notVisible?: readonly { status?: number | undefined; code?: string | undefined; because: string }[];
  },
  bindings: Bindings,
  cursor: PageCursor,
  baseUrl: string,
): Promise<Page> {
  const result = await client.call(requestAt(spec, cursor), bindings, optionsFor(spec.paging, cursor));
  if (!result) throw new ToolFailed(`${loaded.manifest.title}: the request lacks a value: ${spec.request.path}`);
  if (spec.emptyStatuses.includes(result.status)) return { items: [], next: undefined, body: null };
  if (!result.ok) throw judgeFailure(loaded.manifest.title, result, spec.notVisible ?? []);
  const items = listOf(await loaded.expression(spec.items).evaluate(result.body));
  const next = await nextOf(loaded, spec.paging, cursor, result, items.length, baseUrl);
  if (next !== undefined && next === cursor) throw new ToolFailed('The tool gives the same page again.');
  return { items, next, body: result.body };
}

/** Walks all pages from a cursor on. */
export async function* walkPages(
  read: (cursor: PageCursor) => Promise<Page>,
  from: PageCursor,
): AsyncGenerator<{ readonly page: Page; readonly cursor: PageCursor }> {
  let cursor: PageCursor | undefined = from;
  for (let pages = 0; cursor !== undefined; pages++) {
    if (pages >= PAGES_MAX) throw new ToolFailed(`The tool gives more than ${PAGES_MAX} pages.`);
    const page: Page = await read(cursor);
    yield { page, cursor };
    cursor = page.next;
  }
}
