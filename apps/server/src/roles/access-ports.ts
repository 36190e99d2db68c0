import { type Estate, findApp } from '@cordon/estate';
import type { IdentityDeps } from '@cordon/identity';
import { type Actor, type Clock, CordonError, type Database } from '@cordon/kernel';
import { beginMove, targetsOfGroups } from '@cordon/lifecycle';

/** What identity tells lifecycle of people who come, move and leave, and asks of it. */
export function movePorts(clock: Clock): Required<Pick<IdentityDeps, 'groupTargets' | 'onMoved'>> {
  return {
    groupTargets: targetsOfGroups,
    onMoved: (tx, input) => beginMove(tx, { clock }, input),
  };
}

/** Temporary grants of integrations. `estate` is asked for late: it is built after identity, from it. */
export function operationPort(db: Database, estate: () => Estate): NonNullable<IdentityDeps['operations']> {
  return {
    async findApp(id) {
      const app = await findApp(db, { id });
      return app && { id: app.id, name: app.title, owner: app.owner };
    },
    async give({ elevationId, integrationId, appId, operations, expiresAt, by }) {
      const actor: Actor = { kind: 'system', name: `elevation approved by ${by}` };
      const grant = await estate().grants.put(actor, {
        integrationId,
        appId,
        name: `elevation-${elevationId}`,
        select: [{ kind: 'operations', ids: [...operations] }],
        expiresAt,
      });
      return grant.id;
    },
    async take(grantId) {
      try {
        await estate().grants.remove({ kind: 'system', name: 'elevation' }, grantId);
      } catch (error) {
        // Somebody took it by hand, or the integration is gone: there is nothing left to take.
        if (!(error instanceof CordonError && error.code === 'estate.not_found')) throw error;
      }
    },
  };
}
