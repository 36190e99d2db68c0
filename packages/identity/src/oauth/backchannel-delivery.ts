import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { Approvals } from '../approvals/approvals.ts';
import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import { APPROVAL_TTL_S_MAX, APPROVED_TOKEN_TTL_S } from './backchannel.ts';
import { BackchannelOutbox } from './backchannel-outbox.ts';
import { notePoll } from './backchannel-poll.ts';

export const CIBA = 'urn:openid:params:grant-type:ciba';
const REQUEST_MODEL = 'BackchannelAuthenticationRequest';

type GrantHandler = (ctx: KoaContextWithOIDC) => void | Promise<void>;

/** What of the library's stored request is read here. */
interface WaitingRequest {
  readonly jti: string;
  readonly clientId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly grantId?: string | undefined;
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  readonly amr?: readonly string[] | undefined;
  readonly authTime?: number | undefined;
  readonly resource?: string | readonly string[] | undefined;
  readonly rar?: readonly object[] | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

export interface BackchannelDelivery {
  /** Ends after what is being sent. */
  stop(): Promise<void>;
}

function isPush(client: object | undefined): boolean {
  return client !== undefined && 'cordon_push' in client && client.cordon_push === true;
}

/**
 * The ends of a backchannel request that the library lacks or does otherwise (OpenID CIBA Core 1.0): `slow_down` for
 * who polls too fast (section 11), ping (10.2) and push (10.3) to addresses of the public internet alone.
 */
export function addBackchannelDelivery(
  context: IdentityContext,
  provider: Provider,
  approvals: Approvals,
  issue: GrantHandler,
): BackchannelDelivery {
  const outbox = new BackchannelOutbox(context);

  provider.registerGrantType(CIBA, (ctx: KoaContextWithOIDC) => answerPoll(context, ctx, issue), ['auth_req_id']);

  const send = async (client: object & { readonly clientId: string }, request: WaitingRequest): Promise<void> => {
    const endpoint =
      'backchannelClientNotificationEndpoint' in client ? client.backchannelClientNotificationEndpoint : '';
    const token = request.params?.['client_notification_token'];
    if (typeof endpoint !== 'string' || typeof token !== 'string') return;
    const body = isPush(client)
      ? await pushBody(context, provider, approvals, client, request)
      : { auth_req_id: request.jti };
    // A pushed token dies soon; a request can be fetched as long as it may live.
    const lifeS = isPush(client) ? APPROVED_TOKEN_TTL_S : APPROVAL_TTL_S_MAX;
    await outbox.add(client.clientId, { endpoint, token, body }, context.clock.now() + lifeS * 1000);
  };

  // The library would send it itself, to any address, while the person who decided waits.
  Object.defineProperty(provider.Client.prototype, 'backchannelPing', {
    value(this: object & { readonly clientId: string }, request: WaitingRequest): Promise<void> {
      // Awaited by the library: who decided hears of it when it is in the database.
      return send(this, request).catch((error: unknown) =>
        context.logger.warn({ err: error, clientId: this.clientId }, 'a client cannot be told of a decision'),
      );
    },
  });

  provider.use(async (ctx, next) => {
    await next();
    const body: unknown = ctx.body;
    if (typeof body !== 'object' || body === null || !('backchannel_token_delivery_modes_supported' in body)) return;
    ctx.body = { ...body, backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'] };
  });
  return { stop: () => outbox.stop() };
}

class NotTaken extends Error {}

async function answerPoll(context: IdentityContext, ctx: KoaContextWithOIDC, issue: GrantHandler): Promise<void> {
  // Section 11: a client that is pushed to has nothing to fetch.
  if (isPush(ctx.oidc.client)) throw new errors.UnauthorizedClient('this client is told by push');
  try {
    await issue(ctx);
  } catch (error) {
    if (!(error instanceof errors.AuthorizationPending)) throw error;
    const hash = hashSecret(String(ctx.oidc.params?.['auth_req_id']));
    const soon = await notePoll(tablesOf(context.db), REQUEST_MODEL, hash, context.clock.now());
    if (!soon) throw error;
    throw new errors.SlowDown();
  }
}

/** Sections 10.3.1 and 12: the tokens, or why there are none. */
async function pushBody(
  context: IdentityContext,
  provider: Provider,
  approvals: Approvals,
  client: object & { readonly clientId: string },
  request: WaitingRequest,
): Promise<Record<string, unknown>> {
  const { jti: authReqId, grantId, error } = request;
  if (error !== undefined || grantId === undefined) {
    return { auth_req_id: authReqId, error, error_description: request.error_description };
  }
  const found = await provider.Client.find(client.clientId);
  if (!found || !(await approvals.claimToken(grantId))) throw new NotTaken('the token was issued already');
  const accountId = request.accountId ?? '';
  const { gatewayUrl, publicUrl } = context.config;
  const resource = [request.resource ?? []].flat()[0] ?? gatewayUrl ?? publicUrl;
  const token = new provider.AccessToken({
    accountId,
    client: found,
    grantId,
    gty: 'ciba',
    ...(request.rar ? { rar: [...request.rar] } : {}),
  } as unknown as ConstructorParameters<Provider['AccessToken']>[0]); // the library's types leave grants out
  Object.assign(token, {
    resourceServer: new provider.ResourceServer(resource, {
      scope: '',
      audience: resource,
      accessTokenFormat: 'opaque',
    }),
  });
  const accessToken = await token.save();
  const idToken = new provider.IdToken({ sub: accountId }, { client: found });
  Object.assign(idToken, { scope: 'openid' });
  idToken.set('at_hash', accessToken);
  idToken.set('auth_time', request.authTime);
  idToken.set('amr', request.amr);
  idToken.set('urn:openid:params:jwt:claim:auth_req_id', authReqId);
  return {
    auth_req_id: authReqId,
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: token.expiration,
    id_token: await idToken.issue({ use: 'idtoken' }),
    authorization_details: request.rar,
  };
}
