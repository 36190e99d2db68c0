import { type Clock, type Logger, uuidv7 } from '@cordon/kernel';
import { createClient } from '@redis/client';
import {
  type Admission,
  type LimitCheck,
  type LimitCounters,
  type LimitPlace,
  LocalCounters,
} from './limit-counters.ts';
import type { Metrics } from './metrics.ts';
import { type PendingAdmission, PendingAdmissions } from './pending-admissions.ts';
import type { ProofUse } from './proof-memory.ts';
import { LOCAL_DECISIONS } from './shared-counters.ts';
import { type BudgetNote, encodeNote, parseNote } from './sharing/budget-note.ts';
import {
  ADMIT_SCRIPT,
  ADMIT_SHA,
  admitArguments,
  bytesOfDayKey,
  noteKey,
  parseReply,
  PLACE_MS,
  placesKey,
  proofCommand,
} from './valkey-script.ts';

/** A server in the same network answers in a millisecond; later than this the call is decided without it. */
export const VALKEY_WAIT_MS_MAX = 100;
const CONNECT_MS_MAX = 2_000;
const PING_MS = 1_000;
const SOCKET_SILENCE_MS_MAX = 5_000;
const RECONNECT_MS_MAX = 2_000;
const QUEUE_MAX = 20_000;
const QUOTA_KEY_S = 2 * 86_400;
const DAY_MS = 86_400_000;

export interface ValkeyCountersOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

function quietly(promise: Promise<unknown>): void {
  promise.catch(() => undefined); // the connection's own error handler has told of it
}

/** `valkey://` is `redis://` under the name of the server that one runs. */
function plainUrl(url: string): string {
  return url.replace(/^valkey(s?):/, 'redis$1:');
}

function openClient(url: string) {
  return createClient({
    url: plainUrl(url),
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_MAX,
    pingInterval: PING_MS,
    disableClientInfo: true,
    socket: {
      connectTimeout: CONNECT_MS_MAX,
      socketTimeout: SOCKET_SILENCE_MS_MAX,
      reconnectStrategy: (retries) => Math.min(RECONNECT_MS_MAX, 50 * 2 ** Math.min(retries, 10)),
    },
  });
}

/**
 * Counters of a fleet in a Valkey or Redis server: one script for each call, which takes from all limits or from none.
 * While the server doesn't answer, each process decides with counters of its own, which begin at what the server said
 * last; each then allows the full limit, so that a fleet of n processes allows at most n times as much.
 */
