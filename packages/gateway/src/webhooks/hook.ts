import type { IncomingMessage, ServerResponse } from 'node:http';
import { uuidv7 } from '@cordon/kernel';
import type { FindingFacts } from '@cordon/lake';
import type { AppEntry, IntegrationEntry } from '@cordon/policy';
import type { Refusal } from '../errors.ts';
import type { ListenerPlan } from '../exchange.ts';
import type { GatewayRuntime } from '../runtime.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import type { EndpointPlan, EndpointPlans } from './endpoint-plan.ts';
import type { Verdict } from './signature-check.ts';

/** What the steps of a webhook work with beyond the gateway's own. */
export interface HookRuntime {
  readonly gateway: GatewayRuntime;
  readonly plans: EndpointPlans;
  /** Puts a delivery on disk; resolves when it is there, rejects when it can't be. */
  readonly store: (line: string) => Promise<void>;
  readonly isFull: () => boolean;
}

/** Where a delivery goes: read from one snapshot. */
export interface HookTarget {
  readonly plan: EndpointPlan;
  readonly app: AppEntry;
  readonly integration: IntegrationEntry;
  /** What follows the endpoint's id in the path, with its slash; empty when nothing does. */
  readonly rest: string;
}

export type Verified = Extract<Verdict, { verdict: 'verified' }>;

/** One request under `/hooks/` on its way through the steps. */
export class Hook {
  readonly runtime: HookRuntime;
  readonly listener: ListenerPlan;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tables: SnapshotTables | undefined;
  /** Id of the request, of its event, and of the delivery when it becomes one. */
  readonly id: string;
  readonly startedAt: number;
  readonly startedTick: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly method: string;
  host = '';
  target: HookTarget | undefined;
  parts: DeliveryParts | undefined;
  verified: Verified | undefined;
  type = '';
  vendorId = '';
  findings: FindingFacts[] = [];
  redactions = 0;
  notes: string[] = ['webhook'];
  /** The body as the integration will get it. */
  body: Buffer = Buffer.alloc(0);
  requestBytes = 0;
  heldBytes = 0;
  /** Set when the request is answered without becoming a delivery, or as one. */
  answer: { readonly status: number; readonly contentType: string; readonly body: string } | undefined;
  /** A verified delivery that is acknowledged but not handed on: its type isn't wanted. */
  unwanted = false;
  refusal: Refusal | undefined;
  recorded = false;
  sentStatus = 0;
  aborted = false;

  constructor(runtime: HookRuntime, listener: ListenerPlan, request: IncomingMessage, response: ServerResponse) {
    this.runtime = runtime;
    this.listener = listener;
    this.request = request;
    this.response = response;
    this.tables = runtime.gateway.tables;
    this.startedAt = runtime.gateway.clock.now();
    this.id = uuidv7(this.startedAt);
    this.startedTick = performance.now();
    this.sourceAddress = request.socket.remoteAddress ?? '';
    this.sourcePort = request.socket.remotePort ?? 0;
    this.method = request.method ?? 'GET';
  }

  /** The target of a request past `accept`. */
  get endpoint(): HookTarget {
    return this.target!; // the accept step refused the request otherwise
  }

  /** The parts of a request past `receive`. */
  get delivery(): DeliveryParts {
    return this.parts!; // the receive step made them
  }

  release(): void {
    this.runtime.gateway.held.bytes -= this.heldBytes;
    this.heldBytes = 0;
  }
}
