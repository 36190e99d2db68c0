import { listGrants, listIntegrations, listRules } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import type { Clock, Database } from '@cordon/kernel';
import { assurance } from '@cordon/policy';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { integrationBody } from './estate-bodies.ts';
import { ACCOUNT_PROBLEMS, reportServiceAccounts } from './service-account-report.ts';

export interface ServiceAccountRouteDeps {
  readonly db: Database;
  readonly serviceAccounts: { readonly clock: Clock; readonly identity: Pick<Identity, 'oauthClients'> };
}

const accountBody = z.object({
  integration: integrationBody,
  lastUsedAt: z.int().nullable(),
  credentials: z.int(),
  /** The weakest proof with which it can get a token today. */
  shown: assurance.nullable(),
  /** The strongest that anything it may call asks for. */
  required: assurance,
  requiredBy: z.array(z.string()).readonly(),
  isGap: z.boolean(),
  problems: z.array(z.enum(ACCOUNT_PROBLEMS)).readonly(),
});

/** Service accounts: who answers for each, how long it lives, when it was used, and how strongly it shows who it is. */
export function addServiceAccountRoutes(server: ApiServer, { db, serviceAccounts }: ServiceAccountRouteDeps): void {
  server.get(
    '/api/v1/service-accounts',
    {
      config: { permission: 'graph.read' },
      schema: {
        tags: ['integrations'],
        summary: 'Owner, expiry, last use, and proof shown against proof required, for each integration',
        response: { 200: z.object({ items: z.array(accountBody) }) },
      },
    },
    async (request) => ({
      items: reportServiceAccounts({
        integrations: await listIntegrations(db),
        clients: await serviceAccounts.identity.oauthClients.list(actorOf(request)),
        grants: await listGrants(db),
        rules: await listRules(db, 'requirement'),
        now: serviceAccounts.clock.now(),
      }),
    }),
  );
}
