import type { App } from '../app.ts';
import type { Grant } from '../grant.ts';
import type { Integration } from '../integration.ts';
import type { Classification } from './node.ts';

/**
 * What the graph is made from. The estate reads its own tables; everything else comes through these narrow shapes, so
 * that this package needs neither connectors nor vendors nor the lake.
 */

interface Party {
  readonly kind: string;
  readonly id: string;
  readonly name?: string | null | undefined;
}

/** A moment as ISO 8601; null: there is none; absent: not visible. */
type Moment = string | null | undefined;

export type EntityFact =
  | {
      readonly type: 'account';
      readonly id: string;
      readonly kind: string;
      readonly status: string;
      readonly name?: string | null | undefined;
      readonly login?: string | null | undefined;
      readonly email?: string | null | undefined;
      readonly createdAt?: Moment;
      readonly lastActiveAt?: Moment;
    }
  | {
      readonly type: 'group';
      readonly id: string;
      readonly name: string;
      readonly members?: readonly string[] | undefined;
      readonly createdAt?: Moment;
    }
  | {
      readonly type: 'grant';
      readonly id: string;
      readonly kind: string;
      readonly status: string;
      readonly subject: Party;
      readonly object: Party;
      readonly scopes?: readonly string[] | undefined;
      readonly client?:
        | {
            readonly id?: string | null | undefined;
            readonly name?: string | null | undefined;
            readonly publisher?: string | null | undefined;
            readonly own?: boolean | null | undefined;
          }
        | undefined;
      readonly grantedBy?: string | null | undefined;
      readonly createdAt?: Moment;
      readonly lastUsedAt?: Moment;
      readonly expiresAt?: Moment;
      readonly endpoint?: { readonly url?: string | null | undefined } | undefined;
    }
  | {
      readonly type: 'credential';
      readonly id: string;
      readonly kind: string;
      readonly status: string;
      readonly name?: string | null | undefined;
      readonly ownerId?: string | null | undefined;
      readonly ownerKind?: string | null | undefined;
      readonly scopes?: readonly string[] | undefined;
      readonly createdAt?: Moment;
      readonly lastUsedAt?: Moment;
      readonly expiresAt?: Moment;
      /** What an action needs to find it, such as `repository`. */
      readonly attributes?: Readonly<Record<string, unknown>> | undefined;
    };

export interface ToolFact {
  readonly connectionId: string;
  /** The connector's app, such as `github`. */
  readonly app: string;
  readonly title: string;
  readonly name: string;
  readonly credentialAt: number;
  readonly entities: readonly EntityFact[];
}

/** Traffic of the lake: which integration reached which app, and which classes of data were in it. */
export interface TrafficFact {
  readonly integrationId: string;
  readonly appId: string;
  readonly calls: number;
  readonly lastAt: number;
}

export interface SeenFact {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  readonly dataClass: string;
  readonly calls: number;
  /** Values found, all calls together. */
  readonly values: number;
  readonly lastAt: number;
}

export interface GraphFacts {
  readonly apps: readonly App[];
  readonly integrations: readonly Integration[];
  readonly grants: readonly Grant[];
  readonly vaultCredentials: readonly { readonly id: string; readonly appId: string; readonly createdAt: number }[];
  readonly people: readonly { readonly id: string; readonly email: string; readonly name: string }[];
  readonly vendors: readonly { readonly id: string; readonly name: string; readonly appIds: readonly string[] }[];
  readonly tools: readonly ToolFact[];
  readonly traffic: readonly TrafficFact[];
  readonly seen: readonly SeenFact[];
  /** Whether a grant covers an operation of its app. */
  readonly covers: (grant: Grant, operationId: string) => boolean;
  readonly classificationOf: (dataClass: string) => Classification;
}

/** What the graph asks of other domains; the composition root answers. */
export interface GraphPorts {
  people(): Promise<GraphFacts['people']>;
  vendors(): Promise<GraphFacts['vendors']>;
  tools(): Promise<GraphFacts['tools']>;
  /** What passed the gateway since `from`. */
  traffic(from: number): Promise<Pick<GraphFacts, 'traffic' | 'seen'>>;
  covers(grants: readonly Grant[]): Promise<GraphFacts['covers']>;
  readonly classificationOf: GraphFacts['classificationOf'];
}
