import path from 'node:path';
import type { AddressInfo, Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createClassifier, type Classifier } from '@cordon/classifier';
import { type Clock, type Logger, type SecretEnvelope, uuidv7 } from '@cordon/kernel';
import { apiActivity } from '@cordon/lake';
import { type BuiltIn, createAuthorizer, readBuiltIn, type Snapshot } from '@cordon/policy';
import { type AdminServer, type GatewayHealth, openAdminServer } from './admin-server.ts';
import type { AppPlan } from './app-plan.ts';
import { BlobStore } from './blob-store.ts';
import { type GatewayConfig, type ListenerConfig } from './config.ts';
import { ControlClient } from './control-client.ts';
import type { GatewayErrorCode } from './errors.ts';
import { Exchange, type ListenerPlan } from './exchange.ts';
import { type Listener, openListener } from './listener.ts';
import { McpProbe } from './mcp/mcp-probe.ts';
import { Metrics } from './metrics.ts';
import { Observations, type BodyObserver } from './observations.ts';
import { appsWithChangedItems, operationFacts } from './operation-facts.ts';
import { type NamedStep, observeSteps, pipelines, runSteps, type StepObserver } from './pipeline.ts';
import { type ForwardProxy, openForwardProxy } from './proxy/forward-proxy.ts';
import { tokenRequests } from './proxy/request-client-token.ts';
import { recordCall } from './record-call.ts';
import { respondRefusal, toRefusal } from './respond-refusal.ts';
import type { GatewayRuntime } from './runtime.ts';
import { ControlSource, type SnapshotSource } from './snapshot-source.ts';
import { SnapshotTables } from './snapshot-tables.ts';
import { type ShipperStats, SpoolShipper } from './spool-shipper.ts';
import { OwnDetectors } from './own-detectors.ts';
import { TokenKey } from './token-key.ts';
import { WebhookReceiver } from './webhooks/webhook-receiver.ts';
import { createRuntime } from './create-runtime.ts';

export interface GatewayDeps {
  readonly config: GatewayConfig;
  /** Opens the vendors' credentials that the snapshot carries sealed. */
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1, for spreading retries; `Math.random` by default. */
  readonly random?: () => number;
  /** Where decisions come from; control by default. */
  readonly snapshotSource?: SnapshotSource;
  /** The generic policies; those under content/policies by default. */
  readonly builtIn?: BuiltIn;
  /** Finds sensitive data; the detectors under content/detectors by default. */
  readonly classifier?: Classifier;
  /** Told what passes, for the inventory of data; without it nothing is observed. */
  readonly observer?: BodyObserver;
  /** Told how long each step worked, for benchmarks. */
  readonly observeStep?: StepObserver;
}

export interface Gateway {
  /** Opens spool, snapshot and listeners. Resolves when it accepts calls, though they are refused until a snapshot is there. */
  start(): Promise<void>;
  /** Refuses new calls and waits for those in flight, at most `limits.drainMs`. */
  drain(): Promise<void>;
  /** Drains, ships what the worker takes, closes everything. What isn't shipped stays on disk. */
  stop(): Promise<void>;
  /** Ships every event recorded so far, or as many as the worker takes. */
  flush(): Promise<void>;
  health(): GatewayHealth;
  readonly metrics: Metrics;
  readonly shipping: ShipperStats;
  /** Where it listens, in the order of the configuration, then ports of apps. */
  readonly addresses: readonly { readonly host: string; readonly port: number; readonly app: string | undefined }[];
  /** Where the forward proxy listens. */
  readonly proxyAddress: { readonly host: string; readonly port: number } | undefined;
  readonly secureProxyAddress: { readonly host: string; readonly port: number } | undefined;
  readonly adminAddress: { readonly host: string; readonly port: number } | undefined;
}

const AGGREGATE_INTERVAL_MS = 5_000;

const hostAndPort = ({ address, port }: AddressInfo) => ({ host: address, port });

