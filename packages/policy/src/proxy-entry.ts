import { z } from 'zod';
import { entryId } from './app-entry.ts';

/** `proxy:settings`: how the forward proxy treats what passes it. Absent: the proxy refuses everything it can't name. */
export const proxyEntry = z.strictObject({
  id: entryId,
  /** Destinations that belong to no app: refused, or let through and recorded. */
  unknown: z.enum(['refuse', 'observe']).default('refuse'),
  /** Whether the name in the TLS handshake must be the one that the tunnel was asked for. */
  sni: z.enum(['match', 'any']).default('match'),
  /** Ports that tunnels to unknown destinations may go to. */
  ports: z.array(z.int().min(1).max(65_535)).max(32).default([443]),
  /** Forbidden hosts, and with each everything beneath it: refused whatever else holds. */
  blocked: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
        .max(253),
    )
    .max(20_000)
    .default([]),
  /** What signs the certificates of opened connections. The key is sealed with context `proxy-authority`. */
  authority: z
    .strictObject({ certificate: z.string().max(16_384), sealed: z.string().min(1).max(16_384) })
    .nullable()
    .default(null),
});
export type ProxyEntry = z.output<typeof proxyEntry>;
export type ProxyEntryInput = z.input<typeof proxyEntry>;
