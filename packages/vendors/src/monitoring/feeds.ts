import {
  type Actor,
  appendAudit,
  authorize,
  type Database,
  describeActor,
  type Clock,
  type Queryable,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import { NameTaken, NotFound } from '../errors.ts';
import { isDuplicate } from '../tables.ts';
import { keepBadClients } from './bad-clients.ts';
import { type WalkState, walkProvider, walkState } from './csaf-walk.ts';
import { FEED_BYTES_MAX, readFeed } from './feed-document.ts';
import { monitoringTablesOf } from './monitoring-tables.ts';
import { createMatcher, type NoticeContext, takeCsaf, takeNotices } from './notices.ts';

const FEEDS_MAX = 100;
const FEEDS_A_ROUND_MAX = 2;
const PROBLEM_CHARS_MAX = 300;
const MINUTE_MS = 60_000;
/** A walk that left something goes on soon. */
const GO_ON_MS = 60_000;
const PEM_CHARS_MAX = 20_000;

const pemCertificate = z
  .string()
  .trim()
  .max(PEM_CHARS_MAX)
  .regex(/^-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----$/, 'must be one PEM certificate');

export const feedInput = z.strictObject({
  name: z.string().trim().min(1).max(80),
  /** A feed of notices, one CSAF document, or a provider of CSAF documents by its metadata or its domain. */
  kind: z.enum(['notices', 'csaf', 'csaf_provider']),
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  /** Exact private addresses that the feed's name may resolve to; plain HTTP is allowed only to these. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(16)
    .default([]),
  /** PEM certificates that are trusted for this address in addition to the system's authorities. */
  caCertificates: z.array(pemCertificate).max(8).default([]),
  everyMinutes: z.int().min(5).max(10_080).default(60),
});

export interface Feed {
  readonly id: string;
  readonly name: string;
  readonly kind: z.output<typeof feedInput>['kind'];
  readonly url: string;
  readonly privateAddresses: readonly string[];
  readonly everyMinutes: number;
  readonly polledAt: number | null;
  readonly problem: string | null;
  /** How the last walk went; null for what is no provider, or was not walked yet. */
  readonly walk: WalkState | null;
}

/** How an address may be reached, and how much it may say. */
export interface FeedWay {
  readonly privateAddresses: readonly string[];
  readonly authorities: readonly string[];
  readonly bytesMax: number;
}

export interface FeedContext extends NoticeContext {
  /** Reads an address under the rules of egress; `AddressRefused` for anything but 200, fails past `bytesMax`. */
  readonly fetchBytes: (url: string, way: FeedWay) => Promise<Buffer>;
}

export async function listFeeds(db: Queryable): Promise<Feed[]> {
  const rows = await monitoringTablesOf(db)
    .selectFrom('vendor_feeds')
    .selectAll()
    .orderBy('name')
    .limit(FEEDS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: feedInput.shape.kind.parse(row.kind),
    url: row.url,
    privateAddresses: z.array(z.string()).parse(row.private_addresses),
    everyMinutes: row.every_minutes,
    polledAt: row.polled_at?.getTime() ?? null,
    problem: row.problem,
    walk: row.state === null ? null : walkState.parse(row.state),
  }));
}

export function createFeedCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }) {
  return {
    async create(actor: Actor, raw: unknown): Promise<Feed> {
      authorize(actor, 'vendor.write');
      const input = parseInput(feedInput, raw);
      const at = clock.now();
      const id = uuidv7(at);
      const row = {
        id,
        name: input.name,
        kind: input.kind,
        url: input.url,
        private_addresses: JSON.stringify(input.privateAddresses),
        every_minutes: input.everyMinutes,
        due_at: new Date(at),
        polled_at: null,
        problem: null,
        authorities: JSON.stringify(input.caCertificates),
        state: null,
        created_at: new Date(at),
        created_by: describeActor(actor).name,
      };
      try {
        await db.transaction(async (tx) => {
          await monitoringTablesOf(tx).insertInto('vendor_feeds').values(row).execute();
          const target = { type: 'vendor_feed', id, name: input.name };
          await appendAudit(tx, { actor, action: 'vendor_feed.created', target, detail: { url: input.url }, at });
        });
      } catch (error) {
        if (isDuplicate(error)) throw new NameTaken(`A feed named ${input.name} exists already.`, {}, error);
        throw error;
      }
      const { caCertificates: _, ...shown } = input;
      return { ...shown, id, polledAt: null, problem: null, walk: null };
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'vendor.write');
      await db.transaction(async (tx) => {
        const gone = await monitoringTablesOf(tx)
          .deleteFrom('vendor_feeds')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!gone) throw new NotFound('There is no such feed.', { feed: id });
        const target = { type: 'vendor_feed', id, name: gone.name };
        await appendAudit(tx, { actor, action: 'vendor_feed.removed', target, detail: {}, at: clock.now() });
      });
    },
  };
}

/** Reads one feed; returns where its walk stands. */
async function pollFeed(context: FeedContext, feed: Feed, authorities: readonly string[]): Promise<WalkState | null> {
  const { db, clock } = context;
  const actor: Actor = { kind: 'system', name: `feed ${feed.name}` };
  const { privateAddresses } = feed;
  const fetchBytes = (url: string, bytesMax: number): Promise<Buffer> =>
    context.fetchBytes(url, { privateAddresses, authorities, bytesMax });
  if (feed.kind === 'csaf_provider') {
    const match = await createMatcher(db);
    return walkProvider(feed.url, feed.walk, { fetchBytes, clock }, async (one) => {
      await takeCsaf(context, actor, feed.id, { ...one, match });
    });
  }
  const content = readFeed(feed.kind, (await fetchBytes(feed.url, FEED_BYTES_MAX)).toString('utf8'));
  await takeNotices(context, actor, feed.id, content.notices);
  await keepBadClients(db, content.clients, feed.name, clock.now());
  return null;
}

/** Reads the feeds that are due; what stands against one is kept with it and stops none of the others. */
export async function pollFeeds(context: FeedContext): Promise<number> {
  const { db, clock } = context;
  const due = await monitoringTablesOf(db)
    .selectFrom('vendor_feeds')
    .select(['id', 'authorities'])
    .where('due_at', '<=', new Date(clock.now()))
    .orderBy('due_at')
    .limit(FEEDS_A_ROUND_MAX)
    .execute();
  const authorities = new Map(due.map((one) => [one.id, z.array(z.string()).parse(one.authorities)]));
  const feeds = (await listFeeds(db)).filter(({ id }) => authorities.has(id));
  for (const feed of feeds) {
    let [problem, walk]: [string | null, WalkState | null] = [null, feed.walk];
    try {
      walk = await pollFeed(context, feed, authorities.get(feed.id) ?? []);
    } catch (error) {
      problem = (error instanceof Error ? error.message : String(error)).slice(0, PROBLEM_CHARS_MAX);
    }
    const at = clock.now();
    const wait = problem === null && walk?.isMore === true ? GO_ON_MS : feed.everyMinutes * MINUTE_MS;
    const state = walk === null ? null : JSON.stringify(walk);
    await monitoringTablesOf(db)
      .updateTable('vendor_feeds')
      .set({ polled_at: new Date(at), due_at: new Date(at + wait), problem, state })
      .where('id', '=', feed.id)
      .execute();
  }
  return feeds.length;
}
