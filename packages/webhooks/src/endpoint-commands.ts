import {
  type Actor,
  appendAudit,
  authorizeOwn,
  describeActor,
  defineId,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { z } from 'zod';
import type { WebhookContext } from './context.ts';
import {
  type Endpoint,
  endpointInput,
  type EndpointInput,
  endpointPatch,
  type EndpointSettings,
  endpointSettings,
  rotationInput,
  signingRotationInput,
} from './endpoint.ts';
import { buildEntry, schemeOf } from './endpoint-entry.ts';
import { ENDPOINTS_MAX, listEndpoints, loadEndpoint, lockEndpoint } from './endpoint-store.ts';
import { EndpointExists, EndpointInvalid } from './errors.ts';
import { tablesOf } from './tables.ts';

const EndpointId = defineId('WebhookEndpointId');
const SIGNING_BYTES = 32;
const UNIQUE_VIOLATION = '23505';

/** Parses input; the error names each field and what is wrong with it. */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  const text = fields.map(({ field, message }) => `${field || 'input'}: ${message}`).join('; ');
  throw new EndpointInvalid(`Not valid: ${text}`, { fields });
}

function invalid(field: string, message: string): EndpointInvalid {
  return new EndpointInvalid(`Not valid: ${field}: ${message}`, { fields: [{ field, message }] });
}

export interface MadeEndpoint {
  readonly endpoint: Endpoint;
  /** What the integration checks deliveries with (Standard Webhooks). Shown this once. */
  readonly signingSecret: string;
}

