import { type Actor, appendAudit, authorize, authorizeOwn, describeActor, GrantId } from '@cordon/kernel';
import { NOBODY } from './app-commands.ts';
import { parseInput } from './input.ts';
import { loadApp } from './app-store.ts';
import type { EstateContext } from './context.ts';
import { type Grant, grantInput, type GrantInput, grantSnapshotEntry } from './grant.ts';
import { deleteGrant, loadGrant, saveGrant } from './grant-store.ts';
import { loadIntegration } from './integration-store.ts';
import { publish } from './publication.ts';

/** Everything about grants that changes state. */
export function createGrantCommands(context: EstateContext) {
  const { db, clock } = context;
  return {
    /** Grants, or replaces the grant of the same integration, app and name. */
    async put(actor: Actor, raw: GrantInput): Promise<Grant> {
      authorize(actor, 'grant.write');
      const input = parseInput(grantInput, raw);
      const at = clock.now();
      return db.transaction(async (tx) => {
        const [integration, app] = [await loadIntegration(tx, input.integrationId), await loadApp(tx, input.appId)];
        authorizeOwn(actor, 'grant.write', app.owner?.id ?? NOBODY);
        const draft: Grant = { ...input, id: GrantId.create(at), createdAt: at, createdBy: describeActor(actor).name };
        const grant = { ...draft, id: await saveGrant(tx, draft) };
        // A replaced grant may be narrower, so decisions that were cached from the wider one must go.
        await publish(tx, { set: [grantSnapshotEntry(grant)], revokes: grant.id !== draft.id, at });
        await appendAudit(tx, {
          actor,
          action: grant.id === draft.id ? 'grant.given' : 'grant.replaced',
          target: { type: 'integration', id: integration.id, name: integration.name },
          detail: { grant: grant.id, name: grant.name, app: app.name, select: grant.select },
          at,
        });
        return grant;
      });
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'grant.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const grant = await loadGrant(tx, GrantId.parse(id));
        const [integration, app] = [await loadIntegration(tx, grant.integrationId), await loadApp(tx, grant.appId)];
        authorizeOwn(actor, 'grant.write', app.owner?.id ?? NOBODY);
        await deleteGrant(tx, grant.id);
        await publish(tx, { remove: [`grant:${grant.id}`], revokes: true, at });
        await appendAudit(tx, {
          actor,
          action: 'grant.taken',
          target: { type: 'integration', id: integration.id, name: integration.name },
          detail: { grant: grant.id, name: grant.name, app: app.name, select: grant.select },
          at,
        });
      });
    },
  };
}
