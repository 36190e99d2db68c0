import { type Actor, appendAudit, authorizeOwn } from '@cordon/kernel';
import { readContent } from './content.ts';
import type { WebhookContext } from './context.ts';
import { loadDelivery } from './delivery-store.ts';
import type { Attempt, Delivery } from './endpoint.ts';
import { loadEndpoint } from './endpoint-store.ts';
import { ContentErased } from './errors.ts';
import { tablesOf } from './tables.ts';

/** One act sends at most so many dead deliveries again; the next act takes the next ones. */
const REDELIVER_MAX = 1_000;
/** Tells workers that deliveries became due. */
export const DELIVERY_CHANNEL = 'cordon_deliveries';

export interface DeliveryView {
  readonly delivery: Delivery;
  readonly attempts: readonly (Attempt & { readonly body: string | null })[];
  /** Header fields of the vendor that are handed on, and the body with sensitive data masked; null once erased. */
  readonly content: { readonly headers: Readonly<Record<string, string>>; readonly body: string } | null;
}

export interface DeliveryContext extends Pick<WebhookContext, 'db' | 'clock' | 'envelope' | 'estate'> {
  /** A body as a person may see it: sensitive data masked, cut where it gets long. */
  readonly mask: (body: Buffer, contentType: string) => string;
}

/** What people do with deliveries: look at one, send one or all dead ones again. */
export function createDeliveryCommands({ db, clock, envelope, estate, mask }: DeliveryContext) {
  const allowed = async (actor: Actor, permission: 'webhook.write' | 'webhook.payload', endpointId: string) => {
    const endpoint = await loadEndpoint(db, endpointId);
    const app = await estate.app(endpoint.appId);
    authorizeOwn(actor, permission, app?.ownerId ?? '');
    return endpoint;
  };

  return {
    /** One delivery with its attempts; contents only for those who may see payloads. */
    async view(actor: Actor, endpointId: string, id: string): Promise<DeliveryView> {
      await allowed(actor, 'webhook.payload', endpointId);
      const { delivery, sealed, attempts } = await loadDelivery(db, endpointId, id);
      const content = sealed === null ? null : readContent(envelope.open(sealed, `webhook-delivery:${id}`));
      return {
        delivery,
        content: content && {
          headers: Object.fromEntries(content.headers),
          body: mask(content.body, delivery.contentType),
        },
        attempts: attempts.map(({ sealed: answer, ...attempt }) => ({
          ...attempt,
          body:
            answer === null
              ? null
              : mask(envelope.open(answer, `webhook-attempt:${attempt.id}`), attempt.headers['content-type'] ?? ''),
        })),
      };
    },

    /** Sends one delivery again, whatever became of it before. */
    async redeliver(actor: Actor, endpointId: string, id: string): Promise<Delivery> {
      const endpoint = await allowed(actor, 'webhook.write', endpointId);
      const { delivery } = await loadDelivery(db, endpointId, id);
      if (!delivery.isKept)
        throw new ContentErased('Its content was erased, so it can’t be sent again.', { delivery: id });
      const at = clock.now();
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .updateTable('webhook_delivery')
          .set({ status: 'waiting', next_at: at, round: 0, settled_at: null })
          .where('id', '=', id)
          .where('sealed', 'is not', null)
          .execute();
        const target = { type: 'webhook', id: endpointId, name: endpoint.name };
        await appendAudit(tx, { actor, action: 'webhook.redelivered', target, detail: { delivery: id }, at });
        await tx.notify(DELIVERY_CHANNEL, endpointId);
      });
      return (await loadDelivery(db, endpointId, id)).delivery;
    },

    /** Sends all dead deliveries again whose content is still here, oldest first. */
    async redeliverDead(actor: Actor, endpointId: string): Promise<number> {
      const endpoint = await allowed(actor, 'webhook.write', endpointId);
      const at = clock.now();
      return db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const result = await tables
          .updateTable('webhook_delivery')
          .set({ status: 'waiting', next_at: at, round: 0, settled_at: null })
          .where('id', 'in', (eb) =>
            eb
              .selectFrom('webhook_delivery')
              .select('id')
              .where('endpoint_id', '=', endpointId)
              .where('status', '=', 'dead')
              .where('sealed', 'is not', null)
              .orderBy('id')
              .limit(REDELIVER_MAX),
          )
          .executeTakeFirst();
        const deliveries = Number(result.numUpdatedRows);
        const target = { type: 'webhook', id: endpointId, name: endpoint.name };
        await appendAudit(tx, { actor, action: 'webhook.dead_redelivered', target, detail: { deliveries }, at });
        await tx.notify(DELIVERY_CHANNEL, endpointId);
        return deliveries;
      });
    },
  };
}
export type DeliveryCommands = ReturnType<typeof createDeliveryCommands>;
