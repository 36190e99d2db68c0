import { appendAudit } from '@cordon/kernel';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import type { ActClaim } from './act-claim.ts';
import { createExchangePolicies } from './exchange-policies.ts';
import { findToken, findTokenActor } from './token-store.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** One answer, whatever it is: nobody learns here which tokens exist. */
const NOT_EXCHANGED =
  "subject_token is not a live token of this client's integration, nor of one whose tokens it may exchange";
const ACTORS_MAX = 5;
/** A token that crossed over has to be asked for again so often: the policy is checked anew then. */
const CROSSED_MS_MAX = 300_000;

/** What an exchange under way may not go beyond. */
export interface ExchangeFacts {
  readonly act: ActClaim;
  /** When the subject token ends, milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The token that is exchanged: what comes of it dies with it. */
  readonly source: Buffer;
}

const exchanges = new WeakMap<object, ExchangeFacts>();

/** The facts of the exchange that a request is, if it is one. */
export function exchangeOf(ctx: KoaContextWithOIDC | undefined): ExchangeFacts | undefined {
  return ctx && exchanges.get(ctx);
}

const paramsSchema = z.object({
  subject_token: z.string().min(8).max(8_192),
  subject_token_type: z.string(),
  requested_token_type: z.string().optional(),
  actor_token: z.undefined({ error: 'the authenticated client is the actor: send no actor_token' }),
  audience: z.union([z.string(), z.array(z.string())]).optional(),
  scope: z.string().optional(),
  resource: z.union([z.string(), z.array(z.string())]).optional(),
});

type GrantHandler = (ctx: KoaContextWithOIDC) => void | Promise<void>;

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function depthOf(act: ActClaim | undefined): number {
  return act === undefined ? 0 : 1 + depthOf(act.act);
}

/** What is asked for by default: what the subject token is meant for, as far as the policy goes. */
function withinPolicy(audience: readonly string[], crossed: readonly string[] | null): readonly string[] {
  if (!crossed) return audience;
  return audience.length === 0 ? crossed : audience.filter((name) => crossed.includes(name));
}

function isBound(client: object | undefined): boolean {
  if (!client) return false;
  const { dpopBoundAccessTokens, tlsClientCertificateBoundAccessTokens } = client as Record<string, unknown>; // any client
  return dpopBoundAccessTokens === true || tlsClientCertificateBoundAccessTokens === true;
}

function clientIntegration(client: object | undefined): string | null {
  const id: unknown = client && 'cordon_integration_id' in client ? client.cordon_integration_id : null;
  return typeof id === 'string' ? id : null;
}

/**
 * Token exchange (RFC 8693): a client hands a token of its own integration's over for one that is bound to its own
 * key, for the same or fewer apps, no longer than the first lives. With a policy it may be a token of another
 * integration of the same owner: what comes out is still the client's own, so that it can do nothing that the client
 * could not do before, and less of it. `issue` is the grant that makes the new token, with
 * its proofs of possession.
 */
export function addTokenExchange(context: IdentityContext, provider: Provider, issue: GrantHandler): void {
  const { db, clock } = context;
  const policies = createExchangePolicies(context);

  const checkSubject = async (ctx: KoaContextWithOIDC, params: z.output<typeof paramsSchema>) => {
    if (params.subject_token_type !== ACCESS_TOKEN) {
      throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`);
    }
    if (params.requested_token_type !== undefined && params.requested_token_type !== ACCESS_TOKEN) {
      throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN}`);
    }
    const hash = hashSecret(params.subject_token);
    const subject = await findToken(tablesOf(db), hash.toString('hex'), clock.now());
    // RFC 8693, section 2.2.2: whatever is wrong with the subject token is an invalid_request.
    const own = clientIntegration(ctx.oidc.client);
    if (!subject || own === null) throw new errors.InvalidRequest(NOT_EXCHANGED);
    const crossed = subject.integrationId === own ? null : await policies.find(subject.integrationId, own);
    if (crossed?.length === 0) throw new errors.InvalidRequest(NOT_EXCHANGED);
    if (crossed && !isBound(ctx.oidc.client)) {
      throw new errors.UnauthorizedClient('only a client whose tokens are bound to its key takes over from another');
    }
    if (subject.approval) throw new errors.InvalidRequest('a token that was approved for one call is not exchanged');
    return { hash, subject, crossed, prior: await findTokenActor(tablesOf(db), hash) };
  };

  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const parsed = paramsSchema.safeParse({ ...ctx.oidc.params });
      if (!parsed.success) {
        throw new errors.InvalidRequest(parsed.error.issues[0]?.message ?? 'the request is not valid');
      }
      const params = parsed.data;
      const { hash, subject, crossed, prior } = await checkSubject(ctx, params);
      const { client } = ctx.oidc;
      if (depthOf(prior) >= ACTORS_MAX) throw new errors.InvalidRequest('this token was exchanged too often');
      const asked = [...new Set([...listOf(params.resource), ...listOf(params.audience)])];
      if (subject.audience.length > 0 && asked.some((name) => !subject.audience.includes(name))) {
        throw new errors.InvalidTarget('the subject token is not meant for this resource');
      }
      const scopes = (params.scope ?? '').split(' ').filter(Boolean);
      const wider = scopes.find((scope) => !subject.scope.includes(scope));
      if (wider !== undefined) throw new errors.InvalidScope('the subject token has not this scope', wider);
      const target = asked.length > 0 ? asked : withinPolicy(subject.audience, crossed);
      if (crossed && (target.length === 0 || target.some((name) => !crossed.includes(name)))) {
        throw new errors.InvalidTarget('the policy of these integrations does not name this resource');
      }
      if (target.length > 0) Object.assign(ctx.oidc.params, { resource: target.length === 1 ? target[0] : target });
      const act: ActClaim = { sub: client.clientId, ...(prior ? { act: prior } : { act: { sub: subject.clientId } }) };
      const until = crossed ? Math.min(subject.expiresAt, clock.now() + CROSSED_MS_MAX) : subject.expiresAt;
      exchanges.set(ctx, { act, expiresAt: until, source: hash });
      await issue(ctx);
      ctx.body = { ...(ctx.body as Record<string, unknown>), issued_token_type: ACCESS_TOKEN }; // the grant's answer
      await db.transaction((tx) =>
        appendAudit(tx, {
          actor: { kind: 'client', id: client.clientId, name: client.clientName ?? client.clientId, roles: [] },
          action: 'token.exchanged',
          target: { type: 'access-token', id: subject.hash },
          detail: { integrationId: subject.integrationId, to: clientIntegration(client), act, audience: target },
          at: clock.now(),
        }),
      );
    },
    [
      'subject_token',
      'subject_token_type',
      'requested_token_type',
      'actor_token',
      'actor_token_type',
      'audience',
      'resource',
      'scope',
    ],
    ['audience', 'resource'],
  );
}
