import type { ControlClient } from '../control-client.ts';
import { GatewayError } from '../errors.ts';
import type { SeenItem } from './mcp-catalog.ts';

const ITEMS_MAX = 20;

/** Tells control what an MCP server offers that isn't what was accepted, a few definitions at a time. */
export async function reportMcpItems(client: ControlClient, appId: string, items: readonly SeenItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_MAX) {
    const { status } = await client.post('/internal/gateway/mcp-items', {
      appId,
      items: items.slice(from, from + ITEMS_MAX),
    });
    if (status !== 200) throw new GatewayError('gateway.control_unavailable', `control answered ${status}`);
  }
}
