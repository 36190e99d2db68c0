import { existsSync } from 'node:fs';
import path from 'node:path';
import { createLearner, type Learner, observedForm } from '@cordon/openapi';
import type { Clock, Logger } from '@cordon/kernel';
import type { GatewayConfig } from './config.ts';
import type { ControlClient } from './control-client.ts';
import type { Exchange } from './exchange.ts';
import type { Metrics } from './metrics.ts';
import { Spool } from './spool.ts';
import { SpoolShipper } from './spool-shipper.ts';

/** What is known only here would be lost with a killed process: it goes to the spool as often. */
const DRAIN_INTERVAL_MS = 2_000;
const SPOOL_BYTES_MAX = 64 * 1024 * 1024;
/** Of a larger body nothing is learned: reading it would cost more than it tells. */
const BODY_BYTES_MAX = 256 * 1024;
/** Calls read in one interval of one integration and kind of path; what is seldom called is always read. */
const SAMPLES_MAX = 20;
const KINDS_MAX = 2_000;
const LEARNERS_MAX = 500;
/** A line of the spool; a state beyond it is dropped and counted. */
const STATE_BYTES_MAX = 2 * 1024 * 1024;
const KIND_SEGMENTS = 3;
const FORM = 'application/x-www-form-urlencoded';
const LOST = 'cordon_gateway_lessons_lost_total';

interface Pupil {
  readonly app: string;
  readonly integration: { readonly id: string; readonly name: string };
  readonly learner: Learner;
}

export interface LessonsOptions {
  readonly config: Pick<GatewayConfig, 'dataDir'>;
  readonly client: ControlClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Samples calls of apps that are to be learned, and tells the worker what they look like, integration by integration:
 * names, types and counts, never a value. Nothing is opened before such a call comes.
 */
export class Lessons {
  readonly #options: LessonsOptions;
  readonly #folder: string;
  readonly #pupils = new Map<string, Pupil>();
  readonly #samples = new Map<string, number>();
  #carrier: { readonly spool: Spool; readonly shipper: SpoolShipper; readonly timer: NodeJS.Timeout } | undefined;

  constructor(options: LessonsOptions) {
    this.#options = options;
    this.#folder = path.join(options.config.dataDir, 'lessons');
  }

  /** Ships what a process before left behind. */
  start(): void {
    if (existsSync(this.#folder)) this.#open();
  }

  /** Never fails the call: what isn't learned now is learned from the next one. */
  see(exchange: Exchange): void {
    const { answer, app } = exchange;
    if (!answer || answer.status >= 400 || exchange.isGraphql || app.entry.mcp) return;
    // Hosts beside the main one have paths of their own, which one description can't tell apart.
    if (exchange.target !== app.main) return;
    try {
      const mark = exchange.path.indexOf('?');
      const pathname = mark === -1 ? exchange.path : exchange.path.slice(0, mark);
      if (!this.#sampled(exchange, pathname)) return;
      this.#pupil(exchange)?.learner.observe({
        method: exchange.method,
        path: pathname,
        query: new URLSearchParams(mark === -1 ? '' : exchange.path.slice(mark + 1)),
        requestType: exchange.requestType === '' ? null : exchange.requestType,
        requestBody: bodyOf(exchange.requestType, exchange.requestBody),
        status: answer.status,
        responseType: answer.contentType === '' ? null : answer.contentType,
        responseBody: bodyOf(answer.contentType, answer.decoded),
      });
    } catch (error) {
      this.#options.logger.error({ err: error, requestId: exchange.id }, 'a call could not be learned from');
    }
  }

  #sampled({ caller, app, method }: Exchange, pathname: string): boolean {
    const start = pathname.split('/', KIND_SEGMENTS + 1).join('/');
    const kind = [app.entry.id, caller.integration.id, method, pathname.split('/').length, start].join('\0');
    const seen = this.#samples.get(kind);
    if (seen === undefined && this.#samples.size >= KINDS_MAX) return false;
    this.#samples.set(kind, (seen ?? 0) + 1);
    return (seen ?? 0) < SAMPLES_MAX;
  }

  #pupil({ app, caller }: Exchange): Pupil | undefined {
    const { integration } = caller;
    const key = `${app.entry.id}\0${integration.id}`;
    const known = this.#pupils.get(key);
    if (known || this.#pupils.size >= LEARNERS_MAX) return known;
    const pupil = {
      app: app.entry.id,
      integration: { id: integration.id, name: integration.name },
      learner: createLearner(),
    };
    this.#pupils.set(key, pupil);
    this.#open();
    return pupil;
  }

  #open() {
    if (this.#carrier) return this.#carrier;
    const { client, clock, logger } = this.#options;
    const spool = new Spool({ root: this.#folder, clock, logger, bytesMax: SPOOL_BYTES_MAX });
    const shipper = new SpoolShipper({
      spool,
      send: (key, ndjson, signal) => client.sendLessons(key, ndjson, signal),
      logger,
      random: Math.random,
    });
    shipper.start();
    const timer = setInterval(() => this.#drain(), DRAIN_INTERVAL_MS);
    timer.unref();
    this.#carrier = { spool, shipper, timer };
    return this.#carrier;
  }

  #drain(): void {
    this.#samples.clear();
    const pupils = [...this.#pupils.values()];
    this.#pupils.clear();
    for (const { app, integration, learner } of pupils) {
      if (learner.calls === 0) continue;
      const at = this.#options.clock.now();
      const line = JSON.stringify({ app, integration, calls: learner.calls, at, state: learner.state() });
      if (Buffer.byteLength(line) > STATE_BYTES_MAX) {
        this.#options.metrics.count(LOST);
        continue;
      }
      this.#open().spool.append(line, false, (error) => {
        if (error) this.#options.metrics.count(LOST);
      });
    }
  }

  async flush(): Promise<void> {
    this.#drain();
    await this.#carrier?.shipper.ship();
  }

  async stop(): Promise<void> {
    this.#drain();
    const carrier = this.#carrier;
    if (!carrier) return;
    clearInterval(carrier.timer);
    await carrier.shipper.stop().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'the last lessons stay in the spool');
    });
    carrier.spool.close();
  }
}

/** Parsed where it is JSON or a form of a fair size; undefined otherwise. */
function bodyOf(contentType: string, bytes: Buffer | undefined): unknown {
  if (!bytes || bytes.length === 0 || bytes.length > BODY_BYTES_MAX) return undefined;
  if (contentType.toLowerCase().startsWith(FORM)) return observedForm(bytes.toString('utf8'));
  if (!/[/+]json/i.test(contentType)) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined; // says it is JSON and isn't: nothing to learn
  }
}
