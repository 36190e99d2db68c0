import { appendAudit } from '@cordon/kernel';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import type { ActClaim } from './act-claim.ts';
import { findToken, findTokenActor } from './token-store.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ACTORS_MAX = 5;

/** What an exchange under way may not go beyond. */
export interface ExchangeFacts {
  readonly act: ActClaim;
  /** When the subject token ends, milliseconds since the epoch. */
  readonly expiresAt: number;
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

function clientIntegration(client: object | undefined): string | null {
  const id: unknown = client && 'cordon_integration_id' in client ? client.cordon_integration_id : null;
  return typeof id === 'string' ? id : null;
}

/**
 * Token exchange (RFC 8693): a client hands a token of its own integration's over for one that is bound to its own
 * key, for the same or fewer apps, no longer than the first lives. `issue` is the grant that makes the new token, with
 * its proofs of possession.
 */
export function addTokenExchange(context: IdentityContext, provider: Provider, issue: GrantHandler): void {
  const { db, clock } = context;

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
    if (!subject || subject.integrationId !== clientIntegration(ctx.oidc.client)) {
      throw new errors.InvalidRequest(
        'subject_token is not a live token of this client’s integration'.replace('’', "'"),
      );
    }
    if (subject.approval) throw new errors.InvalidRequest('a token that was approved for one call is not exchanged');
    return { subject, prior: await findTokenActor(tablesOf(db), hash) };
  };

  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const parsed = paramsSchema.safeParse({ ...ctx.oidc.params });
      if (!parsed.success) {
        throw new errors.InvalidRequest(parsed.error.issues[0]?.message ?? 'the request is not valid');
      }
      const params = parsed.data;
      const { subject, prior } = await checkSubject(ctx, params);
      const { client } = ctx.oidc;
      if (depthOf(prior) >= ACTORS_MAX) throw new errors.InvalidRequest('this token was exchanged too often');
      const asked = [...new Set([...listOf(params.resource), ...listOf(params.audience)])];
      if (subject.audience.length > 0 && asked.some((name) => !subject.audience.includes(name))) {
        throw new errors.InvalidTarget('the subject token is not meant for this resource');
      }
      const scopes = (params.scope ?? '').split(' ').filter(Boolean);
      const wider = scopes.find((scope) => !subject.scope.includes(scope));
      if (wider !== undefined) throw new errors.InvalidScope('the subject token has not this scope', wider);
      const target = asked.length > 0 ? asked : subject.audience;
      if (target.length > 0) Object.assign(ctx.oidc.params, { resource: target.length === 1 ? target[0] : target });
      const act: ActClaim = { sub: client.clientId, ...(prior ? { act: prior } : { act: { sub: subject.clientId } }) };
      exchanges.set(ctx, { act, expiresAt: subject.expiresAt });
      await issue(ctx);
      ctx.body = { ...(ctx.body as Record<string, unknown>), issued_token_type: ACCESS_TOKEN }; // the grant's answer
      await db.transaction((tx) =>
        appendAudit(tx, {
          actor: { kind: 'client', id: client.clientId, name: client.clientName ?? client.clientId, roles: [] },
          action: 'token.exchanged',
          target: { type: 'access-token', id: subject.hash },
          detail: { integrationId: subject.integrationId, act, audience: target },
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
