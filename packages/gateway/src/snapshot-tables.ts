import {
  type AppEntry,
  type Credential,
  compileInspection,
  type DataLabel,
  type Entries,
  type EntryOf,
  getEntry,
  listEntries,
  type GraphqlSchemaEntry,
  type IntegrationEntry,
  type JwkEntry,
  labelOfOperation,
  type LimitEntry,
  type ProxyEntry,
  type RevokedEntry,
  type Snapshot,
  type TokenEntry,
  type WebhookEntry,
} from '@cordon/policy';
import { type AppPlan, planApp, type UpstreamTarget } from './app-plan.ts';
import { Requirements } from './requirements.ts';
import { compileMcp, type McpTables } from './mcp/mcp-tables.ts';

/** Kinds of which there may be very many, read straight from the entries: a change of them recompiles nothing. */
const LOOKED_UP = /^(?:token|revoked|unlock|jwk|credential|webhook|data-label|fingerprint-key|token-key|own-detector):/;

interface Compiled {
  readonly appsByName: ReadonlyMap<string, AppPlan>;
  readonly appsById: ReadonlyMap<string, AppPlan>;
  readonly appsByHost: ReadonlyMap<string, AppPlan>;
  readonly integrationsByClient: ReadonlyMap<string, IntegrationEntry>;
  /** By `host:port` of their upstreams, for connections through the forward proxy. */
  readonly byUpstream: ReadonlyMap<string, UpstreamPlace>;
  readonly limits: readonly LimitEntry[];
  readonly limitsByCall: Map<string, readonly LimitEntry[]>;
  readonly requirements: Requirements;
  readonly inspection: ReturnType<typeof compileInspection>;
  readonly passes: ReadonlyMap<string, readonly EntryOf<'inspection-pass'>[]>;
  readonly mcp: McpTables;
}

/** An app and the one of its upstreams that a host is. */
export interface UpstreamPlace {
  readonly app: AppPlan;
  readonly target: UpstreamTarget;
}

const LIMIT_CALLS_MAX = 50_000;

/** One snapshot, compiled for the traffic path. Immutable; every call keeps the one it started with. */
export class SnapshotTables {
  readonly version: number;
  readonly epoch: number;
  readonly appsByName: ReadonlyMap<string, AppPlan>;
  readonly #entries: Entries;
  readonly #compiled: Compiled;

  private constructor(snapshot: Snapshot, compiled: Compiled) {
    this.version = snapshot.version;
    this.epoch = snapshot.epoch;
    this.appsByName = compiled.appsByName;
    this.#entries = snapshot.entries;
    this.#compiled = compiled;
  }

