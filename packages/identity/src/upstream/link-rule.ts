import type { UpstreamReason } from './refusal.ts';

/** Everything that decides whose account a sign-in through a provider opens. */
export interface LinkFacts {
  /** The account at the provider is tied to somebody. */
  readonly tied: { readonly personId: string; readonly status: 'invited' | 'active' | 'disabled' } | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly emailTrusted: boolean;
  /** The address's domain is a verified one of this very provider. */
  readonly domainVerified: boolean;
  /** Who signs in with this address here. */
  readonly holder: {
    readonly personId: string;
    readonly status: 'invited' | 'active' | 'disabled';
    readonly hasFactor: boolean;
    readonly isOwner: boolean;
    /** Tied to another account of the same provider. */
    readonly isTied: boolean;
  } | null;
  readonly createPeople: boolean;
}

export type LinkVerdict =
  | { readonly kind: 'enter'; readonly personId: string }
  | { readonly kind: 'link'; readonly personId: string }
  | { readonly kind: 'prove'; readonly personId: string }
  | { readonly kind: 'create' }
  | { readonly kind: 'refuse'; readonly reason: UpstreamReason };

/**
 * Ties an account of a provider to a person. The subject decides; an address counts once, for the first tie, and only
 * when the provider vouches for it and rules its domain. Whoever has a factor here, and every owner, must show it first:
 * otherwise whoever rules the provider could take their account over.
 */
export function judgeLink(facts: LinkFacts): LinkVerdict {
  const refuse = (reason: UpstreamReason): LinkVerdict => ({ kind: 'refuse', reason });
  if (facts.tied) {
    return facts.tied.status === 'disabled'
      ? refuse('person.disabled')
      : { kind: 'enter', personId: facts.tied.personId };
  }
  if (facts.email === null) return refuse('person.no_email');
  if (!facts.domainVerified) return refuse('person.domain');
  if (!facts.emailVerified && !facts.emailTrusted) return refuse('person.email_unverified');
  const { holder } = facts;
  if (!holder) return facts.createPeople ? { kind: 'create' } : refuse('person.unknown');
  if (holder.status === 'disabled') return refuse('person.disabled');
  if (holder.isTied) return refuse('person.other_account');
  if (holder.hasFactor || holder.isOwner) return { kind: 'prove', personId: holder.personId };
  return { kind: 'link', personId: holder.personId };
}
