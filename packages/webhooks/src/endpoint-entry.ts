import { createHash } from 'node:crypto';
import type { Queryable } from '@cordon/kernel';
import { type WebhookEntryInput, webhookEntry, type WebhookScheme } from '@cordon/policy';
import type { Endpoint, EndpointSettings } from './endpoint.ts';
import { readSecrets } from './endpoint-store.ts';
import { EndpointInvalid } from './errors.ts';
import type { SchemeCatalogue } from './scheme-catalogue.ts';

/** The scheme that an endpoint's settings mean. */
export function schemeOf(settings: Pick<EndpointSettings, 'scheme'>, catalogue: SchemeCatalogue): WebhookScheme {
  if (typeof settings.scheme !== 'string') return settings.scheme;
  const shipped = catalogue.get(settings.scheme);
  if (shipped) return shipped.scheme;
  const known = [...catalogue.keys()].join(', ');
  throw new EndpointInvalid(`Cordon knows no scheme ${settings.scheme}. It knows: ${known}.`, {
    fields: [{ field: 'scheme', message: 'unknown' }],
  });
}

export interface BuiltEntry {
  readonly key: string;
  readonly entry: WebhookEntryInput;
  readonly hash: string;
}

/** The snapshot entry of an endpoint, made from what is stored. */
export async function buildEntry(
  db: Queryable,
  endpoint: Endpoint,
  catalogue: SchemeCatalogue,
  now: number,
): Promise<BuiltEntry> {
  const { settings } = endpoint;
  const secrets = (await readSecrets(db, endpoint.id))
    .filter(({ purpose, notAfter }) => purpose === 'vendor' && (notAfter === null || notAfter > now))
    .slice(0, 2)
    .map(({ id, sealed, notAfter }) => ({ id, sealed, notAfter }));
  const entry = webhookEntry.parse({
    id: endpoint.id,
    name: endpoint.name,
    appId: endpoint.appId,
    integrationId: endpoint.integrationId,
    status: endpoint.status,
    scheme: schemeOf(settings, catalogue),
    secrets,
    types: settings.types,
    schema: settings.schema,
    validate: settings.validate,
    inspect: settings.inspect,
    replay: settings.replay,
    order: settings.order,
    rate: settings.rate,
    bodyBytesMax: settings.bodyBytesMax,
  });
  const hash = createHash('sha256').update(JSON.stringify(entry)).digest('hex');
  return { key: `webhook:${endpoint.id}`, entry, hash };
}