  /** @param changedKeys what differs from `before`; without it everything is compiled anew. */
  static compile(snapshot: Snapshot, before?: SnapshotTables, changedKeys?: readonly string[]): SnapshotTables {
    if (before && changedKeys?.every((key) => LOOKED_UP.test(key)))
      return new SnapshotTables(snapshot, before.#compiled);
    return new SnapshotTables(snapshot, compileEntries(snapshot.entries, before ? before.#compiled : undefined));
  }

  get apps(): Iterable<AppPlan> {
    return this.#compiled.appsById.values();
  }

  app(id: string): AppPlan | undefined {
    return this.#compiled.appsById.get(id);
  }

  appByHost(host: string): AppPlan | undefined {
    return this.#compiled.appsByHost.size === 0 ? undefined : this.#compiled.appsByHost.get(host);
  }

  token(hash: string): TokenEntry | undefined {
    return getEntry(this.#entries, 'token', hash);
  }

  isRevoked(hash: string): boolean {
    const entry: RevokedEntry | undefined = getEntry(this.#entries, 'revoked', hash);
    return entry !== undefined;
  }

  key(kid: string): JwkEntry | undefined {
    return getEntry(this.#entries, 'jwk', kid);
  }

  webhook(id: string): WebhookEntry | undefined {
    return getEntry(this.#entries, 'webhook', id);
  }

  hasOwnCredential(app: AppEntry, integrationId: string): boolean {
    return this.#entries.has(`credential:${app.id}.${integrationId}`);
  }

  /** What is attached to the calls of an integration: its own, else the app's. */
  credential(app: AppEntry, integrationId: string): Credential | null {
    const own = getEntry(this.#entries, 'credential', `${app.id}.${integrationId}`);
    return own ? own.credential : app.credential;
  }

  integration(id: string): IntegrationEntry | undefined {
    return getEntry(this.#entries, 'integration', id);
  }

  integrationByClient(clientId: string): IntegrationEntry | undefined {
    return this.#compiled.integrationsByClient.get(clientId);
  }

  get mcp(): McpTables {
    return this.#compiled.mcp;
  }

  graphqlSchema(appId: string): GraphqlSchemaEntry | undefined {
    return getEntry(this.#entries, 'graphql-schema', appId);
  }

  get requirements(): Requirements {
    return this.#compiled.requirements;
  }

  /** When a person last unlocked an address, by the hex SHA-256 of it; 0: never. */
  unlockedAt(addressHash: string): number {
    return getEntry(this.#entries, 'unlock', addressHash)?.at ?? 0;
  }

  /** The app whose upstream listens there. */
  byUpstream(host: string, port: number): UpstreamPlace | undefined {
    return this.#compiled.byUpstream.get(`${host}:${port}`);
  }

  /** Whether any grant names this pair; looks at all of them, so not for the path of a call. */
  hasGrant(integrationId: string, appId: string): boolean {
    return listEntries(this.#entries, 'grant').some(
      (grant) => grant.integrationId === integrationId && grant.appId === appId,
    );
  }

  get proxy(): ProxyEntry | undefined {
    return getEntry(this.#entries, 'proxy', 'settings');
  }

  dataLabel(appId: string, operationId: string): DataLabel | undefined {
    return labelOfOperation(this.#entries, appId, operationId);
  }

  /** Whether somebody said why, or released it, and the time for which that holds is not over. */
  hasPass(ruleId: string, integrationId: string, appId: string, now: number): boolean {
    const passes = this.#compiled.passes.get(`${ruleId} ${integrationId}`);
    return passes?.some((pass) => pass.expiresAt > now && (pass.appId === null || pass.appId === appId)) ?? false;
  }

  get inspection(): Compiled['inspection'] {
    return this.#compiled.inspection;
  }

  /** The limits whose scope covers a call, in the order of their ids. */
  limitsFor(integrationId: string, appId: string, operationId: string): readonly LimitEntry[] {
    const { limits, limitsByCall } = this.#compiled;
    if (limits.length === 0) return limits;
    const key = `${integrationId} ${appId} ${operationId}`;
    let found = limitsByCall.get(key);
    if (!found) {
      const fits = (scope: string | null, value: string): boolean => scope === null || scope === value;
      found = limits.filter(
        ({ scope }) =>
          fits(scope.integrationId, integrationId) && fits(scope.appId, appId) && fits(scope.operationId, operationId),
      );
      if (limitsByCall.size >= LIMIT_CALLS_MAX) limitsByCall.clear();
      limitsByCall.set(key, found);
    }
    return found;
  }
}

function placeOf(target: UpstreamTarget): string {
  const url = new URL(target.origin);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname.replace(/^\[|\]$/g, '')}:${port}`;
}

function compileEntries(entries: Entries, before: Compiled | undefined): Compiled {
  const appsByName = new Map<string, AppPlan>();
  const appsById = new Map<string, AppPlan>();
  const appsByHost = new Map<string, AppPlan>();
  const byUpstream = new Map<string, UpstreamPlace>();
  const integrationsByClient = new Map<string, IntegrationEntry>();
  const limits: LimitEntry[] = [];
  for (const [key, value] of entries) {
    if (key.startsWith('token:')) continue;
    if (key.startsWith('app:')) {
      const entry = value as AppEntry; // parseEntry ties a key's kind to its value's shape
      const known = before?.appsById.get(entry.id);
      const plan = known?.entry === entry ? known : planApp(entry);
      appsById.set(entry.id, plan);
      appsByName.set(entry.name, plan);
      for (const host of entry.hostNames) appsByHost.set(host, plan);
      for (const target of [plan.main, ...plan.byRole.values()]) byUpstream.set(placeOf(target), { app: plan, target });
    } else if (key.startsWith('integration:')) {
      const entry = value as IntegrationEntry; // as above
      integrationsByClient.set(entry.clientId, entry);
    } else if (key.startsWith('limit:')) {
      limits.push(value as LimitEntry); // as above
    }
  }
  limits.sort((a, b) => (a.id < b.id ? -1 : 1));
  const requirements = new Requirements(listEntries(entries, 'requirement'));
  const inspection = compileInspection(entries);
  const passes = Map.groupBy(listEntries(entries, 'inspection-pass'), (pass) => `${pass.ruleId} ${pass.integrationId}`);
  const mcp = compileMcp(entries);
  return {
    appsByName,
    appsById,
    appsByHost,
    byUpstream,
    integrationsByClient,
    limits,
    limitsByCall: new Map(),
    requirements,
    inspection,
    passes,
    mcp,
  };
}
