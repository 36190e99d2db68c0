import {
  type AuthorizationDetail,
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { z } from 'zod';
import type { Approvals } from '../approvals/approvals.ts';
import { type ApprovedCall, approvedCall, CALL_DETAIL_TYPE } from '@cordon/policy';
import type { IdentityContext } from '../context.ts';

/** Asked of nobody in particular: whoever may approve. */
export const ANY_APPROVER = 'approvers';
/** How long an approval may be waited for when the client doesn't say, and at most, seconds. */
export const APPROVAL_TTL_S_DEFAULT = 600;
export const APPROVAL_TTL_S_MAX = 3_600;
/** How long a token that carries an approval lives, seconds. */
export const APPROVED_TOKEN_TTL_S = 300;
const MESSAGE = /^[\p{L}\p{N}\p{P}\p{S} ]{1,200}$/u;

function clientOf(ctx: KoaContextWithOIDC): Client {
  if (!ctx.oidc.client) throw new errors.InvalidClient('the client is not known');
  return ctx.oidc.client;
}

const detailsSchema = z.array(approvedCall).length(1);

/** The one call that a request asks to have approved. Throws what RFC 9396, section 5 says. */
export function readCall(ctx: KoaContextWithOIDC): ApprovedCall {
  const given: unknown = ctx.oidc.params?.['authorization_details'];
  if (typeof given !== 'string') {
    throw new errors.InvalidAuthorizationDetails(`name the call in authorization_details, of type ${CALL_DETAIL_TYPE}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw new errors.InvalidAuthorizationDetails('authorization_details is not JSON');
  }
  const parsed = detailsSchema.safeParse(value);
  if (parsed.success) return parsed.data[0]!; // length 1
  const [issue] = parsed.error.issues;
  throw new errors.InvalidAuthorizationDetails(
    `authorization_details: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not valid'}`.slice(0, 300).trim(),
  );
}

/** CIBA: integrations ask for the approval of one call (OpenID CIBA Core 1.0, RFC 9396). */
type Features = NonNullable<Configuration['features']>;

export function backchannelFeature(
  context: IdentityContext,
  approvals: Approvals,
): NonNullable<Features['ciba']> & { readonly enabled: true } {
  return {
    enabled: true,
    deliveryModes: ['poll', 'ping'] as const,
    processLoginHint: (_ctx: KoaContextWithOIDC, hint?: string) => approvals.findApprover(hint ?? ''),
    processLoginHintToken: () => {
      throw new errors.InvalidRequest('send login_hint: "approvers", or the e-mail address of one of them');
    },
    verifyUserCode: () => undefined,
    validateBindingMessage: (_ctx: KoaContextWithOIDC, message?: string) => {
      if (message !== undefined && !MESSAGE.test(message)) {
        throw new errors.InvalidBindingMessage('binding_message has 1 to 200 letters, digits, marks and spaces');
      }
    },
    // The last check before the request is stored: what isn't a call of this integration is refused here.
    validateRequestContext: async (ctx: KoaContextWithOIDC) => {
      const call = readCall(ctx);
      if (!(await (context.hasApp?.(call.app) ?? true))) {
        throw new errors.InvalidAuthorizationDetails(`there is no app ${call.app}`);
      }
      if (!(await approvals.mayAsk(clientOf(ctx)))) throw new errors.UnauthorizedClient('this client may not ask');
    },
    triggerAuthenticationDevice: async (
      ctx: KoaContextWithOIDC,
      request: { readonly jti: string; readonly accountId?: string | undefined; readonly expiration: number },
    ) => {
      const message: unknown = ctx.oidc.params?.['binding_message'];
      await approvals.ask({
        client: clientOf(ctx),
        authReqId: request.jti,
        asked: request.accountId ?? ANY_APPROVER,
        call: readCall(ctx),
        message: typeof message === 'string' ? message : null,
        expiresAt: context.clock.now() + request.expiration * 1000,
      });
    },
  };
}

/** Rich authorization requests: one type, good for nothing but approvals. */
export function authorizationDetailsFeature(approvals: Approvals) {
  return {
    enabled: true,
    types: { [CALL_DETAIL_TYPE]: { validate: (ctx: KoaContextWithOIDC) => void readCall(ctx) } },
    // Only codes and devices are asked about; neither is served.
    authorizationDetailsForGrantSource: () => undefined,
    authorizationDetailsForAccessToken: async (
      _ctx: unknown,
      _token: unknown,
      source:
        | { readonly grantId?: string | undefined; readonly rar?: readonly AuthorizationDetail[] | undefined }
        | undefined,
    ) => {
      if (source?.grantId === undefined || source.rar === undefined) {
        throw new errors.InvalidAuthorizationDetails('ask for approval at the backchannel authentication endpoint');
      }
      // Two polls at once both find the request unconsumed; only one gets a token.
      if (!(await approvals.claimToken(source.grantId))) throw new errors.InvalidGrant('a token was issued already');
      return source.rar;
    },
    authorizationDetailsForIntrospection: (
      _ctx: unknown,
      token: { readonly rar?: readonly AuthorizationDetail[] | undefined },
    ) => token.rar,
  };
}
