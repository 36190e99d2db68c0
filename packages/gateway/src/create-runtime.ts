import path from 'node:path';
import type { Classifier } from '@cordon/classifier';
import type { Clock, Logger, SecretEnvelope } from '@cordon/kernel';
import type { BlobStore } from './blob-store.ts';
import { DEFAULT_LIMITS, type GatewayConfig } from './config.ts';
import type { ControlClient } from './control-client.ts';
import { CredentialBox } from './credential-box.ts';
import { CredentialRenewals } from './credential-renewals.ts';
import { ControlApprovals, reportLock } from './control-approvals.ts';
import { DpopNonces } from './dpop-nonce.ts';
import { SourceLocks } from './source-locks.ts';
import { IdentityCache } from './identity-cache.ts';
import { GraphqlDocuments } from './graphql/graphql-documents.ts';
import { Inspector } from './inspector.ts';
import { Lessons } from './lessons.ts';
import { McpCatalog } from './mcp/mcp-catalog.ts';
import { reportMcpItems } from './mcp/mcp-report.ts';
import { McpSeals } from './mcp/mcp-session.ts';
import type { Metrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { createCounters } from './counters.ts';
import { RateLimiter } from './rate-limiter.ts';
import { RefusalRecorder } from './refusal-recorder.ts';
import type { GatewayRuntime } from './runtime.ts';
import { UpstreamGates } from './resilience/upstream-gate.ts';
import { VendorBudgets } from './sharing/vendor-budgets.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import { Spool } from './spool.ts';
import { UpstreamCertificates } from './upstream-certificates.ts';
import { Upstreams } from './upstreams.ts';

/** What a gateway is given, as far as its calls need it. */
export interface RuntimeDeps {
  readonly config: GatewayConfig;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
  readonly classifier: Classifier;
}

/** Everything that the steps of a call share. */
export function createRuntime(
  deps: RuntimeDeps,
  source: SnapshotSource,
  metrics: Metrics,
  client: ControlClient,
  blobs: BlobStore,
): GatewayRuntime {
  const { config, clock, logger, envelope } = deps;
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const counters = createCounters({ config, clock, logger, metrics });
  const runtime: GatewayRuntime = {
    config,
    limits,
    clock,
    logger,
    metrics,
    envelope,
    source,
    identities: new IdentityCache(),
    nonces: new DpopNonces(config.key),
    trustedProxies: new Set(config.trustedProxies),
    approvals: new ControlApprovals(client),
    locks: new SourceLocks(),
    reportLock: (lock) => void reportLock(client, lock, logger),
    operations: new Operations(
      blobs,
      logger,
      () => clock.now(),
      (appId) => runtime.authorizer?.forgetApp(appId),
    ),
    mcp: {
      catalog: new McpCatalog((appId, items) => reportMcpItems(client, appId, items), logger),
      seals: new McpSeals(envelope),
    },
    graphql: new GraphqlDocuments(blobs),
    inspector: new Inspector(deps.classifier),
    observations: undefined,
    lessons: new Lessons({ config, client, clock, logger, metrics }),
    credentials: new CredentialBox(envelope),
    upstreams: new Upstreams(limits.upstreamConnectionsMax, new UpstreamCertificates(client, clock, logger)),
    gates: new UpstreamGates(clock, metrics),
    renewals: new CredentialRenewals(client, clock, logger),
    counters,
    budgets: new VendorBudgets(clock, counters),
    failures: new RateLimiter(clock),
    spool: new Spool({ root: path.join(config.dataDir, 'spool'), clock, logger, ...config.spool }),
    refusals: new RefusalRecorder(new RateLimiter(clock)),
    random: deps.random ?? Math.random,
    held: { bytes: 0 },
    tables: undefined,
    authorizer: undefined,
    draining: false,
    isStale: () => config.stalenessMsMax > 0 && clock.now() - source.contactAt > config.stalenessMsMax,
  };
  return runtime;
}

/**
 * One gateway process: the traffic path with its snapshot, its spool and its listeners. Does nothing until started.
 *
 * @throws {GatewayError} from `start`, `gateway.config_invalid` when a listener would speak plain HTTP to the world.
 */
