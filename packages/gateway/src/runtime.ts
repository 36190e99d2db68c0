import type { Clock, Logger, SecretEnvelope } from '@cordon/kernel';
import type { Authorizer } from '@cordon/policy';
import type { GatewayConfig, GatewayLimits } from './config.ts';
import type { CredentialBox } from './credential-box.ts';
import type { CredentialRenewals } from './credential-renewals.ts';
import type { DpopNonces } from './dpop-nonce.ts';
import type { SourceLock, SourceLocks } from './source-locks.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { GraphqlDocuments } from './graphql/graphql-documents.ts';
import type { Inspector } from './inspector.ts';
import type { Lessons } from './lessons.ts';
import type { LimitCounters } from './limit-counters.ts';
import type { McpCatalog } from './mcp/mcp-catalog.ts';
import type { McpSeals } from './mcp/mcp-session.ts';
import type { Metrics } from './metrics.ts';
import type { Observations } from './observations.ts';
import type { Operations } from './operations.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RefusalRecorder } from './refusal-recorder.ts';
import type { UpstreamGates } from './resilience/upstream-gate.ts';
import type { VendorBudgets } from './sharing/vendor-budgets.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import type { SnapshotTables } from './snapshot-tables.ts';
import type { Spool } from './spool.ts';
import type { Upstreams } from './upstreams.ts';

/** What the steps work with: one for each gateway process. */
export interface GatewayRuntime {
  readonly config: GatewayConfig;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly envelope: SecretEnvelope;
  readonly source: SnapshotSource;
  readonly identities: IdentityCache;
  readonly nonces: DpopNonces;
  readonly trustedProxies: ReadonlySet<string>;
  readonly approvals: { consume(tokenSha256: string, requestId: string): Promise<boolean> };
  readonly locks: SourceLocks;
  /** Tells control of a lock; a failure is only logged. */
  readonly reportLock: (lock: SourceLock) => void;
  readonly operations: Operations;
  readonly mcp: { readonly catalog: McpCatalog; readonly seals: McpSeals };
  readonly graphql: GraphqlDocuments;
  readonly inspector: Inspector;
  /** Undefined: nobody wants to know what data passes. */
  observations: Observations | undefined;
  /** What apps whose API nobody described look like. */
  readonly lessons: Lessons;
  readonly credentials: CredentialBox;
  readonly upstreams: Upstreams;
  readonly gates: UpstreamGates;
  readonly renewals: CredentialRenewals;
  readonly budgets: VendorBudgets;
  readonly counters: LimitCounters;
  readonly failures: RateLimiter;
  readonly spool: Spool;
  readonly refusals: RefusalRecorder;
  /** 0 to 1. */
  readonly random: () => number;
  /** Bytes of bodies held by all calls. */
  readonly held: { bytes: number };
  /** Undefined until the first snapshot. */
  tables: SnapshotTables | undefined;
  authorizer: Authorizer | undefined;
  draining: boolean;
  isStale(): boolean;
}
