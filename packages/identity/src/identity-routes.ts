import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { breakGlassRoutes } from './break-glass/break-glass-routes.ts';
import { elevationRoutes } from './elevation/elevation-routes.ts';
import { factorRoutes } from './factors/factor-routes.ts';
import { groupRoutes } from './groups/group-routes.ts';
import type { Identity } from './identity.ts';
import { approvalRoutes } from './approvals/approval-routes.ts';
import { certificateRoutes } from './certificates/certificate-routes.ts';
import { lockRoutes } from './oauth/lock-routes.ts';
import { exchangePolicyRoutes } from './oauth/exchange-policy-routes.ts';
import { oauthClientRoutes } from './oauth/client-routes.ts';
import { apiTokenRoutes } from './people/api-token-routes.ts';
import { personRoutes } from './people/person-routes.ts';
import { scimAdminRoutes } from './scim/scim-admin-routes.ts';
import { sessionRoutes } from './sessions/session-routes.ts';
import { signInPolicyRoutes } from './policy/sign-in-policy-routes.ts';
import { signalRoutes } from './signals/signal-routes.ts';
import { ssoRoutes } from './sso/sso-routes.ts';
import { upstreamRoutes } from './upstream/upstream-routes.ts';
import { signInRoutes } from './sessions/sign-in-routes.ts';

/**
 * All routes of this package below `/api/v1`. The server brings the access gate, the zod compilers and the error
 * handler; each route says in `config` which permission it needs, or that it is public.
 */
export function identityRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    // Also public routes refuse requests that another site made: a forged sign-in is an attack too.
    app.addHook('onRequest', async (request) => {
      await identity.authenticator.principal(request);
    });
    await app.register(sessionRoutes(identity));
    await app.register(signInRoutes(identity));
    await app.register(factorRoutes(identity));
    await app.register(personRoutes(identity));
    await app.register(apiTokenRoutes(identity));
    await app.register(oauthClientRoutes(identity));
    await app.register(exchangePolicyRoutes(identity));
    await app.register(certificateRoutes(identity));
    await app.register(approvalRoutes(identity));
    await app.register(lockRoutes(identity));
    await app.register(scimAdminRoutes(identity));
    await app.register(groupRoutes(identity));
    await app.register(elevationRoutes(identity));
    await app.register(breakGlassRoutes(identity));
    await app.register(ssoRoutes(identity));
    await app.register(upstreamRoutes(identity));
    await app.register(signInPolicyRoutes(identity));
    await app.register(signalRoutes(identity));
  };
}
