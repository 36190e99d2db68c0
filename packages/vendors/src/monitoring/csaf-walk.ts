import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ContentUnrecognised } from '../errors.ts';
import { type CsafDocument, fileNameOf, readCsaf } from './csaf-document.ts';
import {
  type CsafEntry,
  csafFieldsOf,
  type CsafProvider,
  readChanges,
  readIndex,
  readProvider,
  readRolie,
} from './csaf-provider.ts';
import { FEED_BYTES_MAX } from './feed-document.ts';

const DOCUMENTS_A_WALK_MAX = 100;
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const WALK_BYTES_MAX = 64 * 1024 * 1024;
const WALK_MS_MAX = 60_000;
const BESIDE_BYTES_MAX = 16 * 1024;
/** The first walk goes so far back: what is older is history, not news. */
const FIRST_DAYS = 30;
const DAY_MS = 86_400_000;
const REFUSED_KEPT_MAX = 10;
const REFUSED_CHARS_MAX = 300;
/** Of lists without times: documents that were read, remembered by their address. */
const SEEN_MAX = 20_000;

/** An address answered, but not with what was asked for. */
export class AddressRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the address answered ${status}`);
    this.status = status;
  }
}
/** Not there, and not merely out of order for now. */
const isAbsent = (error: unknown): error is AddressRefused =>
  error instanceof AddressRefused && [403, 404, 410].includes(error.status);

export type FetchBytes = (url: string, bytesMax: number) => Promise<Buffer>;

/** Where a walk stands, and how the last one went. Kept with the feed. */
export const walkState = z.object({
  /** Documents changed after this are new; those of that very time are in `seen`. */
  since: z.number(),
  seen: z.array(z.string()).max(SEEN_MAX),
  provider: z.string(),
  /** Of the last walk. */
  listed: z.int(),
  read: z.int(),
  /** A hash beside the document was there and right. */
  hashed: z.int(),
  /** A signature was there. It is not verified. */
  signed: z.int(),
  refused: z.array(z.string()),
  isMore: z.boolean(),
});
export type WalkState = z.output<typeof walkState>;

export interface WalkedDocument {
  readonly document: CsafDocument;
  readonly content: string;
}

interface Walk {
  readonly get: (url: string, bytesMax: number) => Promise<Buffer>;
  /** Null: the address has none. */
  readonly find: (url: string, bytesMax: number) => Promise<Buffer | null>;
}

/** Bounds what a whole walk may read and how long it may take. */
function bounded(fetchBytes: FetchBytes, clock: { now(): number }): Walk {
  const until = clock.now() + WALK_MS_MAX;
  let left = WALK_BYTES_MAX;
  const get = async (url: string, bytesMax: number): Promise<Buffer> => {
    if (clock.now() > until) throw new Error(`the walk took longer than ${WALK_MS_MAX / 1_000} s`);
    if (left <= 0) throw new Error(`the walk read more than ${WALK_BYTES_MAX} bytes`);
    const bytes = await fetchBytes(url, Math.min(bytesMax, left));
    left -= bytes.byteLength;
    return bytes;
  };
  const find = async (url: string, bytesMax: number): Promise<Buffer | null> => {
    try {
      return await get(url, bytesMax);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  };
  return { get, find };
}

/** The provider's metadata by its own address, or for a bare domain by the rules of section 7.3.1. */
async function findProvider({ get, find }: Walk, address: string): Promise<CsafProvider> {
  const url = new URL(address);
  if (url.pathname.endsWith('.json')) return readProvider((await get(address, FEED_BYTES_MAX)).toString('utf8'));
  const wellKnown = await find(new URL('/.well-known/csaf/provider-metadata.json', url).href, FEED_BYTES_MAX);
  if (wellKnown) return readProvider(wellKnown.toString('utf8'));
  for (const path of ['/.well-known/security.txt', '/security.txt']) {
    const at = new URL(path, url).href;
    const text = await find(at, BESIDE_BYTES_MAX);
    const [field] = text ? csafFieldsOf(text.toString('utf8'), at) : [];
    if (field !== undefined) return readProvider((await get(field, FEED_BYTES_MAX)).toString('utf8'));
  }
  throw new ContentUnrecognised(
    'There is no provider-metadata.json at the well-known address, and no security.txt names one (CSAF 2.0, 7.3.1).',
  );
}

async function entriesOf({ get, find }: Walk, { distributions }: CsafProvider): Promise<CsafEntry[]> {
  const entries = new Map<string, CsafEntry>();
  const add = (all: readonly CsafEntry[]): void => {
    for (const one of all) {
      const known = entries.get(one.url);
      if (known === undefined || (known.updated ?? 0) < (one.updated ?? 0)) entries.set(one.url, one);
    }
  };
  for (const { directory_url: directory, rolie } of distributions) {
    for (const { url } of rolie?.feeds ?? []) add(readRolie((await get(url, LIST_BYTES_MAX)).toString('utf8'), url));
    if (directory === undefined) continue;
    const base = directory.endsWith('/') ? directory : `${directory}/`;
    const changes = await find(new URL('changes.csv', base).href, LIST_BYTES_MAX);
    if (changes) add(readChanges(changes.toString('utf8'), base));
    else add(readIndex((await get(new URL('index.txt', base).href, LIST_BYTES_MAX)).toString('utf8'), base));
  }
  return [...entries.values()];
}

const lastPart = (url: string): string => decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');

/** True: a hash stands beside it and is right; false: none stands there. Throws when one is wrong. */
async function isHashed({ find }: Walk, { hashes }: CsafEntry, bytes: Buffer): Promise<boolean> {
  for (const url of hashes) {
    const file = await find(url, BESIDE_BYTES_MAX);
    if (!file) continue;
    const algorithm = url.endsWith('.sha256') ? 'sha256' : 'sha512';
    // `hash  name`, as sha256sum and sha512sum write it.
    const said = /^\s*([\da-f]{64,128})\b/i.exec(file.toString('latin1'))?.[1]?.toLowerCase();
    if (said !== createHash(algorithm).update(bytes).digest('hex')) {
      throw new ContentUnrecognised(`its ${algorithm} is not the one beside it`);
    }
    return true;
  }
  return false;
}

async function readEntry(walk: Walk, entry: CsafEntry) {
  const bytes = await walk.get(entry.url, FEED_BYTES_MAX);
  const hashed = await isHashed(walk, entry, bytes);
  const signed = (await walk.find(entry.signature, BESIDE_BYTES_MAX)) !== null;
  const content = bytes.toString('utf8');
  const document = readCsaf(content);
  const name = fileNameOf(document.trackingId);
  if (lastPart(entry.url) !== name) throw new ContentUnrecognised(`its name should be ${name} by its tracking id`);
  return { document, content, hashed, signed };
}

/** What to read now, the oldest first so that a walk that is cut short goes on where it ended. */
function due(entries: readonly CsafEntry[], since: number, seen: ReadonlySet<string>): CsafEntry[] {
  return entries
    .filter(({ url, updated }) => (updated === null || updated >= since) && !seen.has(url))
    .toSorted((a, b) => (a.updated ?? 0) - (b.updated ?? 0) || (a.url < b.url ? -1 : 1));
}

/**
 * Walks what a provider of CSAF 2.0 documents lists (section 7): its metadata, ROLIE feeds and directories, and reads
 * what is new since `before`. A document that is wrong is refused by name and passed over; an address that fails ends
 * the walk, which then goes on from there next time. Throws when the provider or a list can't be read.
 */
export async function walkProvider(
  address: string,
  before: WalkState | null,
  { fetchBytes, clock }: { readonly fetchBytes: FetchBytes; readonly clock: { now(): number } },
  take: (one: WalkedDocument) => Promise<void>,
): Promise<WalkState> {
  const walk = bounded(fetchBytes, clock);
  const provider = await findProvider(walk, address);
  const entries = await entriesOf(walk, provider);
  const since = before?.since ?? clock.now() - FIRST_DAYS * DAY_MS;
  const all = due(entries, since, new Set(before?.seen ?? []));
  const state = { since, seen: [...(before?.seen ?? [])], read: 0, hashed: 0, signed: 0 };
  const untimed = new Set(entries.flatMap(({ url, updated }) => (updated === null ? url : [])));
  const refused: string[] = [];
  const now = all.slice(0, DOCUMENTS_A_WALK_MAX);
  let done = 0;
  for (const entry of now) {
    try {
      const { document, content, hashed, signed } = await readEntry(walk, entry);
      await take({ document, content });
      state.read += 1;
      state.hashed += Number(hashed);
      state.signed += Number(signed);
    } catch (error) {
      if (!(error instanceof ContentUnrecognised || isAbsent(error))) {
        if (done === 0) throw error;
        refused.push(`The walk ended at ${lastPart(entry.url)}: ${error instanceof Error ? error.message : 'failed'}`);
        break;
      }
      refused.push(`${lastPart(entry.url)}: ${error.message}`.slice(0, REFUSED_CHARS_MAX));
    }
    done += 1;
    if (entry.updated !== null && entry.updated > state.since) {
      state.since = entry.updated;
      // Times only rise: what was remembered of an earlier one is behind, but for lists without times.
      state.seen = state.seen.filter((url) => untimed.has(url));
    }
    state.seen = [...state.seen, entry.url].slice(-SEEN_MAX);
  }
  return {
    ...state,
    provider: provider.publisher.name,
    listed: entries.length,
    refused: refused.slice(0, REFUSED_KEPT_MAX),
    isMore: done < all.length,
  };
}
