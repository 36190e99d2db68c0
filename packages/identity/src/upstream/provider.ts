import { defineId, type Id, ROLES } from '@cordon/kernel';
import { z } from 'zod';
import { returnUrl } from '../sso/sso-app.ts';

export const UpstreamProviderId = defineId('UpstreamProviderId');
export type UpstreamProviderId = Id<'UpstreamProviderId'>;

const RULES_MAX = 200;
const VALUES_MAX = 20;
const CERTIFICATES_MAX = 4;
const PEM_CHARS_MAX = 8_192;

/** Roles that a provider may give. Never `owner`: whoever rules the provider would rule Cordon with it. */
export const UPSTREAM_ROLES = ROLES.filter((role) => role !== 'owner');

const valueList = z.array(z.string().min(1).max(500)).max(VALUES_MAX).default([]);

/** What holds for both protocols. */
const mapping = {
  /** Claim or attribute names; the first that is there counts. */
  emailFrom: valueList,
  nameFrom: valueList,
  groupsFrom: valueList,
  /** Makes a person at their first sign-in; otherwise they must have been invited or provisioned. */
  createPeople: z.boolean().default(true),
  /** A group of the provider → roles and groups in Cordon. Taken away again when the provider says so no more. */
  groupRules: z
    .array(
      z.strictObject({
        value: z.string().min(1).max(500),
        roles: z.array(z.enum(UPSTREAM_ROLES)).max(ROLES.length).default([]),
        groups: z.array(z.uuid()).max(50).default([]),
      }),
    )
    .max(RULES_MAX)
    .default([]),
  /** What everybody who comes from there gets. */
  defaultRoles: z.array(z.enum(UPSTREAM_ROLES)).max(ROLES.length).default([]),
  /**
   * Values of `acr` or `amr` (SAML: of AuthnContextClassRef) that count as a fresh second factor, or as one that resists
   * phishing. Empty: the provider's word for it is not taken, and a factor is asked for here.
   */
  mfaValues: valueList,
  passkeyValues: valueList,
  /** People of the provider's domains may not sign in here with a factor of their own, but for owners. */
  required: z.boolean().default(false),
};

export const oidcProviderSettings = z.strictObject({
  protocol: z.literal('oidc'),
  issuer: z.url({ protocol: /^https?$/ }).max(1_000),
  clientId: z.string().trim().min(1).max(500),
  auth: z.enum(['client_secret_basic', 'client_secret_post', 'none']).default('client_secret_basic'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/))
    .max(VALUES_MAX)
    .default(['profile', 'email']),
  /** The address counts as verified without `email_verified`, within the verified domains (Entra never sends it). */
  trustEmail: z.boolean().default(false),
  ...mapping,
});

const pem = z
  .string()
  .max(PEM_CHARS_MAX)
  .regex(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/);

export const samlProviderSettings = z.strictObject({
  protocol: z.literal('saml'),
  entityId: z.string().trim().min(1).max(1_000),
  ssoUrl: returnUrl,
  sloUrl: returnUrl.nullable().default(null),
  certificates: z.array(pem).min(1).max(CERTIFICATES_MAX),
  /** What must be signed; the assertion always stands under a signature. */
  wantSigned: z.enum(['assertion', 'response', 'both']).default('assertion'),
  signRequests: z.boolean().default(true),
  /** Takes answers that nobody asked for (IdP-initiated). They can't be tied to the browser that began. */
  allowUnsolicited: z.boolean().default(false),
  /** `transient` names can't be recognised again and are refused; an attribute can stand for the name. */
  subjectFrom: z.string().max(500).nullable().default(null),
  ...mapping,
});

export const providerSettings = z.discriminatedUnion('protocol', [oidcProviderSettings, samlProviderSettings]);
export type OidcProviderSettings = z.output<typeof oidcProviderSettings>;
export type SamlProviderSettings = z.output<typeof samlProviderSettings>;
export type ProviderSettings = OidcProviderSettings | SamlProviderSettings;

export type ProviderStatus = 'draft' | 'active' | 'disabled';

/** A corporate provider that people come from. */
export interface Provider<Settings extends ProviderSettings = ProviderSettings> {
  readonly id: UpstreamProviderId;
  readonly name: string;
  readonly status: ProviderStatus;
  readonly settings: Settings;
  readonly sealedSecret: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When settings that decide who gets in changed last; a test sign-in must be younger. */
  readonly configuredAt: number;
  readonly testedAt: number | null;
}

export function isOidcProvider(provider: Provider): provider is Provider<OidcProviderSettings> {
  return provider.settings.protocol === 'oidc';
}

export function isSamlProvider(provider: Provider): provider is Provider<SamlProviderSettings> {
  return provider.settings.protocol === 'saml';
}

/** What the provider calls itself in its answers. */
export function issuerOf(settings: ProviderSettings): string {
  return settings.protocol === 'oidc' ? settings.issuer : settings.entityId;
}

export function isTested(provider: Pick<Provider, 'testedAt' | 'configuredAt'>): boolean {
  return provider.testedAt !== null && provider.testedAt >= provider.configuredAt;
}

export function providerSecretContext(id: string): string {
  return `identity.upstream-secret:${id}`;
}

/** An e-mail domain as it is stored and compared: lower case, ASCII. */
export function domainOf(email: string): string | null {
  const at = email.lastIndexOf('@');
  return at > 0 ? normalDomain(email.slice(at + 1)) : null;
}

const DOMAIN = /^(?=.{3,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** Null: no name of a domain. Names in other scripts become their ASCII form, so that two spellings are one. */
export function normalDomain(given: string): string | null {
  let host: string;
  try {
    host = new URL(`http://${given.trim()}`).hostname;
  } catch {
    return null;
  }
  return DOMAIN.test(host) && !/^[\d.]+$/.test(host) ? host : null;
}
