import { errors, type Provider } from 'oidc-provider';
import type { BackchannelAnswers } from '../approvals/approvals.ts';

/** A decision of a person, as the authorization server's answer to the client that polls for it. */
export function backchannelAnswers(provider: () => Provider): BackchannelAnswers {
  return {
    async prepare({ clientId, personId }) {
      const { Grant } = provider();
      const grant = new Grant({ clientId, accountId: personId });
      // The ID token that CIBA demands then names who approved.
      grant.addOIDCScope('openid');
      return { grantId: await grant.save() };
    },
    async release(authReqId, answer) {
      const current = provider();
      const request = await current.BackchannelAuthenticationRequest.find(authReqId);
      // It is over: the client's poll says so by itself.
      if (!request) return;
      if ('denied' in answer) {
        await current.backchannelResult(request, new errors.AccessDenied('a person denied the request'));
        return;
      }
      // Whoever was asked, the token says who approved.
      request.accountId = answer.personId;
      const grant = await current.Grant.find(answer.grantId);
      if (!grant) throw new Error('the grant of an approval is gone');
      await current.backchannelResult(request, grant, {
        amr: [...answer.amr],
        authTime: Math.floor(answer.at / 1000),
        rar: [answer.call],
      });
    },
  };
}
