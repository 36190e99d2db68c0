import type { SecretEnvelope } from '@cordon/kernel';
import { z } from 'zod';

/** A session that nobody opened anew for so long is over. */
export const SESSION_MS_MAX = 24 * 3_600_000;
const SEALED_CHARS_MAX = 4096;
const CONTEXT = 'mcp-session';

/** Versions with Streamable HTTP. Batches exist in the first only. */
export const MCP_VERSIONS = ['2025-03-26', '2025-06-18', '2025-11-25'] as const;
export type McpVersion = (typeof MCP_VERSIONS)[number];

const sessionShape = z.strictObject({
  kind: z.literal('session'),
  app: z.string(),
  integration: z.string(),
  /** The server's own id; null for a server without sessions. The client never sees it. */
  upstream: z.string().nullable(),
  version: z.enum(MCP_VERSIONS),
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Names the session in what is sealed for it later. */
  key: z.string(),
});
export type McpSession = z.output<typeof sessionShape>;

/** What a stream was opened for, so that it can be taken up again by `Last-Event-ID`. */
const eventShape = z.strictObject({
  kind: z.literal('event'),
  session: z.string(),
  id: z.string(),
  rpc: z.strictObject({ id: z.union([z.string(), z.number()]), method: z.string(), operation: z.string() }).nullable(),
});
export type SealedEvent = z.output<typeof eventShape>;

/** A request that the server made to the client: only its answer may come back, once known to be for it. */
const callbackShape = z.strictObject({
  kind: z.literal('callback'),
  session: z.string(),
  id: z.union([z.string(), z.number()]),
  method: z.string(),
});
export type SealedCallback = z.output<typeof callbackShape>;

const shapes = { session: sessionShape, event: eventShape, callback: callbackShape };
type Sealed = { [K in keyof typeof shapes]: z.output<(typeof shapes)[K]> };

/**
 * Sessions without memory: what a gateway must know of one is sealed into its id. Any process of any gateway can
 * serve the next call, and an id that was guessed, altered or taken from another integration opens nothing.
 */
export class McpSeals {
  readonly #envelope: SecretEnvelope;

  constructor(envelope: SecretEnvelope) {
    this.#envelope = envelope;
  }

  seal(value: Sealed[keyof Sealed]): string {
    return this.#envelope.seal(JSON.stringify(value), CONTEXT);
  }

  /** Undefined for anything that wasn't sealed here as this kind. */
  open<K extends keyof Sealed>(kind: K, text: string): Sealed[K] | undefined {
    if (text.length > SEALED_CHARS_MAX) return undefined;
    try {
      const parsed = shapes[kind].safeParse(JSON.parse(this.#envelope.open(text, CONTEXT).toString('utf8')));
      return parsed.success ? (parsed.data as Sealed[K]) : undefined; // parsed by the shape of that kind
    } catch {
      return undefined; // not sealed by this installation
    }
  }
}
