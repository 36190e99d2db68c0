import { ClientId, type Identity } from '@cordon/identity';
import { IntegrationId } from '@cordon/kernel';
import { RouteUnknown } from '../http/access.ts';
import type { ClientDirectory } from '../http/integration-routes.ts';

const SYSTEM = { kind: 'system', name: 'control' } as const;

/** The OAuth clients of integrations, as the integration routes need them. */
export function createClientDirectory(identity: Identity): ClientDirectory {
  const clients = identity.oauthClients;
  return {
    async create(actor, integration, request) {
      const auth =
        request.method === 'private_key_jwt'
          ? { method: request.method, jwks: request.jwks }
          : { method: request.method };
      const integrationId = IntegrationId.parse(integration.id);
      const made = await clients.create(actor, {
        integrationId,
        name: integration.name,
        auth,
        delivery: request.delivery,
      });
      return { clientId: made.client.id, clientSecret: made.secret };
    },
    async list(integrationId) {
      // The route's permission has been checked; what is read here holds no secret.
      const found = await clients.list(SYSTEM, IntegrationId.parse(integrationId));
      return found.map((client) => ({
        clientId: client.id,
        method: client.authMethod,
        deliveryMode: client.deliveryMode,
        status: client.status,
        createdAt: client.createdAt,
        lastTokenAt: client.lastTokenAt,
      }));
    },
    async remove(actor, integrationId, clientId) {
      const own = await clients.list(SYSTEM, IntegrationId.parse(integrationId));
      if (!own.some((client) => client.id === clientId)) {
        throw new RouteUnknown('This integration has no such credential.');
      }
      await clients.revoke(actor, ClientId.parse(clientId), 'the credential was removed');
    },
  };
}