/** Everything about endpoints that changes state. */
export function createEndpointCommands(context: WebhookContext) {
  const { db, clock, envelope, estate, random } = context;

  const authorize = async (actor: Actor, appId: string): Promise<{ name: string }> => {
    const app = await estate.app(appId);
    if (!app) throw invalid('appId', 'there is no such app');
    authorizeOwn(actor, 'webhook.write', app.ownerId);
    return app;
  };

  const check = (actor: Actor, settings: EndpointSettings, before?: EndpointSettings): void => {
    if (settings.url.startsWith('http:') && settings.plaintext !== 'allow') {
      throw invalid('url', 'deliveries go over https; http needs plaintext: allow');
    }
    const opens =
      (settings.plaintext === 'allow' && before?.plaintext !== 'allow') ||
      settings.privateAddresses.some((address) => !before?.privateAddresses.includes(address));
    // As for apps: who owns an app alone does not open the inner network.
    const may = actor.kind === 'system' || actor.roles.some((role) => role === 'owner' || role === 'security');
    if (opens && !may) throw invalid('privateAddresses', 'private addresses and plaintext are for security engineers');
    // What a source gets is evidence: whoever owns an app alone does not write it.
    if (settings.source !== null && settings.source !== before?.source && !may)
      throw invalid('source', 'feeding a detection source is for security engineers');
    if (settings.schema === null) return;
    try {
      context.checkSchema(settings.schema);
    } catch (error) {
      throw invalid('schema', error instanceof Error ? error.message : 'is no JSON Schema');
    }
  };

  const checkSecret = (settings: EndpointSettings, secret: string): void => {
    try {
      context.checkSecret(schemeOf(settings, context.schemes), secret);
    } catch (error) {
      if (error instanceof EndpointInvalid) throw error;
      throw invalid('secret', error instanceof Error ? error.message : 'does not fit the scheme');
    }
  };

  const addSecret = async (
    tx: Transaction,
    actor: Actor,
    endpointId: string,
    purpose: 'vendor' | 'signing',
    text: string,
  ) => {
    const at = clock.now();
    const id = uuidv7(at);
    const place = purpose === 'vendor' ? `webhook:${endpointId}` : `webhook-signing:${endpointId}`;
    await tablesOf(tx)
      .insertInto('webhook_secret')
      .values({
        id,
        endpoint_id: endpointId,
        purpose,
        sealed: envelope.seal(text, place),
        not_after: null,
        created_at: at,
        created_by: describeActor(actor).name,
      })
      .execute();
    return id;
  };

  /** What was live is good until `until`; what was already on its way out ends now: there are never three. */
  const retire = async (tx: Transaction, endpointId: string, purpose: 'vendor' | 'signing', until: number) => {
    const tables = tablesOf(tx);
    await tables
      .deleteFrom('webhook_secret')
      .where('endpoint_id', '=', endpointId)
      .where('purpose', '=', purpose)
      .where('not_after', 'is not', null)
      .execute();
    await tables
      .updateTable('webhook_secret')
      .set({ not_after: until })
      .where('endpoint_id', '=', endpointId)
      .where('purpose', '=', purpose)
      .execute();
    if (until > clock.now()) return;
    await tables
      .deleteFrom('webhook_secret')
      .where('endpoint_id', '=', endpointId)
      .where('purpose', '=', purpose)
      .execute();
  };

  const publish = async (tx: Transaction, id: string): Promise<Endpoint> => {
    const at = clock.now();
    const endpoint = await loadEndpoint(tx, id);
    const { key, entry, hash } = await buildEntry(tx, endpoint, context.schemes, at);
    await estate.publish(tx, { set: [[key, entry]], at });
    await tablesOf(tx).updateTable('webhook_endpoint').set({ published: hash }).where('id', '=', id).execute();
    return endpoint;
  };

  const change = async (
    actor: Actor,
    id: string,
    action: string,
    write: (tx: Transaction, endpoint: Endpoint, at: number) => Promise<Record<string, unknown>>,
  ): Promise<Endpoint> => {
    await authorize(actor, (await loadEndpoint(db, EndpointId.parse(id))).appId);
    return db.transaction(async (tx) => {
      const at = clock.now();
      const before = await lockEndpoint(tx, id);
      const detail = await write(tx, before, at);
      const after = await publish(tx, id);
      await appendAudit(tx, { actor, action, target: { type: 'webhook', id, name: before.name }, detail, at });
      return after;
    });
  };

  return {
    async create(actor: Actor, raw: EndpointInput): Promise<MadeEndpoint> {
      const { name, appId, integrationId, secret, ...rest } = parse(endpointInput, raw);
      const settings = endpointSettings.parse(rest);
      const app = await authorize(actor, appId);
      if (!(await estate.integration(integrationId))) throw invalid('integrationId', 'there is no such integration');
      check(actor, settings);
      checkSecret(settings, secret);
      const at = clock.now();
      const id = EndpointId.create(at);
      const signingSecret = `whsec_${random(SIGNING_BYTES).toString('base64')}`;
      try {
        const endpoint = await db.transaction(async (tx) => {
          const { length } = await listEndpoints(tx);
          if (length >= ENDPOINTS_MAX) throw invalid('name', `there are ${ENDPOINTS_MAX} endpoints already`);
          const by = describeActor(actor).name;
          await tablesOf(tx)
            .insertInto('webhook_endpoint')
            .values({
              id,
              name,
              app_id: appId,
              integration_id: integrationId,
              status: 'active',
              settings: JSON.stringify(settings),
              published: '',
              created_at: at,
              created_by: by,
              updated_at: at,
            })
            .execute();
          await addSecret(tx, actor, id, 'vendor', secret);
          await addSecret(tx, actor, id, 'signing', signingSecret);
          const made = await publish(tx, id);
          const detail = { app: app.name, integration: integrationId, url: settings.url };
          const target = { type: 'webhook', id, name };
          await appendAudit(tx, { actor, action: 'webhook.created', target, detail, at });
          return made;
        });
        return { endpoint, signingSecret };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) {
          throw new EndpointExists(`There is a webhook endpoint ${name}.`, { name }, error);
        }
        throw error;
      }
    },

    update(actor: Actor, id: string, raw: unknown): Promise<Endpoint> {
      const { status, ...patch } = parse(endpointPatch, raw);
      return change(actor, id, 'webhook.updated', async (tx, before, at) => {
        const settings = parse(endpointSettings, { ...before.settings, ...patch });
        check(actor, settings, before.settings);
        schemeOf(settings, context.schemes);
        await tablesOf(tx)
          .updateTable('webhook_endpoint')
          .set({ settings: JSON.stringify(settings), updated_at: at, ...(status === undefined ? {} : { status }) })
          .where('id', '=', id)
          .execute();
        return { changed: Object.keys(patch), ...(status === undefined ? {} : { status }) };
      });
    },

    /** A new vendor's secret; the one before stays good for `overlapMs`, so that the vendor can follow. */
    rotate(actor: Actor, id: string, raw: unknown): Promise<Endpoint> {
      const { secret, overlapMs } = parse(rotationInput, raw);
      return change(actor, id, 'webhook.secret_replaced', async (tx, before, at) => {
        checkSecret(before.settings, secret);
        await retire(tx, id, 'vendor', at + overlapMs);
        await addSecret(tx, actor, id, 'vendor', secret);
        return { overlapMs };
      });
    },

    /** A new secret for the integration; deliveries carry signatures of both for `overlapMs`. */
    async rotateSigning(actor: Actor, id: string, raw: unknown): Promise<MadeEndpoint> {
      const { overlapMs } = parse(signingRotationInput, raw);
      const signingSecret = `whsec_${random(SIGNING_BYTES).toString('base64')}`;
      const endpoint = await change(actor, id, 'webhook.signing_secret_replaced', async (tx, _before, at) => {
        await retire(tx, id, 'signing', at + overlapMs);
        await addSecret(tx, actor, id, 'signing', signingSecret);
        return { overlapMs };
      });
      return { endpoint, signingSecret };
    },

    async remove(actor: Actor, id: string): Promise<void> {
      const found = await loadEndpoint(db, EndpointId.parse(id));
      const app = await estate.app(found.appId);
      // Its app may be gone: then whoever may act on any endpoint clears up.
      authorizeOwn(actor, 'webhook.write', app?.ownerId ?? '');
      await db.transaction(async (tx) => {
        const at = clock.now();
        const before = await lockEndpoint(tx, id);
        await tablesOf(tx).deleteFrom('webhook_endpoint').where('id', '=', id).execute();
        await estate.publish(tx, { remove: [`webhook:${id}`], at });
        const target = { type: 'webhook', id, name: before.name };
        await appendAudit(tx, { actor, action: 'webhook.removed', target, detail: { ...before.counts }, at });
      });
    },
  };
}
export type EndpointCommands = ReturnType<typeof createEndpointCommands>;
