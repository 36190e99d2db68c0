import { OAuth2Client } from 'google-auth-library';
import type { Wire } from './wire.ts';

/**
 * Options that send every call of `googleapis` to the gateway. `rootUrl` alone is not enough: uploads of media ignore
 * it and go to www.googleapis.com with the token. The fetch put underneath moves those to the gateway too.
 */
export function googleOptions(gatewayUrl: string, token: string, wire: Wire) {
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: token });
  const throughGateway: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.hostname.endsWith('.googleapis.com'))
      return wire.fetch(new URL(url.pathname + url.search, gatewayUrl), init);
    return wire.fetch(input, init);
  };
  return { auth, rootUrl: gatewayUrl, retry: false, fetchImplementation: throughGateway };
}