export class ValkeyCounters implements LimitCounters {
  readonly #options: ValkeyCountersOptions;
  readonly #client: ReturnType<typeof openClient>;
  readonly #local: LocalCounters;
  readonly #pending = new PendingAdmissions(VALKEY_WAIT_MS_MAX, (late) => this.#decideLate(late));
  /** Places at the server, by their member: renewed while they are held. */
  readonly #held = new Map<string, readonly LimitCheck[]>();
  /** What this process calls its places. */
  readonly #owner = uuidv7();
  #lastId = 0;
  #onNote: (note: BudgetNote) => void = () => undefined;
  #slow = false;
  #warned = false;
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: ValkeyCountersOptions) {
    this.#options = options;
    this.#local = new LocalCounters(options.clock);
    this.#client = openClient(options.url);
    this.#client.on('error', (error: unknown) => this.#warn(error));
    const answers = (): void => this.#recover();
    this.#client.on('ready', answers);
    this.#client.on('ping-interval', answers);
    options.metrics.gauge('cordon_gateway_counter_server', 'Whether the fleet’s counter server answers', () =>
      this.#client.isReady && !this.#slow ? 1 : 0,
    );
  }

  /** Waits for the server a little: a gateway serves without it too. */
  async start(): Promise<void> {
    this.#renewal = setInterval(() => this.#renew(), PLACE_MS / 3);
    this.#renewal.unref();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CONNECT_MS_MAX);
    await Promise.race([this.#client.connect().catch((error: unknown) => this.#warn(error)), late.promise]);
    clearTimeout(timer);
  }

  admit(checks: readonly LimitCheck[]): LimitPlace | Promise<LimitPlace> {
    if (!this.#client.isReady || this.#slow) return this.#decideAlone(checks);
    const id = ++this.#lastId;
    const waiting = this.#pending.add(id, checks);
    void this.#ask(id, checks);
    return waiting;
  }

  /**
   * A proof that one gateway machine took is a replay at every other one. While the server is away each process knows
   * its own proofs only, and says so.
   */
  async useProof(name: string, source: string): Promise<ProofUse> {
    const own = this.#local.useProof(name, source);
    if (own !== 'first') return own;
    if (!this.#client.isReady || this.#slow) return this.#useAlone();
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), VALKEY_WAIT_MS_MAX);
    try {
      const reply: unknown = await Promise.race([this.#client.sendCommand(proofCommand(name)), late.promise]);
      if (reply !== 'late') return reply === 'OK' ? 'first' : 'used';
      this.#slow = true;
      this.#warn(new Error(`no answer within ${VALKEY_WAIT_MS_MAX} ms`));
    } catch (error) {
      this.#warn(error);
    } finally {
      clearTimeout(timer);
    }
    return this.#useAlone();
  }

  #useAlone(): ProofUse {
    this.#options.metrics.count(LOCAL_DECISIONS);
    return 'alone';
  }

  addBytes(key: string, bytes: number): void {
    this.#local.addBytes(key, bytes);
    if (!this.#client.isReady || bytes === 0) return;
    const name = bytesOfDayKey(key, this.#day());
    quietly(this.#client.sendCommand(['INCRBY', name, String(bytes)]));
    quietly(this.#client.sendCommand(['EXPIRE', name, String(QUOTA_KEY_S)]));
  }

  /** Leaves the note at the server and takes up what another process has left there. */
  tell(note: BudgetNote): void {
    if (!this.#client.isReady) return;
    const lifeMs = Math.ceil(note.resetAt - this.#options.clock.now());
    if (lifeMs <= 0) return;
    const key = noteKey(note.key);
    quietly(this.#exchange(key, note, lifeMs));
  }

  async #exchange(key: string, note: BudgetNote, lifeMs: number): Promise<void> {
    const text = JSON.stringify(encodeNote(note));
    const reply: unknown = await this.#client.sendCommand(['SET', key, text, 'PX', String(lifeMs), 'GET']);
    const other = typeof reply === 'string' ? parseNote(JSON.parse(reply)) : undefined;
    if (other) this.#onNote(other);
  }

  onNote(listener: (note: BudgetNote) => void): void {
    this.#onNote = listener;
  }

  #day(): number {
    return Math.floor(this.#options.clock.now() / DAY_MS);
  }

  async #ask(id: number, checks: readonly LimitCheck[]): Promise<void> {
    const member = `${this.#owner}:${id}`;
    try {
      const { admission, states } = parseReply(await this.#run(admitArguments(checks, member, this.#day())), checks);
      this.#recover();
      const pending = this.#pending.take(id);
      // Decided alone meanwhile: that call holds no place at the server.
      if (!pending) return this.#free(member, checks, admission);
      for (const [index, { key }] of checks.entries()) {
        const state = states[index];
        if (state) this.#local.learn({ key, ...state });
      }
      pending.resolve(this.#place(member, checks, admission));
    } catch (error) {
      this.#warn(error);
      this.#pending.take(id)?.resolve(this.#decideAlone(checks));
    }
  }

  /** The script is named by its hash; a server that was restarted has to be told it again. */
  async #run(keysAndValues: string[]): Promise<unknown> {
    try {
      return await this.#client.sendCommand(['EVALSHA', ADMIT_SHA, ...keysAndValues]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#client.sendCommand(['EVAL', ADMIT_SCRIPT, ...keysAndValues]);
    }
  }

  #place(member: string, checks: readonly LimitCheck[], admission: Admission): LimitPlace {
    const holds = !admission.refused && checks.some(({ concurrency }) => concurrency !== null);
    if (!holds) return { admission, leave: () => undefined };
    this.#held.set(member, checks);
    this.#local.hold(checks);
    const leave = (): void => {
      if (!this.#held.delete(member)) return;
      this.#local.leave(checks);
      this.#free(member, checks, admission);
    };
    return { admission, leave };
  }

  #free(member: string, checks: readonly LimitCheck[], admission: Admission): void {
    if (admission.refused || !this.#client.isReady) return;
    for (const { key, concurrency } of checks) {
      if (concurrency !== null) quietly(this.#client.sendCommand(['ZREM', placesKey(key), member]));
    }
  }

  /** A call may take longer than a place lives. */
  #renew(): void {
    if (!this.#client.isReady) return;
    const until = String(this.#options.clock.now() + PLACE_MS);
    for (const [member, checks] of this.#held) {
      for (const { key, concurrency } of checks) {
        if (concurrency === null) continue;
        quietly(this.#client.sendCommand(['ZADD', placesKey(key), 'XX', until, member]));
        quietly(this.#client.sendCommand(['PEXPIRE', placesKey(key), String(PLACE_MS)]));
      }
    }
  }

  #decideAlone(checks: readonly LimitCheck[]): LimitPlace {
    this.#options.metrics.count(LOCAL_DECISIONS);
    return this.#local.admit(checks);
  }

  #decideLate({ checks, resolve }: PendingAdmission): void {
    this.#slow = true;
    this.#warn(new Error(`no answer within ${VALKEY_WAIT_MS_MAX} ms`));
    resolve(this.#decideAlone(checks));
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.logger.warn(
      { err: error },
      'the counter server does not answer; each process counts limits and proofs alone',
    );
  }

  #recover(): void {
    this.#slow = false;
    if (!this.#warned) return;
    this.#warned = false;
    this.#options.logger.info('the counter server answers again');
  }

  async stop(): Promise<void> {
    clearInterval(this.#renewal);
    if (this.#client.isOpen) this.#client.destroy();
  }
}
