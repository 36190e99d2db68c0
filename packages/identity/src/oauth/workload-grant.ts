import { errors, type Provider } from 'oidc-provider';
import { z } from 'zod';
import type { IdentityContext } from '../context.ts';
import { checkAssertion, JWT_BEARER, readFederation } from './federation.ts';
import { createIssuerKeys } from './issuer-keys.ts';

const paramsSchema = z.object({ assertion: z.string().min(1).max(16_384) });

/**
 * The grant of workloads (RFC 7523, section 2.1): who runs as a GitHub job or a Kubernetes service account shows its
 * issuer's assertion and needs no stored secret. The client id names the rule that it must fit.
 */
export function addWorkloadGrant(context: IdentityContext, provider: Provider): void {
  const issuerKeys = createIssuerKeys(context.clock, context.fetchJson);

  provider.registerGrantType(
    JWT_BEARER,
    async (ctx) => {
      const { client } = ctx.oidc;
      const stored: unknown = 'cordon_federation' in client ? client['cordon_federation'] : null;
      const params = paramsSchema.safeParse(ctx.oidc.params);
      if (typeof stored !== 'string' || !params.success) throw new errors.InvalidGrant('assertion is missing');
      const federation = readFederation(JSON.parse(stored));
      const { assertion } = params.data;
      try {
        const keys = await issuerKeys.keysFor(federation, assertion);
        await checkAssertion(federation, assertion, keys, context.clock.now());
      } catch (error) {
        // The reason is for the operator's event; the caller learns only that it failed.
        throw new errors.InvalidGrant(error instanceof Error ? error.message : 'assertion is not valid');
      }
      const token = new provider.ClientCredentials({ client });
      ctx.oidc.entity('ClientCredentials', token);
      const value = await token.save();
      ctx.body = { access_token: value, expires_in: token.expiration, token_type: 'Bearer' };
    },
    ['assertion'],
  );
}
