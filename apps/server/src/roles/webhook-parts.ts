import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Classifier, createClassifier, redact } from '@cordon/classifier';
import { type DeclaredWebhooks, findApp, findIntegration, publish } from '@cordon/estate';
import { compileBodySchema, decodeSecret } from '@cordon/gateway';
import { type Clock, type Database, hideSecrets, type SecretEnvelope } from '@cordon/kernel';
import {
  createDeliveryCommands,
  createEndpointCommands,
  type DeliveryCommands,
  type EndpointCommands,
  type EndpointInput,
  type EstatePort,
  listEndpoints,
  loadSchemes,
  type SchemeCatalogue,
  type WebhookContext,
} from '@cordon/webhooks';

const SCHEMES = fileURLToPath(new URL('../../../../content/webhooks/', import.meta.url));
const SHOWN_BYTES_MAX = 64 * 1024;

/** What webhooks need of the estate. */
function createEstatePort(db: Database): EstatePort {
  return {
    publish: async (tx, change) => {
      await publish(tx, change);
    },
    app: async (id) => {
      const app = await findApp(db, { id });
      return app && { id: app.id, name: app.name, ownerId: app.owner?.id ?? '' };
    },
    integration: async (id) => {
      const integration = await findIntegration(db, { id });
      return integration && { id: integration.id, name: integration.name, status: integration.status };
    },
  };
}

/** A body as a person may see it. The classifier is made when the first one is looked at. */
function createMask(): (body: Buffer, contentType: string) => string {
  let classifier: Classifier | null = null;
  return (body, contentType) => {
    classifier ??= createClassifier();
    const part = body.subarray(0, SHOWN_BYTES_MAX);
    const findings = classifier.scan(part, contentType === '' ? {} : { contentType });
    const { bytes } = redact(part, findings, {
      mode: 'mask',
      replacement: (finding) => (finding.class.startsWith('credential') ? `[${finding.class} removed]` : undefined),
    });
    const text = hideSecrets(Buffer.from(bytes).toString('utf8'));
    return body.length > part.length ? `${text}…` : text;
  };
}

export async function createWebhookContext(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
}): Promise<WebhookContext> {
  return {
    ...deps,
    estate: createEstatePort(deps.db),
    schemes: await loadSchemes(SCHEMES),
    random: randomBytes,
    checkSchema: (text) => void compileBodySchema(text),
    checkSecret: (scheme, secret) => {
      if (!decodeSecret(scheme, secret)) throw new TypeError(`is no secret of ${scheme.title}. ${scheme.secret.hint}`);
    },
  };
}

/** Endpoints as declarations see them. */
export async function createDeclaredWebhooks(
  deps: Parameters<typeof createWebhookContext>[0],
): Promise<DeclaredWebhooks> {
  const commands = createEndpointCommands(await createWebhookContext(deps));
  return {
    list: async () => (await listEndpoints(deps.db)).map((one) => ({ ...one, settings: { ...one.settings } })),
    create: async (actor, input) => (await commands.create(actor, input as EndpointInput)).endpoint, // parsed there
    update: async (actor, id, patch) => {
      await commands.update(actor, id, patch);
    },
    remove: (actor, id) => commands.remove(actor, id),
  };
}

export interface WebhookParts {
  readonly webhooks: EndpointCommands;
  readonly deliveries: DeliveryCommands;
  readonly schemes: SchemeCatalogue;
}

/** What control needs of webhooks. */
export async function createWebhookParts(deps: Parameters<typeof createWebhookContext>[0]): Promise<WebhookParts> {
  const context = await createWebhookContext(deps);
  return {
    webhooks: createEndpointCommands(context),
    deliveries: createDeliveryCommands({ ...context, mask: createMask() }),
    schemes: context.schemes,
  };
}
