import { UpstreamRefused } from '../errors.ts';

/**
 * Every reason for which a sign-in through a provider is refused: what the person is told (`person`), and what whoever
 * set the provider up should do (`admin`). The person's text gives away nothing about who has an account.
 */
export const UPSTREAM_REFUSALS = {
  'flow.unknown': {
    person: 'This sign-in was begun too long ago, or in another browser. Start again.',
    admin:
      'The browser came back without a sign-in that Cordon had begun: a bookmarked page, the back button, cookies that are blocked, or an answer that somebody else asked for. Nothing to do unless it repeats.',
  },
  'flow.off': {
    person: 'Sign-in through this provider is switched off. Ask whoever looks after Cordon in your company.',
    admin: 'The provider is a draft or disabled. Switch it on after a test sign-in.',
  },
  'flow.mixed_up': {
    person: 'The answer came from another provider than the one that was asked. Start again.',
    admin:
      'The answer of one provider came to another one’s address (mix-up attack, RFC 9207). If the same person sees it again, compare the redirect address at both providers.',
  },
  'provider.refused': {
    person: 'Your company’s provider did not sign you in.',
    admin:
      'The provider answered with an error. Its own log tells why; often the person has not been assigned to the application there.',
  },
  'provider.unreachable': {
    person: 'Your company’s provider can’t be reached. Try again in a minute, or sign in with a factor of your own.',
    admin:
      'Cordon could not fetch the provider’s configuration, keys or tokens. It must be reachable by HTTPS on the public internet, or its host must be in CORDON_SIGN_ON_PRIVATE_HOSTS.',
  },
  'oidc.client': {
    person: 'Cordon and your company’s provider don’t agree about their settings. Tell whoever looks after Cordon.',
    admin:
      'The token endpoint refused Cordon: check the client id, the client secret and its expiry, the way of authentication, and that the redirect address is registered exactly.',
  },
  'oidc.response': {
    person: 'The answer of your company’s provider could not be trusted. Start again.',
    admin:
      'The id_token or the answer broke a rule of OpenID Connect; the detail names it. Check the issuer, the client id and the clocks.',
  },
  'oidc.too_old': {
    person: 'Your company’s provider did not ask you again. Sign out there, then try again.',
    admin: 'A fresh sign-in was asked for (max_age), and auth_time is older or missing.',
  },
  'saml.form': {
    person: 'The answer of your company’s provider could not be trusted. Start again.',
    admin:
      'The message is no well-formed SAML response or holds what is never accepted (document type, entity, comment, repeated id). The detail names it.',
  },
  'saml.wrapped': {
    person: 'The answer of your company’s provider could not be trusted. Start again.',
    admin:
      'The message holds signed parts in places where they don’t belong: the form of a signature wrapping attack. Look at who sent it, before you look at the settings.',
  },
  'saml.several_assertions': {
    person: 'The answer of your company’s provider could not be trusted. Start again.',
    admin: 'The response holds more than one assertion. Set the provider to send one.',
  },
  'saml.algorithm': {
    person: 'The answer of your company’s provider could not be trusted. Tell whoever looks after Cordon.',
    admin:
      'The signature uses an algorithm that is not accepted: SHA-1, HMAC, or an unknown transform. Set the provider to RSA with SHA-256.',
  },
  'saml.unsigned': {
    person: 'The answer of your company’s provider could not be trusted. Tell whoever looks after Cordon.',
    admin:
      'A part that must be signed is not. Set the provider to sign the assertion, or change what Cordon wants signed.',
  },
  'saml.signature': {
    person: 'The answer of your company’s provider could not be trusted. Tell whoever looks after Cordon.',
    admin:
      'The signature doesn’t belong to a certificate that is registered here. Import the provider’s metadata again, if it has changed its certificate.',
  },
  'saml.issuer': {
    person: 'The answer came from another provider than the one that was asked.',
    admin: 'The Issuer is not the entity id that is registered here. Import the metadata again.',
  },
  'saml.destination': {
    person: 'The answer of your company’s provider was meant for another site.',
    admin:
      'Destination is not Cordon’s assertion consumer address. Check that address at the provider, letter by letter.',
  },
  'saml.audience': {
    person: 'The answer of your company’s provider was meant for another site.',
    admin: 'Audience is not Cordon’s entity id. Check the entity id (audience, SP entity id) at the provider.',
  },
  'saml.recipient': {
    person: 'The answer of your company’s provider was meant for another site.',
    admin: 'Recipient is not Cordon’s assertion consumer address, or the subject has no bearer confirmation.',
  },
  'saml.time': {
    person: 'The answer of your company’s provider is too old. Start again.',
    admin: 'The assertion is not valid yet or no more. Check the clocks of both machines.',
  },
  'saml.unsolicited': {
    person: 'Start the sign-in at Cordon, not at your company’s provider.',
    admin:
      'The provider sent an answer that Cordon had not asked for. Allow it in the provider’s settings if people shall start there.',
  },
  'saml.in_response_to': {
    person: 'The answer belongs to another sign-in. Start again.',
    admin:
      'InResponseTo names a request that this browser’s sign-in didn’t make: an answer that was stolen, or two tabs.',
  },
  'saml.replay': {
    person: 'This answer was used before. Start again.',
    admin: 'An assertion came a second time. One from a reloaded page is harmless; many are an attack.',
  },
  'saml.name': {
    person: 'Your company’s provider did not tell who you are. Tell whoever looks after Cordon.',
    admin:
      'There is no NameID that stays the same (a transient one doesn’t). Set another name format, or name an attribute to recognise people by.',
  },
  'saml.status': {
    person: 'Your company’s provider did not sign you in.',
    admin:
      'The response’s status is not Success. The provider’s log tells why; often the person has no access to the application there.',
  },
  'person.no_email': {
    person: 'Your company’s provider did not tell your e-mail address. Tell whoever looks after Cordon.',
    admin:
      'No e-mail address was found. Release one at the provider, or name the claim or attribute that holds it in the mapping.',
  },
  'person.email_unverified': {
    person: 'Your company’s provider does not vouch for your e-mail address. Tell whoever looks after Cordon.',
    admin:
      'email_verified is not true. Where the provider never sends it (Microsoft Entra), switch on “trust e-mail addresses”, which holds within the verified domains only.',
  },
  'person.domain': {
    person: 'Your e-mail address belongs to a domain that does not sign in this way.',
    admin:
      'The address’s domain is not a verified domain of this provider. Add it and verify it, if its people shall come from there.',
  },
  'person.unknown': {
    person: 'You have no account here yet. Ask whoever looks after Cordon in your company for an invitation.',
    admin:
      'Nobody has this address, and the provider may not make people. Invite the person, or switch on “make people at their first sign-in”.',
  },
  'person.disabled': {
    person: 'You have no account here yet. Ask whoever looks after Cordon in your company for an invitation.',
    admin: 'The person is disabled in Cordon.',
  },
  'person.proof_needed': {
    person: 'Sign in once with the passkey or password that you use here; then both ways lead to your account.',
    admin: 'Somebody with a factor of their own is tied to a provider only after showing that factor. Nothing to do.',
  },
  'person.other_account': {
    person: 'Another account of your company’s provider belongs to this person already.',
    admin:
      'The person is tied to another account at this provider. If the account was made anew there, remove the tie on the provider’s page.',
  },
  'person.other': {
    person: 'You confirmed as somebody else. Sign out at your company’s provider, then try again.',
    admin: 'A confirmation came back for another account than the one that the session came from.',
  },
  'person.not_strong': {
    person: 'Your company’s provider did not confirm a second factor. Confirm with a factor of your own.',
    admin: 'acr and amr hold none of the values that count as a second factor in this provider’s settings.',
  },
  'person.local_refused': {
    person: 'Sign in through your company’s provider.',
    admin: 'The provider is required for the person’s domain.',
  },
} as const satisfies Readonly<Record<string, { readonly person: string; readonly admin: string }>>;

export type UpstreamReason = keyof typeof UPSTREAM_REFUSALS;

/** Refuses a sign-in; `detail` is for the administrator and holds nothing secret. */
export function refuseUpstream(reason: UpstreamReason, detail = '', cause?: unknown): never {
  throw new UpstreamRefused(UPSTREAM_REFUSALS[reason].person, { reason, detail: detail.slice(0, 500) }, cause);
}

export function isReason(value: unknown): value is UpstreamReason {
  return typeof value === 'string' && Object.hasOwn(UPSTREAM_REFUSALS, value);
}

/** Why it was refused; null for an error that is no refusal of a sign-in. */
export function reasonOf(error: unknown): { readonly reason: UpstreamReason; readonly detail: string } | null {
  if (!(error instanceof UpstreamRefused)) return null;
  const { reason, detail } = error.detail;
  return isReason(reason) ? { reason, detail: typeof detail === 'string' ? detail : '' } : null;
}
