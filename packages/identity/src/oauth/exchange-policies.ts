import { type Actor, appendAudit, authorize, describeActor, type IntegrationId } from '@cordon/kernel';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { ClientInvalid, ClientNotFound } from '../errors.ts';
import { isGatewayResource } from './gateway-resource.ts';
import { endTokens } from './token-revocation.ts';

const POLICIES_MAX = 500;
const RESOURCES_MAX = 50;

/** That clients of one integration may exchange tokens of another one of the same owner, for these apps. */
export interface ExchangePolicy {
  readonly from: string;
  readonly to: string;
  /** Resource indicators: `https://gateway.example/github`. Never empty. */
  readonly resources: readonly string[];
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: number;
}

export interface ExchangePolicies {
  list(actor: Actor): Promise<ExchangePolicy[]>;
  /** Sets the policy of two integrations, in place of the one before. */
  set(
    actor: Actor,
    input: {
      readonly from: IntegrationId;
      readonly to: IntegrationId;
      readonly resources: readonly string[];
      readonly reason: string;
    },
  ): Promise<ExchangePolicy>;
  remove(actor: Actor, input: { readonly from: IntegrationId; readonly to: IntegrationId }): Promise<void>;
  /** The apps for which it holds now: none unless both are active and still have one owner. */
  find(from: string, to: string): Promise<readonly string[]>;
}

const resourceList = z.array(z.string());

export function createExchangePolicies(context: IdentityContext): ExchangePolicies {
  const { db, clock } = context;

  const oneOwner = async (from: string, to: string): Promise<boolean> => {
    const [one, other] = [await context.findIntegration?.(from), await context.findIntegration?.(to)];
    return one?.active === true && other?.active === true && one.ownerId === other.ownerId;
  };

  const check = async (actor: Actor, ...ids: readonly IntegrationId[]): Promise<void> => {
    authorize(actor, 'integration.credential');
    for (const id of ids) await context.checkIntegration?.(actor, id);
  };

  return {
    async list(actor) {
      authorize(actor, 'integration.read');
      const rows = await tablesOf(db)
        .selectFrom('exchange_policies')
        .selectAll()
        .orderBy('created_at', 'desc')
        .limit(POLICIES_MAX)
        .execute();
      return rows.map((row) => ({
        from: row.from_integration,
        to: row.to_integration,
        resources: resourceList.parse(row.resources),
        reason: row.reason,
        createdBy: row.created_by,
        createdAt: row.created_at.getTime(),
      }));
    },

    async set(actor, { from, to, resources, reason }) {
      await check(actor, from, to);
      if (from === to) throw new ClientInvalid('Within one integration no policy is needed.', { field: 'to' });
      if (!(await oneOwner(from, to))) {
        throw new ClientInvalid('Both integrations have to be active and of one owner.', { field: 'to' });
      }
      if (resources.length === 0 || resources.length > RESOURCES_MAX) {
        throw new ClientInvalid(`A policy names 1 to ${RESOURCES_MAX} apps.`, { field: 'resources' });
      }
      for (const resource of resources) {
        if (await isGatewayResource(context, resource, 'app')) continue;
        throw new ClientInvalid(`${resource} is no app behind the gateway.`, { field: 'resources' });
      }
      const at = clock.now();
      const createdBy = describeActor(actor).name;
      const values = { resources: JSON.stringify(resources), reason, created_by: createdBy, created_at: new Date(at) };
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('exchange_policies')
          .values({ from_integration: from, to_integration: to, ...values })
          .onConflict((conflict) => conflict.columns(['from_integration', 'to_integration']).doUpdateSet(values))
          .execute();
        const target = { type: 'exchange-policy', id: `${from}:${to}` };
        await appendAudit(tx, {
          actor,
          action: 'exchange_policy.set',
          target,
          detail: { from, to, resources, reason },
          at,
        });
      });
      return { from, to, resources, reason, createdBy, createdAt: at };
    },

    async remove(actor, { from, to }) {
      await check(actor, from, to);
      await db.transaction(async (tx) => {
        const { numDeletedRows } = await tablesOf(tx)
          .deleteFrom('exchange_policies')
          .where('from_integration', '=', from)
          .where('to_integration', '=', to)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw new ClientNotFound('There is no such policy.');
        await endTokens(context, tx, { crossedFrom: from, to }, { actor, reason: 'the exchange policy was removed' });
        const target = { type: 'exchange-policy', id: `${from}:${to}` };
        await appendAudit(tx, {
          actor,
          action: 'exchange_policy.removed',
          target,
          detail: { from, to },
          at: clock.now(),
        });
      });
    },

    async find(from, to) {
      const row = await tablesOf(db)
        .selectFrom('exchange_policies')
        .select('resources')
        .where('from_integration', '=', from)
        .where('to_integration', '=', to)
        .executeTakeFirst();
      return row && (await oneOwner(from, to)) ? resourceList.parse(row.resources) : [];
    },
  };
}
