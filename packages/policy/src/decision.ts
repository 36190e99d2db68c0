/** What a decision is about. */
export interface CallRequest {
  readonly integrationId: string;
  readonly appId: string;
  readonly operationId: string;
  readonly context: CallContext;
}

/** What policies can see of one call. */
export interface CallContext {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** IPv4 or IPv6 address of the caller. */
  readonly sourceAddress: string;
  /** How the client proved itself on this call. */
  readonly assurance: 'm0' | 'm1' | 'm2';
  readonly listener: 'path' | 'host' | 'port' | 'proxy' | 'webhook' | 'mcp';
  /** Path parameters as resolved (`owner`, `repo`), decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** A decision is a value: logged as it is, and the caller of a refused call is told its explanation. */
export interface Decision {
  /** deny: something forbids it. no-match: nothing permits it. Both refuse. */
  readonly decision: 'allow' | 'deny' | 'no-match';
  /** The statements that decided: the permits of an allow, the forbids of a deny, `default-deny` of a no-match. */
  readonly policies: readonly Named[];
  /** The live grants that cover the operation for this call. */
  readonly grants: readonly Named[];
  readonly operationId: string;
  /** One sentence naming integration, operation and policy. Holds no secrets: safe for the caller and for logs. */
  readonly explanation: string;
}

export const DEFAULT_DENY: Named = { id: 'default-deny', name: 'default-deny' };
