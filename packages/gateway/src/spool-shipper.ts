import fs from 'node:fs';
import type { Logger } from '@cordon/kernel';
import { decodeSegment } from './spool-line.ts';
import type { SegmentFile } from './spool-folder.ts';
import type { Spool } from './spool.ts';

const SHIP_INTERVAL_MS = 200;
const ADOPT_INTERVAL_MS = 1_000;
const BACKOFF_MS_MAX = 5_000;
const BACKOFF_MS_MIN = 100;
const SHIP_TIMEOUT_MS = 30_000;
const STOP_MS_MAX = 5_000;

/** Sends one batch; resolves with the HTTP status, rejects when there was no answer. */
type SendBatch = (key: string, ndjson: Buffer, signal: AbortSignal) => Promise<number>;

export interface ShipperStats {
  shippedEvents: number;
  shippedBatches: number;
  failures: number;
  corruptLines: number;
  rejectedBatches: number;
}

export interface ShipperOptions {
  readonly spool: Spool;
  readonly send: SendBatch;
  readonly logger: Logger;
  /** 0 to 1; spreads the retries of a fleet. */
  readonly random: () => number;
  readonly shipIntervalMs?: number;
  readonly adoptIntervalMs?: number;
}

/** A batch that the worker can never take: retrying won't help and must not hold up the rest. */
function isFinal(status: number): boolean {
  return status === 400 || status === 413 || status === 415 || status === 422;
}

/** Moves sealed segments to the worker, in order, one at a time, and deletes each only when it is acknowledged. */
export class SpoolShipper {
  readonly stats: ShipperStats = {
    shippedEvents: 0,
    shippedBatches: 0,
    failures: 0,
    corruptLines: 0,
    rejectedBatches: 0,
  };
  readonly #options: ShipperOptions;
  #timer: NodeJS.Timeout | undefined;
  #adoptTimer: NodeJS.Timeout | undefined;
  #backoffMs = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#adopt();
    this.#adoptTimer = setInterval(() => this.#adopt(), this.#options.adoptIntervalMs ?? ADOPT_INTERVAL_MS);
    this.#schedule(this.#options.shipIntervalMs ?? SHIP_INTERVAL_MS);
  }

  #adopt(): void {
    try {
      const folders = this.#options.spool.adopt();
      if (folders > 0) this.#options.logger.info({ folders }, 'adopted the spool of a process that is gone');
    } catch (error) {
      this.#options.logger.error({ err: error }, 'cannot adopt spool folders');
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.ship().then(
        () => this.#schedule(this.#backoffMs || (this.#options.shipIntervalMs ?? SHIP_INTERVAL_MS)),
        (error: unknown) => {
          this.#options.logger.error({ err: error }, 'cannot ship the spool');
          this.#schedule(BACKOFF_MS_MAX);
        },
      );
    }, delayMs);
  }

  /** Seals and ships everything there is; stops at the first batch that gets no acknowledgement. */
  ship(): Promise<void> {
    this.#running ??= this.#shipAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #shipAll(): Promise<void> {
    this.#options.spool.flush();
    this.#options.spool.seal();
    for (const segment of this.#options.spool.sealed()) {
      if (!(await this.#shipOne(segment))) {
        this.stats.failures += 1;
        const doubled = Math.min(BACKOFF_MS_MAX, Math.max(BACKOFF_MS_MIN, this.#backoffMs * 2));
        this.#backoffMs = doubled * (0.5 + this.#options.random() / 2);
        return;
      }
      this.#backoffMs = 0;
    }
  }

  async #shipOne(segment: SegmentFile): Promise<boolean> {
    const { spool, send, logger } = this.#options;
    const content = decodeSegment(await fs.promises.readFile(segment.path));
    this.stats.corruptLines += content.corrupt;
    if (content.corrupt > 0)
      logger.error({ lines: content.corrupt, key: segment.key }, 'spool lines fail their checksum');
    if (content.torn) logger.warn({ key: segment.key }, 'dropped a torn last line: its call was never answered');
    if (content.events === 0) {
      if (content.corrupt > 0) spool.reject(segment);
      else await spool.release(segment);
      return true;
    }
    try {
      const status = await send(segment.key, content.ndjson, AbortSignal.timeout(SHIP_TIMEOUT_MS));
      if (status >= 200 && status < 300) {
        // Lines that fail their checksum are evidence: they stay beside the spool for a person to look at.
        if (content.corrupt > 0) spool.reject(segment);
        else await spool.release(segment);
        this.stats.shippedEvents += content.events;
        this.stats.shippedBatches += 1;
        return true;
      }
      logger.warn({ status, key: segment.key }, 'the worker did not take a batch of events');
      if (!isFinal(status)) return false;
      spool.reject(segment);
      this.stats.rejectedBatches += 1;
      return true;
    } catch (error) {
      logger.debug({ err: error, key: segment.key }, 'the worker is away');
      return false;
    }
  }

  /** Ships what is there once more, then stops. What the worker doesn't take stays on disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#adoptTimer);
    // A worker that hangs must not keep a process from stopping: what it doesn't take in time is adopted later.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_MS_MAX);
    await Promise.race([Promise.resolve(this.#running).then(() => this.ship()), late.promise]);
    clearTimeout(timer);
  }
}
