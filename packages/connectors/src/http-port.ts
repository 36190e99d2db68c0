/** One request to a tool, complete with its credential. */
export interface ToolRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly timeoutMs: number;
  /** A longer answer fails the call. */
  readonly bytesMax: number;
}

export interface ToolAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * How this package reaches tools. The composition root gives one that connects only where the gateway's egress guard
 * lets it, follows no redirect and holds the limits that a request names.
 */
export interface HttpPort {
  send(request: ToolRequest): Promise<ToolAnswer>;
}
