import { z } from 'zod';
import { type Entity, entity as entitySchema } from './entity.ts';
import { MappingFailed, NotVisible, StreamUnknown } from './errors.ts';
import { listOf } from './expression.ts';
import type { LoadedManifest } from './load-manifest.ts';
import type { EnrichSpec, StreamSpec } from './manifest-stream.ts';
import { type PageCursor, readPage, walkPages } from './page-walk.ts';
import type { Bindings } from './request-template.ts';
import { judgeFailure, type ToolClient } from './tool-client.ts';

const ENTITIES_PER_ITEM_MAX = 10_000;
const PROBLEMS_KEPT_MAX = 20;

/** Where a read of a stream is; kept after each page, so that a crash or a cancel loses none. */
export interface StreamPosition {
  readonly outer: PageCursor;
  /** Member of the outer page that is next. */
  readonly index: number;
  readonly inner: PageCursor;
}

/** What an incremental stream remembers between syncs. */
export interface StreamMark {
  /** The newest moment seen, milliseconds; by `time`. */
  readonly newestAt?: number;
  /** What the tool gave to go on from; by `token`. */
  readonly token?: string;
}

export interface StreamPage {
  readonly entities: readonly Entity[];
  /** Where to go on after this page; null at the end. */
  readonly position: StreamPosition | null;
  readonly mark: StreamMark;
  /** Parts that this page could not see: of some parents, not of the stream. */
  readonly hidden: readonly string[];
  /** Items that no entity could be made of. */
  readonly problems: readonly string[];
}

export interface ReadOptions {
  readonly position?: StreamPosition | null;
  /** Of the last sync that came to its end: it decides since when is read. */
  readonly mark?: StreamMark;
  /** What this read had seen when it stopped at `position`. */
  readonly seen?: StreamMark;
  readonly config: Readonly<Record<string, string>>;
  readonly baseUrl: string;
  readonly now: number;
  /** Only what changed since, milliseconds; overrides the mark. */
  readonly since?: number;
  /** The customer's plan, where known. */
  readonly plan?: string | null;
}

interface Context {
  readonly loaded: LoadedManifest;
  readonly stream: StreamSpec;
  readonly client: ToolClient;
  readonly options: ReadOptions;
  readonly bindings: Bindings;
}

function sinceOf(stream: StreamSpec, options: ReadOptions): string | undefined {
  const { incremental } = stream;
  if (incremental?.by !== 'time') return undefined;
  const newest = options.mark?.newestAt;
  const first = incremental.firstDays === undefined ? undefined : options.now - incremental.firstDays * 86_400_000;
  const at = options.since ?? (newest === undefined ? first : newest - incremental.lookBackS * 1_000);
  if (at === undefined) return undefined;
  const iso = new Date(Math.max(0, at)).toISOString();
  const formats = {
    iso,
    iso_seconds: `${iso.slice(0, 19)}Z`,
    date: iso.slice(0, 10),
    epoch_s: String(Math.floor(at / 1_000)),
    epoch_ms: String(Math.floor(at)),
  };
  return formats[incremental.format];
}

/** Throws `NotVisible` when the customer's plan lacks the stream: nothing is asked, and nothing is concluded. */
export function checkPlan(loaded: LoadedManifest, plans: readonly string[], plan: string | null | undefined): void {
  if (plans.length === 0 || plan === undefined || plan === null || plans.includes(plan)) return;
  const titleOf = (name: string): string => loaded.manifest.plans.find((one) => one.name === name)?.title ?? name;
  throw new NotVisible(`The plan ${titleOf(plan)} lacks it; it needs ${plans.map(titleOf).join(' or ')}.`, { plan });
}

async function enrichItem(context: Context, spec: EnrichSpec, item: unknown, bindings: Bindings): Promise<unknown> {
  const { loaded, client } = context;
  const extra = bindings['extra'];
  if (spec.when !== undefined && (await loaded.expression(spec.when).evaluate(item, { extra })) !== true) {
    return undefined;
  }
  const result = await client.call(spec.request, bindings);
  if (!result) return undefined;
  if (result.ok) return loaded.expression(spec.items).evaluate(result.body);
  if (spec.nullStatuses.includes(result.status)) return null;
  if (spec.hiddenStatuses.includes(result.status)) return undefined;
  throw judgeFailure(loaded.manifest.title, result, context.stream.notVisible);
}

async function mapItem(context: Context, item: unknown, parent: unknown): Promise<Entity[]> {
  const { loaded, stream, options } = context;
  const extra: Record<string, unknown> = {};
  for (const spec of stream.enrich) {
    const value = await enrichItem(context, spec, item, { ...context.bindings, item, parent, extra });
    if (value !== undefined) extra[spec.as] = value;
  }
  const mapped = await loaded.expression(stream.map).evaluate(item, { parent, extra, config: options.config });
  const list = listOf(mapped);
  if (list.length > ENTITIES_PER_ITEM_MAX) throw new MappingFailed(`One item made ${list.length} entities.`);
  return list.map((one) => {
    const parsed = entitySchema.safeParse(one);
    if (!parsed.success) throw new MappingFailed(z.prettifyError(parsed.error));
    if (!stream.emits.includes(parsed.data.type)) throw new MappingFailed(`It emits no ${parsed.data.type}.`);
    return parsed.data;
  });
}

