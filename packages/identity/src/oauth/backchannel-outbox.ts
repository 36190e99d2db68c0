import { sql } from 'kysely';
import { uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import type { IdentityContext } from '../context.ts';
import { postPublicJson } from './public-fetch.ts';

/** Longer than a notification takes at most: another process takes it up when this one ended in the middle. */
const LEASE_MS = 15_000;
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 60_000;
/** What another process left behind is looked for so often. */
const SWEEP_MS = 5_000;

const sealedNotification = z.strictObject({
  endpoint: z.string(),
  token: z.string(),
  body: z.record(z.string(), z.unknown()),
});
export type Notification = z.output<typeof sealedNotification>;

interface OutboxTables {
  backchannel_notifications: {
    id: string;
    client_id: string;
    sealed: string;
    tries: number;
    next_at: Date;
    expires_at: Date;
    created_at: Date;
  };
}

const contextOf = (id: string): string => `backchannel-notification:${id}`;

/** `taken`: done. `refused`: it never will be. `failed`: worth another try. */
function outcomeOf(status: number): 'taken' | 'refused' | 'failed' {
  // OpenID CIBA Core 1.0, section 10.2: redirects are not followed, what is no success is not processed further.
  if (status === 200 || status === 204) return 'taken';
  return status >= 500 || status === 429 ? 'failed' : 'refused';
}

/**
 * Tells clients of decisions (ping and push), until they took it or it is worth nothing any more. What is to be told
 * lies in the database: a process that ends loses none, and of several processes one tells it.
 */
export class BackchannelOutbox {
  readonly #context: IdentityContext;
  readonly #post: NonNullable<IdentityContext['postJson']>;
  readonly #sweeping: NodeJS.Timeout;
  readonly #timers = new Set<NodeJS.Timeout>();
  #draining: Promise<void> | undefined;
  #isStopped = false;

  constructor(context: IdentityContext) {
    this.#context = context;
    this.#post = context.postJson ?? postPublicJson;
    this.#sweeping = setInterval(() => this.kick(), SWEEP_MS);
    this.#sweeping.unref();
    this.kick();
  }

  get #tables() {
    return this.#context.db.tables<OutboxTables>();
  }

  async add(clientId: string, notification: Notification, expiresAt: number): Promise<void> {
    const { clock, envelope } = this.#context;
    const now = new Date(clock.now());
    const id = uuidv7(now.getTime());
    const sealed = envelope.seal(JSON.stringify(notification), contextOf(id));
    const row = { id, client_id: clientId, sealed, tries: 0, next_at: now, expires_at: new Date(expiresAt) };
    await this.#tables
      .insertInto('backchannel_notifications')
      .values({ ...row, created_at: now })
      .execute();
    this.kick();
  }

  /** Sends what is due, unless that is being done. */
  kick(): void {
    if (this.#isStopped || this.#draining) return;
    this.#draining = this.#drain()
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error }, 'notifications of decisions could not be read');
      })
      .finally(() => {
        this.#draining = undefined;
      });
  }

  async #drain(): Promise<void> {
    await this.#dropLate();
    while (!this.#isStopped) {
      const row = await this.#claim();
      if (!row) return;
      await this.#deliver(row);
    }
  }

  async #dropLate(): Promise<void> {
    const late = await this.#tables
      .deleteFrom('backchannel_notifications')
      .where('expires_at', '<=', new Date(this.#context.clock.now()))
      .returning('client_id')
      .execute();
    for (const { client_id: clientId } of late) {
      this.#context.logger.warn({ clientId }, 'a client could not be told of a decision before it was over');
    }
  }

  #claim() {
    const now = this.#context.clock.now();
    const due = this.#tables
      .selectFrom('backchannel_notifications')
      .select('id')
      .where('next_at', '<=', new Date(now))
      .orderBy('next_at')
      .limit(1)
      .forUpdate()
      .skipLocked();
    return this.#tables
      .updateTable('backchannel_notifications')
      .set({ tries: sql<number>`tries + 1`, next_at: new Date(now + LEASE_MS) })
      .where('id', '=', due)
      .returningAll()
      .executeTakeFirst();
  }

  async #deliver(row: { id: string; client_id: string; sealed: string; tries: number }): Promise<void> {
    const { envelope, logger } = this.#context;
    const opened: unknown = JSON.parse(envelope.open(row.sealed, contextOf(row.id)).toString('utf8'));
    const { endpoint, token, body } = sealedNotification.parse(opened);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const outcome = await this.#post(endpoint, headers, body).then(outcomeOf, (error: unknown) => {
      logger.debug({ err: error, clientId: row.client_id }, 'a client’s notification endpoint did not answer');
      return 'failed' as const;
    });
    if (outcome === 'failed') return this.#delay(row);
    if (outcome === 'refused') logger.warn({ clientId: row.client_id }, 'a client refused to be told of a decision');
    await this.#tables.deleteFrom('backchannel_notifications').where('id', '=', row.id).execute();
  }

  async #delay({ id, tries }: { id: string; tries: number }): Promise<void> {
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (tries - 1));
    const next = new Date(this.#context.clock.now() + waitMs);
    await this.#tables.updateTable('backchannel_notifications').set({ next_at: next }).where('id', '=', id).execute();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.kick();
    }, waitMs);
    timer.unref();
    this.#timers.add(timer);
  }

  /** Ends after what is being sent; the rest is another process's, or this one's when it starts again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#sweeping);
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#draining;
  }
}
