import { randomUUID } from 'node:crypto';
import {
  type Actor,
  AppId,
  appendAudit,
  authorize,
  authorizeOwn,
  describeActor,
  type Transaction,
} from '@cordon/kernel';
import { covers, definitionHash, findHiddenInstructions } from '@cordon/policy';
import { NOBODY } from '../app-commands.ts';
import type { App } from '../app.ts';
import { appSnapshotEntry, loadApp, lockApp, updateApp } from '../app-store.ts';
import type { EstateContext } from '../context.ts';
import { InputInvalid, StateConflict } from '../errors.ts';
import { listGrants } from '../grant-store.ts';
import { parseInput } from '../input.ts';
import { listIntegrations } from '../integration-store.ts';
import { publish } from '../publication.ts';
import {
  afterReport,
  GRANT_PLACES,
  ITEMS_MAX,
  type McpDecision,
  mcpDecision,
  type McpItem,
  type McpItemView,
  mcpReport,
  mcpSnapshotEntry,
  proposedAccess,
  withinBounds,
} from './mcp-item.ts';
import { findMcpItem, listMcpItems, listToolNames, lockMcpItem, saveMcpItem } from './mcp-store.ts';

const GATEWAY: Actor = { kind: 'system', name: 'gateway' };

/** Whether a grant covers an item, as gateways see it. */
function isGranted(item: McpItem, select: Parameters<typeof covers>[0]): boolean {
  const place = GRANT_PLACES[item.kind];
  if (!place) return false;
  const access = item.kind === 'tool' ? item.access : 'read';
  const { method, tag } = place;
  const facts = { id: place.id + item.name, method, path: place.path + item.name };
  return covers(select, { ...facts, tags: [tag], access, deprecated: false });
}

function checkMcp(app: App): void {
  if (!app.settings.mcp) throw new InputInvalid(`${app.title} is no MCP server: its setting mcp is not set.`, {});
}

async function auditItem(
  tx: Transaction,
  actor: Actor,
  input: { app: App; item: McpItem; action: string; at: number; detail?: Record<string, unknown> },
): Promise<void> {
  const { app, item, action, at, detail = {} } = input;
  await appendAudit(tx, {
    actor,
    action: `mcp-${item.kind}.${action}`,
    target: { type: `mcp-${item.kind}`, id: item.id, name: `${app.name}/${item.name}` },
    detail: { app: app.name, appId: app.id, item: item.name, ...detail },
    at,
  });
}