/** Maps the items of a page; one that can't be mapped is told, and stops none of the others. */
async function mapItems(context: Context, items: readonly unknown[], parent: unknown) {
  const entities: Entity[] = [];
  const problems: string[] = [];
  for (const item of items) {
    try {
      entities.push(...(await mapItem(context, item, parent)));
    } catch (error) {
      if (!(error instanceof MappingFailed)) throw error;
      if (problems.length < PROBLEMS_KEPT_MAX) problems.push(error.message);
    }
  }
  return { entities, problems };
}

async function newestOf(context: Context, items: readonly unknown[], before: number | undefined) {
  const { incremental } = context.stream;
  if (incremental?.by !== 'time') return before;
  let newest = before;
  for (const item of items) {
    const value = await context.loaded.expression(incremental.cursor).evaluate(item);
    const number = typeof value === 'number' ? value : Date.parse(String(value));
    if (Number.isFinite(number) && number <= context.options.now) newest = Math.max(newest ?? 0, number);
  }
  return newest;
}

async function nextMark(
  context: Context,
  mark: StreamMark,
  items: readonly unknown[],
  body: unknown,
): Promise<StreamMark> {
  const { incremental } = context.stream;
  if (incremental?.by === 'token') {
    const token = await context.loaded.expression(incremental.from).evaluate(body);
    return typeof token === 'string' || typeof token === 'number' ? { token: String(token) } : mark;
  }
  const newestAt = await newestOf(context, items, mark.newestAt);
  return newestAt === undefined ? mark : { newestAt };
}

async function* readFlat(context: Context, from: PageCursor, mark: StreamMark): AsyncGenerator<StreamPage> {
  const { loaded, client, stream, bindings, options } = context;
  const read = (cursor: PageCursor) => readPage(loaded, client, stream, bindings, cursor, options.baseUrl);
  for await (const { page } of walkPages(read, from)) {
    const { entities, problems } = await mapItems(context, page.items, undefined);
    mark = await nextMark(context, mark, page.items, page.body);
    const position = page.next === undefined ? null : { outer: null, index: 0, inner: page.next };
    yield { entities, problems, position, mark, hidden: [] };
  }
}

/** A stream that is read once for each member of a list. What one member hides doesn't hide the others. */
async function* readEach(context: Context, start: StreamPosition, mark: StreamMark): AsyncGenerator<StreamPage> {
  const { loaded, client, stream, bindings, options } = context;
  const outerSpec = stream.each;
  if (!outerSpec) return;
  const readOuter = (cursor: PageCursor) =>
    readPage(loaded, client, { ...outerSpec, notVisible: stream.notVisible }, bindings, cursor, options.baseUrl);
  let resume: StreamPosition | null = start;
  for await (const { page: outer, cursor } of walkPages(readOuter, start.outer)) {
    const first: number = resume?.index ?? 0;
    for (let index = first; index < outer.items.length; index++) {
      const parent = outer.items[index];
      const inner = { ...bindings, parent };
      const innerContext = { ...context, bindings: inner };
      const read = (at: PageCursor) => readPage(loaded, client, stream, inner, at, options.baseUrl);
      const isLast = index + 1 >= outer.items.length;
      const after = isLast
        ? outer.next === undefined
          ? null
          : { outer: outer.next, index: 0, inner: null }
        : { outer: cursor, index: index + 1, inner: null };
      try {
        const from: PageCursor = resume?.inner ?? null;
        resume = null;
        for await (const { page } of walkPages(read, from)) {
          const { entities, problems } = await mapItems(innerContext, page.items, parent);
          mark = await nextMark(context, mark, page.items, page.body);
          const position = page.next === undefined ? after : { outer: cursor, index, inner: page.next };
          yield { entities, problems, position, mark, hidden: [] };
        }
      } catch (error) {
        if (!(error instanceof NotVisible)) throw error;
        yield { entities: [], problems: [], position: after, mark, hidden: [error.message] };
      }
    }
    resume = null;
    if (outer.items.length === 0) {
      const position = outer.next === undefined ? null : { outer: outer.next, index: 0, inner: null };
      yield { entities: [], problems: [], position, mark, hidden: [] };
    }
  }
}

export function findStream(loaded: LoadedManifest, name: string): StreamSpec {
  const stream = Object.hasOwn(loaded.manifest.streams, name) ? loaded.manifest.streams[name] : undefined;
  if (!stream) throw new StreamUnknown(`${loaded.manifest.title} has no stream ${name}.`, { stream: name });
  return stream;
}

/**
 * Reads a stream page by page, from where an earlier read stopped. Throws `NotVisible` when the plan, the scope or the
 * role lacks it.
 */
export async function* readStream(
  loaded: LoadedManifest,
  name: string,
  client: ToolClient,
  options: ReadOptions,
): AsyncGenerator<StreamPage> {
  const stream = findStream(loaded, name);
  checkPlan(loaded, stream.plans, options.plan);
  const since = sinceOf(stream, options);
  const mark = options.mark ?? {};
  const bindings: Bindings = {
    config: options.config,
    now: new Date(options.now).toISOString(),
    ...(since === undefined ? {} : { since }),
    ...(mark.token === undefined ? {} : { token: mark.token }),
  };
  const context: Context = { loaded, stream, client, options, bindings };
  const seen = options.seen ?? mark;
  if (stream.each) yield* readEach(context, options.position ?? { outer: null, index: 0, inner: null }, seen);
  else yield* readFlat(context, options.position?.inner ?? null, seen);
}
