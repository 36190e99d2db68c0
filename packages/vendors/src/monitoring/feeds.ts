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
import { readFeed } from './feed-document.ts';
import { monitoringTablesOf } from './monitoring-tables.ts';
import { type NoticeContext, takeNotices } from './notices.ts';

const FEEDS_MAX = 100;
const FEEDS_A_ROUND_MAX = 2;
const PROBLEM_CHARS_MAX = 300;
const MINUTE_MS = 60_000;

export const feedInput = z.strictObject({
  name: z.string().trim().min(1).max(80),
  kind: z.enum(['notices', 'csaf']),
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  /** Exact private addresses that the feed's name may resolve to; plain HTTP is allowed only to these. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(16)
    .default([]),
  everyMinutes: z.int().min(5).max(10_080).default(60),
});

export interface Feed {
  readonly id: string;
  readonly name: string;
  readonly kind: 'notices' | 'csaf';
  readonly url: string;
  readonly privateAddresses: readonly string[];
  readonly everyMinutes: number;
  readonly polledAt: number | null;
  readonly problem: string | null;
}

export interface FeedContext extends NoticeContext {
  /** Reads an address under the rules of egress; fails for anything but 200, and past `FEED_BYTES_MAX`. */
  readonly fetchText: (url: string, privateAddresses: readonly string[]) => Promise<string>;
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
      return { ...input, id, polledAt: null, problem: null };
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

/** Reads the feeds that are due; what stands against one is kept with it and stops none of the others. */
export async function pollFeeds(context: FeedContext): Promise<number> {
  const { db, clock } = context;
  const due = await monitoringTablesOf(db)
    .selectFrom('vendor_feeds')
    .select('id')
    .where('due_at', '<=', new Date(clock.now()))
    .orderBy('due_at')
    .limit(FEEDS_A_ROUND_MAX)
    .execute();
  const feeds = (await listFeeds(db)).filter(({ id }) => due.some((one) => one.id === id));
  for (const feed of feeds) {
    const actor: Actor = { kind: 'system', name: `feed ${feed.name}` };
    let problem: string | null = null;
    try {
      const content = readFeed(feed.kind, await context.fetchText(feed.url, feed.privateAddresses));
      await takeNotices(context, actor, feed.id, content.notices);
      await keepBadClients(db, content.clients, feed.name, clock.now());
    } catch (error) {
      problem = (error instanceof Error ? error.message : String(error)).slice(0, PROBLEM_CHARS_MAX);
    }
    const at = clock.now();
    await monitoringTablesOf(db)
      .updateTable('vendor_feeds')
      .set({ polled_at: new Date(at), due_at: new Date(at + feed.everyMinutes * MINUTE_MS), problem })
      .where('id', '=', feed.id)
      .execute();
  }
  return feeds.length;
}
