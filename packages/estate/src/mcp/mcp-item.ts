import {
  DEFINITION_BYTES_MAX,
  type DefinitionFlag,
  definitionHash,
  isMcpName,
  type McpItemKind,
  mcpItemKind,
} from '@cordon/policy';
import { z } from 'zod';

const REPORT_ITEMS_MAX = 20;
/** More than any server offers; a hostile one shall not fill the database. */
export const ITEMS_MAX = 2_000;

const definition = z
  .record(z.string(), z.unknown())
  .refine((value) => JSON.stringify(value).length <= DEFINITION_BYTES_MAX, 'too large');

/** What a gateway reports of a server's offer. */
export const mcpReport = z.strictObject({
  appId: z.uuid(),
  items: z
    .array(
      z
        .strictObject({ kind: mcpItemKind, name: z.string().min(1).max(2048), definition })
        .refine(({ kind, name }) => isMcpName(kind, name), 'no name of such an item'),
    )
    .min(1)
    .max(REPORT_ITEMS_MAX),
});
export type McpReport = z.output<typeof mcpReport>;

/** A decision names what was looked at, so that nothing else is accepted by it. */
export const mcpDecision = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** What grants and policies take the tool for; absent: as it was. */
  access: z.enum(['read', 'write']).optional(),
});
export type McpDecision = z.input<typeof mcpDecision>;

export type McpState = 'pending' | 'accepted' | 'suspended' | 'rejected';

/** One tool, prompt, resource or instruction text of an MCP server, or what a pinned resource holds. */
export interface McpItem {
  readonly id: string;
  readonly appId: string;
  readonly kind: McpItemKind;
  readonly name: string;
  readonly state: McpState;
  readonly accepted: Record<string, unknown> | null;
  readonly acceptedSha256: string | null;
  /** The last definition that is not the accepted one, or the accepted one. */
  readonly seen: Record<string, unknown>;
  readonly seenSha256: string;
  readonly access: 'read' | 'write';
  readonly firstSeenAt: number;
  readonly seenAt: number;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
}

export interface McpItemView extends McpItem {
  readonly flags: readonly DefinitionFlag[];
  /** Names of the integrations whose grants cover it. */
  readonly grantedTo: readonly string[];
}

interface GrantPlace {
  readonly method: 'CALL' | 'GET' | 'READ';
  /** What stands before the name: in a path that grants take, and in the operation's id. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
}

const RESOURCE: GrantPlace = { method: 'READ', path: '/resources/', id: 'resource:', tag: 'resources' };

/** How a grant names an item; null for what no grant names. Contents go with their resource. */
export const GRANT_PLACES: Readonly<Record<McpItemKind, GrantPlace | null>> = {
  tool: { method: 'CALL', path: '/tools/', id: '', tag: 'tools' },
  prompt: { method: 'GET', path: '/prompts/', id: 'prompt:', tag: 'prompts' },
  resource: RESOURCE,
  'resource-template': RESOURCE,
  contents: RESOURCE,
  instructions: null,
};

/** Servers may list resources without end; what is beyond this stays invisible. */
const RESOURCES_MAX = 1_500;
const BOUNDED: ReadonlySet<McpItemKind> = new Set(['resource', 'resource-template', 'contents']);

/** Of what was reported, what there is room for beside what is known. */
export function withinBounds<T extends { readonly kind: McpItemKind; readonly name: string }>(
  known: readonly McpItem[],
  reported: readonly T[],
): T[] {
  const names = new Set(known.map(({ kind, name }) => `${kind} ${name}`));
  let left = RESOURCES_MAX - known.filter(({ kind }) => BOUNDED.has(kind)).length;
  return reported.filter(({ kind, name }) => !BOUNDED.has(kind) || names.has(`${kind} ${name}`) || (left -= 1) >= 0);
}

/** A tool that says of itself that it only reads is taken for a read until somebody says otherwise. */
export function proposedAccess(definitionOf: Record<string, unknown>): 'read' | 'write' {
  const annotations = definitionOf['annotations'];
  const isRecord = typeof annotations === 'object' && annotations !== null;
  return isRecord && Reflect.get(annotations, 'readOnlyHint') === true ? 'read' : 'write';
}

/** How a report changes what is known; null when it says nothing new. */
export function afterReport(
  known: McpItem | undefined,
  seen: Record<string, unknown>,
): { readonly state: McpState; readonly isSuspended: boolean } | null {
  const sha256 = definitionHash(seen);
  if (!known) return { state: 'pending', isSuspended: false };
  // A server that shows the accepted face again stays suspended: the other one has been seen.
  if (sha256 === known.acceptedSha256 || sha256 === known.seenSha256) return null;
  if (known.state === 'accepted') return { state: 'suspended', isSuspended: true };
  return { state: known.state === 'rejected' ? 'pending' : known.state, isSuspended: false };
}

function schemaOf(definitionOf: Record<string, unknown>, member: string): unknown {
  const schema = definitionOf[member];
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? schema : null;
}

export const mcpItemKey = (id: string): string => `mcp-item:${id}`;

/** What gateways need to know of an item; null while nobody has decided about it. */
export function mcpSnapshotEntry(item: McpItem): readonly [string, unknown] | null {
  if (item.state === 'pending') return null;
  const pinned = item.accepted ?? item.seen;
  const entry = {
    id: item.id,
    appId: item.appId,
    kind: item.kind,
    name: item.name,
    sha256: item.acceptedSha256 ?? item.seenSha256,
    state: item.state,
    access: item.access,
    inputSchema: item.kind === 'tool' ? schemaOf(pinned, 'inputSchema') : null,
    outputSchema: item.kind === 'tool' ? schemaOf(pinned, 'outputSchema') : null,
  };
  return [mcpItemKey(item.id), entry];
}
