/** What the graph knows of: everything that holds access, gives it, or is reached by it. */
export const NODE_KINDS = [
  'vendor',
  'app',
  'integration',
  'agent',
  'oauth_grant',
  'installed_app',
  'api_grant',
  'webhook',
  'automation',
  'api_key',
  'credential',
  'person',
  'service_account',
  'group',
  'data_set',
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** From the least to the most harm that disclosure does. */
export const CLASSIFICATIONS = ['public', 'internal', 'confidential', 'restricted'] as const;
export type Classification = (typeof CLASSIFICATIONS)[number];

/** Where the object behind a node is kept, for links and for what can be done to it. */
export interface NodeReference {
  readonly type: 'app' | 'integration' | 'vendor' | 'vault_credential' | 'entity' | 'connection' | 'none';
  readonly id: string;
  /** Of an entity: the connection that showed it, and the entity's kind there. */
  readonly connectionId?: string;
  readonly entityKind?: string;
}

export interface GraphNode {
  /** Unique: the kind of source and its id, such as `app:0190…` or `person:ada@example.com`. */
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly reference: NodeReference;
  /** Of apps: whether somebody decided that it may be used. */
  readonly sanctioned?: boolean;
  /** Of data sets. */
  readonly classification?: Classification;
  readonly dataClass?: string;
  /** Of data sets, grants and keys: the app they belong to, by name. */
  readonly app?: string;
  readonly status?: string;
  readonly owner?: string;
  /** Milliseconds since the epoch, as far as they are known. */
  readonly createdAt?: number;
  readonly lastUsedAt?: number;
  readonly expiresAt?: number;
  readonly scopes?: readonly string[];
}

/**
 * Every edge goes from who could act to what that lets them reach.
 * Partial ones reach an app in part: what else the app holds is not reached by them, so a search ends there.
 */
export const EDGE_KINDS = {
  operates: { text: 'operates', isPartial: false },
  holds: { text: 'holds', isPartial: false },
  owns: { text: 'owns', isPartial: false },
  member: { text: 'is member of', isPartial: false },
  uses: { text: 'uses', isPartial: false },
  opens: { text: 'opens', isPartial: false },
  reaches: { text: 'has access to', isPartial: false },
  granted: { text: 'is granted part of', isPartial: true },
  reached: { text: 'reached', isPartial: true },
  may_see: { text: 'may see', isPartial: false },
  saw: { text: 'saw', isPartial: false },
} as const;
export type EdgeKind = keyof typeof EDGE_KINDS;
export const EDGE_NAMES = Object.keys(EDGE_KINDS) as readonly EdgeKind[]; // the keys of the table above

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  /** Calls that were seen to go this way, and values found in them. */
  readonly calls?: number;
  readonly values?: number;
  readonly lastAt?: number;
}