/** Everything about what MCP servers offer that changes state. */
export function createMcpCommands(context: EstateContext) {
  const { db, clock } = context;

  const decide = async (
    actor: Actor,
    ids: { readonly appId: string; readonly itemId: string },
    raw: McpDecision,
    state: 'accepted' | 'rejected',
  ): Promise<McpItem> => {
    authorize(actor, 'app.write');
    const { sha256, access } = parseInput(mcpDecision, raw);
    const at = clock.now();
    return db.transaction(async (tx) => {
      const app = await loadApp(tx, AppId.parse(ids.appId));
      authorizeOwn(actor, 'app.write', app.owner?.id ?? NOBODY);
      const before = await lockMcpItem(tx, app.id, ids.itemId);
      const chosen = [
        [before.seenSha256, before.seen],
        [before.acceptedSha256, before.accepted],
      ].find(([hash]) => hash === sha256)?.[1] as Record<string, unknown> | null | undefined; // pairs of hash and definition
      if (!chosen) {
        throw new StateConflict('The server has changed the definition since you looked at it. Look again.', {
          seen: before.seenSha256,
        });
      }
      const accepted = state === 'accepted' ? { accepted: chosen, acceptedSha256: sha256 } : {};
      const item: McpItem = {
        ...before,
        ...accepted,
        state,
        access: access ?? before.access,
        decidedAt: at,
        decidedBy: describeActor(actor).name,
      };
      await saveMcpItem(tx, item);
      const entry = mcpSnapshotEntry(item);
      await publish(tx, { set: entry ? [entry] : [], revokes: state === 'rejected', at });
      await auditItem(tx, actor, { app, item, action: state, at, detail: { sha256, access: item.access } });
      return item;
    });
  };

  const reportOne = async (
    tx: Transaction,
    app: App,
    seen: { kind: McpItem['kind']; name: string; definition: Record<string, unknown> },
    at: number,
  ): Promise<McpItem | null> => {
    const known = await findMcpItem(tx, { appId: app.id, kind: seen.kind, name: seen.name });
    const after = afterReport(known, seen.definition);
    if (!after) return null;
    const sha256 = definitionHash(seen.definition);
    const flags = findHiddenInstructions(seen.definition, await listToolNames(tx, app.id));
    const trusted = !known && app.settings.mcp?.newItems === 'accept-unflagged' && flags.length === 0;
    const base: McpItem = known ?? {
      id: randomUUID(),
      appId: app.id,
      kind: seen.kind,
      name: seen.name,
      state: 'pending',
      accepted: null,
      acceptedSha256: null,
      seen: seen.definition,
      seenSha256: sha256,
      access: proposedAccess(seen.definition),
      firstSeenAt: at,
      seenAt: at,
      decidedAt: null,
      decidedBy: null,
    };
    const item: McpItem = {
      ...base,
      seen: seen.definition,
      seenSha256: sha256,
      seenAt: at,
      state: trusted ? 'accepted' : after.state,
      ...(trusted
        ? { accepted: seen.definition, acceptedSha256: sha256, decidedAt: at, decidedBy: 'accept-unflagged' }
        : {}),
    };
    await saveMcpItem(tx, item);
    const action = after.isSuspended ? 'suspended' : trusted ? 'accepted' : known ? 'changed' : 'seen';
    await auditItem(tx, GATEWAY, { app, item, action, at, detail: { sha256, flags: flags.map(({ rule }) => rule) } });
    return item;
  };

  return {
    /** What a gateway saw that isn't what was accepted. An accepted item that changed is suspended by this. */
    async report(raw: unknown): Promise<void> {
      const { appId, items } = parseInput(mcpReport, raw);
      const at = clock.now();
      await db.transaction(async (tx) => {
        // The app's lock: two gateways that see the same news report it once.
        const app = await lockApp(tx, AppId.parse(appId));
        checkMcp(app);
        const known = await listMcpItems(tx, app.id);
        const taken = withinBounds(known, items);
        if (known.length + taken.length > ITEMS_MAX) {
          throw new InputInvalid(`An MCP server may offer at most ${ITEMS_MAX} items.`, {});
        }
        const changed: McpItem[] = [];
        for (const seen of taken) {
          const item = await reportOne(tx, app, seen, at);
          if (item) changed.push(item);
        }
        const set = changed.map(mcpSnapshotEntry).filter((entry) => entry !== null);
        if (set.length > 0) await publish(tx, { set, revokes: changed.some(({ state }) => state === 'suspended'), at });
      });
    },

    /** Accepts the definition with this hash; gateways use it within a second. */
    accept: (actor: Actor, ids: { appId: string; itemId: string }, raw: McpDecision): Promise<McpItem> =>
      decide(actor, ids, raw, 'accepted'),

    reject: (actor: Actor, ids: { appId: string; itemId: string }, raw: McpDecision): Promise<McpItem> =>
      decide(actor, ids, raw, 'rejected'),

    /** Has gateways ask the server for its offer now. */
    async look(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'app.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const app = await lockApp(tx, AppId.parse(id));
        authorizeOwn(actor, 'app.write', app.owner?.id ?? NOBODY);
        checkMcp(app);
        const { mcp } = app.settings;
        const settings = { ...app.settings, mcp: mcp && { ...mcp, lookAt: at } };
        await updateApp(tx, app.id, { settings, at: new Date(at) });
        await publish(tx, { set: [await appSnapshotEntry(tx, app.id)], at });
      });
    },

    /** Everything a server offers, with what to look at twice and who may use it. */
    async list(actor: Actor, id: string): Promise<McpItemView[]> {
      authorize(actor, 'app.read');
      const app = await loadApp(db, AppId.parse(id));
      const [items, others, grants, integrations] = await Promise.all([
        listMcpItems(db, app.id),
        listToolNames(db, app.id),
        listGrants(db, { appId: app.id }),
        listIntegrations(db),
      ]);
      const nameOf = new Map(integrations.map((one) => [one.id, one.name]));
      return items.map((item) => ({
        ...item,
        flags: findHiddenInstructions(item.seen, others),
        grantedTo: grants
          .filter(({ select }) => select.some((selector) => isGranted(item, selector)))
          .map(({ integrationId }) => nameOf.get(integrationId) ?? integrationId),
      }));
    },
  };
}
