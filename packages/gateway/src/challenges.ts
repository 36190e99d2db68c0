import { type HeaderList, Refusal } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** Values of `acr_values` in challenges (RFC 9470, section 3). */
export const ACR = { m1: 'urn:cordon:acr:m1', m2: 'urn:cordon:acr:m2', approved: 'urn:cordon:acr:approved' } as const;

function ascii(text: string): string {
  return text.replaceAll('’', "'").replace(/[^\x20-\x7e]|["\\]/g, '');
}

/** RFC 9470, section 3, in the scheme that the call used. */
export function stepUpChallenge(exchange: Exchange, description: string, acr: string): HeaderList {
  const scheme = exchange.identity?.token.cnf?.jkt ? 'DPoP' : 'Bearer';
  const value =
    `${scheme} realm="cordon", error="insufficient_user_authentication", ` +
    `error_description="${ascii(description)}", acr_values="${acr}"`;
  return [['WWW-Authenticate', value]];
}

/** The token proves too little for this call. */
export function assuranceRefusal(exchange: Exchange, needed: 'm1' | 'm2', names: readonly string[] = []): Refusal {
  const description = `This call needs a token of assurance ${needed}, and this one has ${exchange.caller.token.assurance}.`;
  const advice =
    needed === 'm1'
      ? 'Obtain a token with a key: private_key_jwt, a client certificate, or a secret and DPoP.'
      : 'Authenticate with one key and bind the token to another: private_key_jwt or a client certificate, with DPoP by a key of its own.';
  return new Refusal('gateway.assurance_insufficient', `${description} ${advice}`, {
    detail: {
      assurance: exchange.caller.token.assurance,
      needed,
      ...(names.length > 0 ? { requirements: names } : {}),
    },
    headers: stepUpChallenge(exchange, description, ACR[needed]),
  });
}

/** RFC 9449, section 9. */
export function nonceRefusal(exchange: Exchange): Refusal {
  const description = 'The DPoP proof must carry the nonce that this answer gives.';
  const nonce = exchange.runtime.nonces.current(exchange.startedAt);
  const value = `DPoP realm="cordon", error="use_dpop_nonce", error_description="${description}"`;
  return new Refusal('gateway.nonce_required', description, {
    headers: [
      ['WWW-Authenticate', value],
      ['DPoP-Nonce', nonce],
    ],
  });
}
