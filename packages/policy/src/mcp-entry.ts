import { z } from 'zod';

const MIB = 1024 * 1024;
const choice = z.enum(['refuse', 'allow']).default('refuse');

/** How the gateway treats an app that is an MCP server. The app's upstream is the server's endpoint. */
export const mcpSettings = z.strictObject({
  /** `accept-unflagged`: a tool seen for the first time is accepted when nothing in it looks like an instruction. */
  newItems: z.enum(['review', 'accept-unflagged']).default('review'),
  /** `review`: resources and templates are pinned and accepted like tools. `granted`: a grant on the URI is enough. */
  resources: z.enum(['review', 'granted']).default('review'),
  /** Resources whose contents are pinned too, as grants name them: `notes://handbook/**`. */
  pinContents: z
    .array(z.string().regex(/^[!-~]{1,2048}$/))
    .max(100)
    .default([]),
  /** Requests from the server to the client. Refused ones are answered by the gateway, the client never sees them. */
  sampling: choice,
  elicitation: choice,
  roots: choice,
  /** What one result may hold. */
  resultBytesMax: z
    .int()
    .min(1024)
    .max(64 * MIB)
    .default(4 * MIB),
  contentItemsMax: z.int().min(1).max(100_000).default(1000),
  /** Elements of any one list in structured content. */
  recordsMax: z.int().min(1).max(1_000_000).default(10_000),
  /** Moved to have gateways look at the server's tools now. */
  lookAt: z.int().nonnegative().nullable().default(null),
});
export type McpSettings = z.output<typeof mcpSettings>;

/** `contents`: what a resource answered, under the resource's URI. */
export const mcpItemKind = z.enum(['tool', 'prompt', 'instructions', 'resource', 'resource-template', 'contents']);
export type McpItemKind = z.output<typeof mcpItemKind>;

const shortId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/**
 * `mcp-item:<id>`: one tool, prompt, resource or instruction text of an MCP server that somebody decided about. What has no
 * entry is invisible.
 */
export const mcpItemEntry = z.strictObject({
  id: shortId,
  appId: shortId,
  kind: mcpItemKind,
  /** Of resources their URI, of templates the template. */
  name: z.string().min(1).max(2048),
  /** Hash of the accepted definition (`definitionHash`). */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.enum(['accepted', 'suspended', 'rejected']),
  access: z.enum(['read', 'write']),
  /** JSON Schemas of the accepted definition; null when it has none. */
  inputSchema: z.record(z.string(), z.unknown()).nullable().default(null),
  outputSchema: z.record(z.string(), z.unknown()).nullable().default(null),
});
export type McpItemEntry = z.output<typeof mcpItemEntry>;
export type McpItemEntryInput = z.input<typeof mcpItemEntry>;
