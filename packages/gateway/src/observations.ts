import path from 'node:path';
import type { Finding } from '@cordon/classifier';
import { type Entries, listEntries } from '@cordon/policy';
import type { ControlClient } from './control-client.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayRuntime } from './runtime.ts';
import { Spool } from './spool.ts';
import { SpoolShipper } from './spool-shipper.ts';

/** What is summed up in memory and would be lost with a killed process. */
const DRAIN_INTERVAL_MS = 1_000;
const SPOOL_BYTES_MAX = 64 * 1024 * 1024;

/** What wants to know which data passes; `@cordon/governance` has one. It must not keep what it is given. */
export interface BodyObserver {
  setKey(key: { readonly id: string; readonly key: Buffer } | null): void;
  observe(body: {
    readonly app: { readonly id: string; readonly name: string };
    readonly integration: { readonly id: string; readonly name: string };
    readonly operation: { readonly id: string; readonly template: string };
    /** `read`: an app's answer. `write`: what an integration sends to it. */
    readonly direction: 'read' | 'write';
    readonly bytes: Uint8Array;
    readonly contentType: string;
    readonly findings: readonly Finding[];
    readonly at: number;
  }): void;
  /** What was seen since the last time, as objects for JSON; never values. */
  drain(): readonly unknown[];
}

/** Carries what the observer sums up to the worker, by a spool of its own: at least once, each batch under one key. */
export class Observations {
  readonly #runtime: GatewayRuntime;
  readonly #observer: BodyObserver;
  readonly #spool: Spool;
  readonly #shipper: SpoolShipper;
  #timer: NodeJS.Timeout | undefined;
  #keyId: string | undefined;

  constructor(runtime: GatewayRuntime, client: ControlClient, observer: BodyObserver) {
    const { config, clock, logger } = runtime;
    this.#runtime = runtime;
    this.#observer = observer;
    const root = path.join(config.dataDir, 'observations');
    this.#spool = new Spool({ root, clock, logger, bytesMax: SPOOL_BYTES_MAX });
    this.#shipper = new SpoolShipper({
      spool: this.#spool,
      send: (key, ndjson, signal) => client.sendObservations(key, ndjson, signal),
      logger,
      random: runtime.random,
    });
  }

  start(): void {
    this.#shipper.start();
    this.#timer = setInterval(() => this.#drain(), DRAIN_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Takes the key of fingerprints from the snapshot; the newest where a rotation shows both. */
  apply(entries: Entries): void {
    const newest = listEntries(entries, 'fingerprint-key').toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
    if (newest?.id === this.#keyId) return;
    this.#keyId = newest?.id;
    if (!newest) return this.#observer.setKey(null);
    const { id, sealed } = newest;
    try {
      this.#observer.setKey({ id, key: this.#runtime.envelope.open(sealed, `fingerprint-key:${id}`) });
    } catch (error) {
      this.#runtime.logger.error({ err: error }, 'the key of fingerprints cannot be opened; none are made');
      this.#observer.setKey(null);
    }
  }

  /** Never fails the call: what isn't known of its data is a gap in the inventory, not in the traffic. */
  see(
    exchange: Exchange,
    direction: 'read' | 'write',
    bytes: Buffer,
    contentType: string,
    findings: readonly Finding[] | undefined,
  ): void {
    const { operation, app, caller } = exchange;
    if (!operation?.template || findings === undefined) return;
    const { integration } = caller;
    try {
      this.#observer.observe({
        app: { id: app.entry.id, name: app.entry.name },
        integration: { id: integration.id, name: integration.name },
        operation: { id: operation.id, template: operation.template },
        direction,
        bytes,
        contentType,
        findings,
        at: exchange.startedAt,
      });
    } catch (error) {
      this.#runtime.logger.error({ err: error, requestId: exchange.id }, 'a body could not be observed');
    }
  }

  #drain(): void {
    for (const line of this.#observer.drain()) {
      this.#spool.append(JSON.stringify(line), false, (error) => {
        if (error) this.#runtime.metrics.count('cordon_gateway_observations_lost_total');
      });
    }
  }

  async flush(): Promise<void> {
    this.#drain();
    await this.#shipper.ship();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#drain();
    await this.#shipper.stop().catch((error: unknown) => {
      this.#runtime.logger.warn({ err: error }, 'the last observations stay in the spool');
    });
    this.#spool.close();
  }
}
