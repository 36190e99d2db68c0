import path from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ControlClient } from '../control-client.ts';
import { Refusal } from '../errors.ts';
import type { ListenerPlan } from '../exchange.ts';
import type { GatewayRuntime } from '../runtime.ts';
import { Spool } from '../spool.ts';
import { type ShipperStats, SpoolShipper } from '../spool-shipper.ts';
import { acceptHook, HOOKS_PREFIX } from './accept-hook.ts';
import { EndpointPlans } from './endpoint-plan.ts';
import { Hook, type HookRuntime } from './hook.ts';
import { checkDelivery, checkRate, checkSignature, inspectDelivery, loadEventType } from './judge-delivery.ts';
import { loadDelivery } from './load-delivery.ts';
import { respondHook, respondHookRefusal } from './record-hook.ts';
import { storeDelivery } from './store-delivery.ts';

/** What a request under `/hooks/` goes through, in this order. */
export const webhookPipeline: readonly {
  readonly name: string;
  readonly run: (hook: Hook) => void | Promise<void>;
}[] = [
  { name: 'accept', run: acceptHook },
  { name: 'receive', run: loadDelivery },
  { name: 'verify signature', run: checkSignature },
  { name: 'limit', run: checkRate },
  { name: 'resolve type', run: loadEventType },
  { name: 'validate', run: checkDelivery },
  { name: 'inspect', run: inspectDelivery },
  { name: 'store', run: storeDelivery },
  { name: 'record', run: respondHook },
];

/** Webhooks in: verified, judged, stored on this gateway's disk, then acknowledged; shipped to the worker from there. */
export class WebhookReceiver {
  readonly #runtime: GatewayRuntime;
  readonly #hooks: HookRuntime;
  readonly #spool: Spool;
  readonly #shipper: SpoolShipper;
  readonly #inFlight = new Set<Hook>();
  #idle: (() => void) | undefined;

  constructor(runtime: GatewayRuntime, client: ControlClient) {
    const { config, clock, logger, envelope } = runtime;
    this.#runtime = runtime;
    this.#spool = new Spool({ root: path.join(config.dataDir, 'deliveries'), clock, logger, ...config.spool });
    this.#shipper = new SpoolShipper({
      spool: this.#spool,
      send: (key, ndjson, signal) => client.sendDeliveries(key, ndjson, signal),
      logger,
      random: runtime.random,
    });
    this.#hooks = {
      gateway: runtime,
      plans: new EndpointPlans(envelope),
      isFull: () => this.#spool.full,
      store: (line) =>
        new Promise((resolve, reject) => {
          this.#spool.append(line, true, (error) => (error ? reject(error) : resolve()));
        }),
    };
    runtime.metrics.gauge(
      'cordon_gateway_delivery_spool_bytes',
      'Bytes of webhook deliveries that the worker does not have yet',
      () => this.#spool.bytes,
    );
  }

  get shipping(): ShipperStats {
    return this.#shipper.stats;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Whether a request is for a webhook endpoint. A listener that belongs to one app passes every path to that app. */
  matches(plan: ListenerPlan, request: IncomingMessage): boolean {
    return plan.app === undefined && (request.url?.startsWith(HOOKS_PREFIX) ?? false);
  }

  start(): void {
    this.#shipper.start();
  }

  serve(plan: ListenerPlan, request: IncomingMessage, response: ServerResponse): void {
    const hook = new Hook(this.#hooks, plan, request, response);
    this.#inFlight.add(hook);
    response.once('close', () => {
      if (!response.writableFinished) hook.aborted = true;
      this.#inFlight.delete(hook);
      if (this.#inFlight.size === 0) this.#idle?.();
    });
    this.#run(hook).catch((error: unknown) => {
      try {
        respondHookRefusal(hook, this.#toRefusal(error, hook));
      } catch (failure) {
        this.#runtime.logger.error({ err: failure, requestId: hook.id }, 'a refusal could not be answered');
        hook.release();
        response.destroy();
      }
    });
  }

  async #run(hook: Hook): Promise<void> {
    for (const { run } of webhookPipeline) await run(hook);
  }

  #toRefusal(error: unknown, hook: Hook): Refusal {
    if (error instanceof Refusal) {
      if (error.code === 'gateway.webhook_unusable') {
        this.#runtime.logger.warn({ err: error, webhook: hook.id }, 'a webhook endpoint cannot be used');
      }
      return error;
    }
    this.#runtime.logger.error({ err: error, requestId: hook.id }, 'a webhook failed in the gateway');
    return new Refusal('gateway.internal', 'The gateway failed. An operator finds the reason in its log.');
  }

  /** Waits for deliveries in flight, at most `ms`. */
  async drain(ms: number): Promise<void> {
    if (this.#inFlight.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ms);
      this.#idle = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  /** Ships what is stored, or as much as the worker takes. */
  flush(): Promise<void> {
    return this.#shipper.ship();
  }

  async stop(): Promise<void> {
    await this.#shipper.stop().catch((error: unknown) => {
      this.#runtime.logger.warn({ err: error }, 'the last deliveries stay in the spool');
    });
    this.#spool.close();
  }
}
