import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Credential, DataLabel, IntegrationEntry, TokenEntry } from '@cordon/policy';
import { uuidv7 } from '@cordon/kernel';
import type { Decision, FindingFacts, Named } from '@cordon/lake';
import type { Located, AppPlan, UpstreamTarget } from './app-plan.ts';
import type { CheckedProof } from './dpop-proof.ts';
import type { Refusal } from './errors.ts';
import type { LinkTarget } from './link-rewriter.ts';
import type { ResolvedOperation } from './operations.ts';
import type { UpstreamGate } from './resilience/upstream-gate.ts';
import type { GatewayRuntime } from './runtime.ts';
import type { SnapshotTables } from './snapshot-tables.ts';
import type { UpstreamStream } from './upstream-call.ts';

/** Who calls, as proved by the token. */
export interface Identity {
  readonly tokenHash: string;
  readonly integration: IntegrationEntry;
  readonly token: TokenEntry;
  readonly via: 'opaque' | 'jwt';
}

export interface ListenerPlan {
  readonly kind: 'api';
  readonly secure: boolean;
  readonly publicUrl: string | undefined;
  /** Name of the app that the whole listener serves. */
  readonly app: string | undefined;
  /** Set for a call that came through the forward proxy: where it was going, and whose connection it is. */
  readonly proxied?: {
    readonly host: string;
    readonly port: number;
    readonly token: string;
    /** Of the certificate that the connection to the proxy showed; what comes over an opened one shows none. */
    readonly thumbprint: string | null;
  };
}

/** The upstream's answer, as far as it has come. */
export interface UpstreamResponse {
  readonly status: number;
  /** Raw fields, name after value, hop-by-hop ones already gone. */
  headers: string[];
  readonly contentType: string;
  readonly encoding: string;
  /** The whole body when it was held; exactly one of `body` and `stream` is set. */
  body: Buffer | undefined;
  readonly stream: UpstreamStream | undefined;
  /** The body without its content coding, once a step needed it. */
  decoded: Buffer | undefined;
  /** Set when a step replaced the body: what describes the old bytes must go. */
  changed: boolean;
}

/** One call on its way through the steps. Each step reads what earlier ones found and adds its own. */
export class Exchange {
  readonly runtime: GatewayRuntime;
  readonly listener: ListenerPlan;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The snapshot's tables when the call came in: a call is judged by one version from end to end. */
  readonly tables: SnapshotTables | undefined;
  /** Request id and event id. */
  readonly id: string;
  readonly startedAt: number;
  readonly startedTick: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly method: string;
  /** Path and query as the upstream will get them, below the app's base path. */
  path = '/';
  host = '';
  gatewayBase = '';
  located: Located | undefined;
  /** The presented token, to be kept from the upstream. */
  tokenText: string | undefined;
  /** Names of the request's fields in lower case, in the order of `rawHeaders`. */
  fieldNames: readonly string[] = [];
  /** Lower-case name of the field that held it, beyond the ones never forwarded. */
  tokenHeader: string | undefined;
  identity: Identity | undefined;
  /** The DPoP proof, when the token needs one; its nonce is one of ours. */
  proof: CheckedProof | undefined;
  operation: ResolvedOperation | undefined;
  policies: readonly Named[] = [];
  /** Ends what the limits began: places in concurrency limits. */
  releases: (() => void)[] = [];
  limitHeaders: string[] = [];
  requestType = '';
  requestEncoding = '';
  /** The whole request body when it is held, decoded if it was compressed. */
  requestBody: Buffer | undefined;
  /** Set instead when the body goes through unheld. */
  requestStream: AsyncIterable<Buffer> | undefined;
  requestBytes = 0;
  heldBytes = 0;
  /** What is attached: the integration's own credential, else the app's. */
  credential: Credential | null = null;
  credentialHeaders: string[] = [];
  upstreamMs: number | undefined;
  answer: UpstreamResponse | undefined;
  findings: FindingFacts[] = [];
  redactions = 0;
  notes: string[] = [];
  /** Why the client says that it sends or gets what a rule asks a reason for. */
  justification: string | null = null;
  decision: Decision = 'allow';
  refusal: Refusal | undefined;
  recorded = false;
  /** Set by a step that answers the call itself: no further step runs. */
  finished = false;
  /** Ids of a GraphQL document's further operations, beside `operation`. */
  furtherOperations: readonly ResolvedOperation[] = [];
  isGraphql = false;
  /** Texts within a GraphQL document, by place: what variables would otherwise hold. */
  literals: Readonly<Record<string, string>> = {};
  /** The body was taken in by the step that needed it first. */
  received = false;
  aborted = false;
  onAbort: (() => void) | undefined;
  /** Where the call has its place among those under way to its upstream. */
  gate: UpstreamGate | undefined;
  /** The answer of an MCP server is passed on event by event, as long as it goes on. */
  streaming = false;
  /** Ends the upstream's part of the call for a reason that the client is told. */
  cutUpstream: ((reason: Error) => void) | undefined;
  sentStatus = 0;
  sentBytes = 0;

  constructor(runtime: GatewayRuntime, listener: ListenerPlan, request: IncomingMessage, response: ServerResponse) {
    this.runtime = runtime;
    this.listener = listener;
    this.request = request;
    this.response = response;
    this.tables = runtime.tables;
    this.startedAt = runtime.clock.now();
    this.id = uuidv7(this.startedAt);
    this.startedTick = performance.now();
    const socket: Socket = request.socket;
    this.sourceAddress = socket.remoteAddress ?? '';
    this.sourcePort = socket.remotePort ?? 0;
    this.method = request.method ?? 'GET';
  }

  /** The app of a call past `accept`. */
  get app(): AppPlan {
    return this.located!.app; // the accept step refused the call otherwise
  }

  /** What governance calls the data that the call's operation moves. */
  get dataLabel(): DataLabel | undefined {
    return this.operation && this.tables?.dataLabel(this.app.entry.id, this.operation.id);
  }

  get target(): UpstreamTarget {
    return this.located!.target; // as above
  }

  get links(): readonly LinkTarget[] {
    return this.located!.links; // as above
  }

  /** The identity of a call past `identify`. */
  get caller(): Identity {
    return this.identity!; // the identify step refused the call otherwise
  }

  addFinding(finding: FindingFacts): void {
    this.findings.push(finding);
    if (finding.action === 'redact' || finding.action === 'tokenise') this.redactions += finding.count;
  }

  /** Counts a body against what all calls together may hold. Returns false when that is exhausted. */
  hold(bytes: number): boolean {
    const held = this.runtime.held;
    if (held.bytes + bytes > this.runtime.limits.heldBytesMax) return false;
    held.bytes += bytes;
    this.heldBytes += bytes;
    return true;
  }

  /** Gives back what the call holds. Safe to call twice. */
  release(): void {
    this.runtime.held.bytes -= this.heldBytes;
    this.heldBytes = 0;
    for (const release of this.releases) release();
    this.releases = [];
  }
}