class GatewayProcess implements Gateway {
  readonly metrics = new Metrics();
  readonly #deps: GatewayDeps;
  readonly #runtime: GatewayRuntime;
  readonly #probe: McpProbe;
  readonly #tokenKey: TokenKey;
  readonly #ownDetectors: OwnDetectors;
  readonly #client: ControlClient;
  readonly #shipper: SpoolShipper;
  readonly #webhooks: WebhookReceiver;
  readonly #steps: Readonly<Record<ListenerPlan['kind'], readonly NamedStep[]>>;
  readonly #listeners: Listener[] = [];
  readonly #appPorts = new Map<number, Listener>();
  readonly #inFlight = new Set<Exchange>();
  #admin: AdminServer | undefined;
  #proxy: ForwardProxy | undefined;
  #secureProxy: ForwardProxy | undefined;
  #aggregate: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;
  #snapshot: Snapshot | undefined;
  #portsChanging: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { config, clock, logger } = deps;
    this.#client = new ControlClient({
      controlUrl: config.control.url,
      workerUrl: config.worker.url,
      key: config.key,
      ...(config.internalCa ? { ca: config.internalCa } : {}),
    });
    const source =
      deps.snapshotSource ??
      new ControlSource({
        client: this.#client,
        folder: path.join(config.dataDir, 'snapshot'),
        keys: config.snapshotKeys,
        gatewayId: config.gatewayId,
        extraReport: () => ({ upstreams: reportUpstreams(this.#runtime) }),
        clock,
        logger,
      });
    const shipped = deps.classifier ?? createClassifier();
    const blobs = new BlobStore(path.join(config.dataDir, 'blobs'), (sha256) => source.blob(sha256));
    this.#runtime = createRuntime({ ...deps, classifier: shipped }, source, this.metrics, this.#client, blobs);
    this.#ownDetectors = new OwnDetectors(this.#runtime, shipped, (sha256) => blobs.get(sha256));
    this.#probe = new McpProbe(this.#runtime);
    this.#tokenKey = new TokenKey(this.#runtime);
    this.#shipper = new SpoolShipper({
      spool: this.#runtime.spool,
      send: (key, ndjson, signal) => this.#client.sendBatch(key, ndjson, signal),
      logger,
      random: deps.random ?? Math.random,
    });
    this.#webhooks = new WebhookReceiver(this.#runtime, this.#client);
    if (deps.observer) this.#runtime.observations = new Observations(this.#runtime, this.#client, deps.observer);
    const observe = deps.observeStep;
    this.#steps = observe ? { api: observeSteps(pipelines.api, observe) } : pipelines;
    this.#addGauges();
  }

  get shipping(): ShipperStats {
    return this.#shipper.stats;
  }

  get addresses() {
    return [...this.#listeners, ...this.#appPorts.values()].map(({ address, plan }) => ({
      host: address.address,
      port: address.port,
      app: plan.app,
    }));
  }

  get proxyAddress() {
    return this.#proxy && hostAndPort(this.#proxy.address);
  }

  get secureProxyAddress() {
    return this.#secureProxy && hostAndPort(this.#secureProxy.address);
  }

  get adminAddress() {
    return this.#admin && hostAndPort(this.#admin.address);
  }

  async start(): Promise<void> {
    const { config } = this.#deps;
    this.#shipper.start();
    this.#webhooks.start();
    this.#runtime.observations?.start();
    this.#runtime.lessons.start();
    await this.#runtime.counters.start();
    this.#probe.start();
    this.#aggregate = setInterval(() => this.#writeAggregates(), AGGREGATE_INTERVAL_MS);
    await this.#runtime.source.start((snapshot) => this.#apply(snapshot));
    // No call is let in before what the organisation looks for is known, or was asked for in vain.
    await this.#ownDetectors.loaded;
    for (const listener of config.listeners) this.#listeners.push(await this.#open(listener));
    if (config.proxy) this.#proxy = await this.#openProxy(config.proxy);
    if (config.secureProxy) this.#secureProxy = await this.#openProxy(config.secureProxy);
    if (config.metrics) this.#admin = await openAdminServer(config.metrics, this.metrics, () => this.health());
    await this.#portsChanging;
  }

  #openProxy(config: NonNullable<GatewayConfig['proxy']>): Promise<ForwardProxy> {
    return openForwardProxy({
      runtime: this.#runtime,
      config,
      ...tokenRequests(this.#client, config.tokenUrl, this.#deps.config.internalCa),
      serve: (plan, request, response) => this.#serve(plan, request, response),
    });
  }

  #open(config: ListenerConfig): Promise<Listener> {
    return openListener(config, this.#runtime.limits, this.#deps.config.reusePort ?? false, {
      onRequest: (plan, request, response) => this.#serve(plan, request, response),
      onMalformed: (plan, socket, code, why) => this.#noteMalformed(plan, socket, code, why),
    });
  }

  /** Puts a verified snapshot in force. */
  #apply(snapshot: Snapshot): void {
    const runtime = this.#runtime;
    const before = this.#snapshot;
    const changed = before ? changedKeys(before, snapshot) : undefined;
    this.#snapshot = snapshot;
    runtime.observations?.apply(snapshot.entries);
    this.#tokenKey.apply(snapshot.entries);
    this.#ownDetectors.apply(snapshot.entries);
    runtime.tables = SnapshotTables.compile(snapshot, runtime.tables, changed);
    try {
      if (runtime.authorizer) {
        runtime.authorizer.update(snapshot.entries, changed);
        for (const appId of appsWithChangedItems(changed, before!.entries, snapshot.entries))
          runtime.authorizer.forgetApp(appId); // an authorizer came with a snapshot
      } else {
        runtime.authorizer = createAuthorizer({
          entries: snapshot.entries,
          operations: (appId, operationId) => operationFacts(runtime, appId, operationId),
          builtIn: this.#deps.builtIn ?? readBuiltIn(),
        });
      }
    } catch (error) {
      // Control checks policies before it signs them, so this is a bug; revocations are in force all the same.
      this.#deps.logger.error({ err: error }, 'a policy cannot be compiled; authorization stays as it was');
      if (!runtime.authorizer) runtime.tables = undefined;
    }
    runtime.upstreams.retain(runtime.tables?.apps ?? []);
    runtime.operations.retain(runtime.tables?.apps ?? []);
    this.#probe.look();
    this.#portsChanging = this.#portsChanging
      .then(() => this.#followPorts())
      .catch((error: unknown) => {
        this.#deps.logger.error({ err: error }, 'cannot open the port of an app');
      });
  }

  /** Opens a listener for each app that has a port of its own, and closes those that no app has any more. */
  async #followPorts(): Promise<void> {
    const settings = this.#deps.config.appPorts;
    if (!settings || this.#stopping) return;
    const wanted = new Map<number, AppPlan>();
    for (const plan of this.#runtime.tables?.apps ?? [])
      if (plan.entry.port !== null) wanted.set(plan.entry.port, plan);
    for (const [port, listener] of this.#appPorts) {
      if (wanted.get(port)?.entry.name === listener.plan.app) continue;
      this.#appPorts.delete(port);
      await listener.close(this.#runtime.limits.drainMs);
    }
    for (const [port, plan] of wanted) {
      if (this.#appPorts.has(port)) continue;
      this.#appPorts.set(port, await this.#open({ ...settings, kind: 'api', port, app: plan.entry.name }));
    }
  }

  #serve(plan: ListenerPlan, request: IncomingMessage, response: ServerResponse): void {
    if (this.#webhooks.matches(plan, request)) return this.#webhooks.serve(plan, request, response);
    const exchange = new Exchange(this.#runtime, plan, request, response);
    this.#inFlight.add(exchange);
    response.once('close', () => {
      if (!response.writableFinished) {
        exchange.aborted = true;
        exchange.onAbort?.();
      }
      this.#inFlight.delete(exchange);
      if (this.#inFlight.size === 0) this.#idle?.();
    });
    try {
      runSteps(exchange, this.#steps[plan.kind])?.catch((error: unknown) => this.#fail(exchange, error));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #fail(exchange: Exchange, error: unknown): void {
    try {
      respondRefusal(exchange, toRefusal(error, exchange));
    } catch (failure) {
      this.#deps.logger.error({ err: failure, requestId: exchange.id }, 'a refusal could not be answered');
      exchange.release();
      exchange.response.destroy();
    }
  }

  /** What the parser refused never becomes an exchange; it is recorded all the same, limited per source. */
  #noteMalformed(plan: ListenerPlan, socket: Socket, code: GatewayErrorCode, why: string): void {
    const { refusals, spool, clock, config } = this.#runtime;
    this.metrics.refuse(code);
    const source = socket.remoteAddress ?? '';
    const describe = (): string =>
      JSON.stringify(
        apiActivity({
          id: uuidv7(clock.now()),
          time: clock.now(),
          role: 'gateway',
          operation: 'unknown',
          source: { ip: source, port: socket.remotePort ?? 0 },
          request: { method: 'UNKNOWN', path: '/', scheme: plan.secure ? 'https' : 'http', bytes: 0 },
          decision: 'deny',
          reason: code,
          reasonText: why,
          durationMs: 0,
          gatewayId: config.gatewayId,
          snapshotVersion: this.#runtime.tables?.version ?? 0,
        }),
      );
    if (refusals.admits(source)) spool.append(describe(), false, () => undefined);
    else refusals.suppress(source, describe);
  }

  #writeAggregates(): void {
    for (const event of this.#runtime.refusals.drain()) this.#runtime.spool.append(event, false, () => undefined);
  }

  #addGauges(): void {
    const { spool, source, clock, held } = this.#runtime;
    this.metrics.gauge('cordon_gateway_spool_bytes', 'Bytes of events not yet acknowledged', () => spool.bytes);
    this.metrics.gauge('cordon_gateway_in_flight', 'Calls being served', () => this.#inFlight.size);
    this.metrics.gauge('cordon_gateway_held_bytes', 'Bytes of bodies held in memory', () => held.bytes);
    this.metrics.gauge('cordon_gateway_snapshot_version', 'Version in force', () => this.#runtime.tables?.version ?? 0);
    this.metrics.gauge(
      'cordon_gateway_snapshot_epoch',
      'Revocation epoch in force',
      () => this.#runtime.tables?.epoch ?? 0,
    );
    this.metrics.gauge('cordon_gateway_control_contact_seconds', 'Seconds since control was last heard of', () =>
      source.contactAt === 0 ? -1 : (clock.now() - source.contactAt) / 1000,
    );
    this.metrics.gauge(
      'cordon_gateway_shipped_events',
      'Events acknowledged by the worker',
      () => this.shipping.shippedEvents,
    );
    this.metrics.gauge(
      'cordon_gateway_ship_failures',
      'Batches that the worker did not take at once',
      () => this.shipping.failures,
    );
  }

  health(): GatewayHealth {
    const { tables, source, clock, spool, draining } = this.#runtime;
    const reason = draining
      ? 'draining'
      : !tables
        ? 'no snapshot yet'
        : this.#runtime.isStale()
          ? 'snapshot is stale'
          : undefined;
    return {
      ready: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      version: tables?.version ?? 0,
      epoch: tables?.epoch ?? 0,
      snapshotAgeMs: source.contactAt === 0 ? null : clock.now() - source.contactAt,
      spoolBytes: spool.bytes,
      inFlight: this.#inFlight.size,
    };
  }

  async flush(): Promise<void> {
    const { observations, lessons } = this.#runtime;
    await Promise.all([this.#shipper.ship(), this.#webhooks.flush(), observations?.flush(), lessons.flush()]);
  }

  async drain(): Promise<void> {
    this.#runtime.draining = true;
    const { drainMs } = this.#runtime.limits;
    const closing = [...this.#listeners, ...this.#appPorts.values()].map((listener) => listener.close(drainMs));
    if (this.#inFlight.size > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, drainMs);
        this.#idle = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    await Promise.all([this.#proxy?.close(), this.#secureProxy?.close()]);
    await this.#webhooks.drain(drainMs);
    await Promise.all(closing);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#ownDetectors.stop();
    await this.drain();
    await this.#portsChanging;
    // Whatever outlived the drain is cut, and its event is written.
    for (const exchange of this.#inFlight) recordCall(exchange, () => undefined);
    this.#probe.stop();
    clearInterval(this.#aggregate);
    this.#writeAggregates();
    await this.#runtime.source.stop();
    await this.#shipper.stop().catch((error: unknown) => {
      this.#deps.logger.warn({ err: error }, 'the last events stay in the spool');
    });
    await this.#webhooks.stop();
    await this.#runtime.observations?.stop();
    await this.#runtime.lessons.stop();
    this.#runtime.spool.close();
    await this.#runtime.counters.stop();
    await this.#runtime.upstreams.close();
    await this.#admin?.close();
    await this.#client.close();
    this.#runtime.authorizer?.close();
  }
}

/** Upstreams in a status report; those that fare badly come first. */
const REPORTED_MAX = 200;

function reportUpstreams({ gates, budgets }: GatewayRuntime) {
  const states = gates.states().toSorted((a, b) => Number(a.breaker === 'closed') - Number(b.breaker === 'closed'));
  return { gates: states.slice(0, REPORTED_MAX), budgets: budgets.states().slice(0, REPORTED_MAX) };
}

function changedKeys(before: Snapshot, after: Snapshot): string[] {
  const changed: string[] = [];
  for (const [key, entry] of after.entries) if (before.entries.get(key) !== entry) changed.push(key);
  for (const key of before.entries.keys()) if (!after.entries.has(key)) changed.push(key);
  return changed;
}

export function createGateway(deps: GatewayDeps): Gateway {
  return new GatewayProcess(deps);
}
