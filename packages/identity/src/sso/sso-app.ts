import { defineId, type Id, type Role, ROLES } from '@cordon/kernel';
import { z } from 'zod';
import type { Person } from '../people/person.ts';

export const SsoAppId = defineId('SsoAppId');
export type SsoAppId = Id<'SsoAppId'>;

const URLS_MAX = 20;
const ATTRIBUTES_MAX = 50;
const CERTIFICATES_MAX = 2;
const PEM_CHARS_MAX = 8_192;

/** Exact addresses only: no wildcard, no fragment, nothing unencrypted but loopback (RFC 9700, sections 2.1 and 4.1). */
export const returnUrl = z
  .url({ protocol: /^https?$/ })
  .max(1_000)
  .refine((value) => !value.includes('#') && !value.includes('*'), 'must hold no fragment and no wildcard')
  .refine((value) => new URL(value).username === '' && new URL(value).password === '', 'must hold no user name')
  .refine(
    (value) => value.startsWith('https:') || /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(value).hostname),
    'must be https, but for loopback',
  );

/** The weakest sign-in that an app accepts. */
const assurance = z.enum(['any', 'mfa', 'passkey']).default('any');

const jwksSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(10),
});

export const oidcSettings = z.strictObject({
  protocol: z.literal('oidc'),
  redirectUris: z.array(returnUrl).min(1).max(URLS_MAX),
  postLogoutRedirectUris: z.array(returnUrl).max(URLS_MAX).default([]),
  auth: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']).default('client_secret_basic'),
  jwks: jwksSchema.nullable().default(null),
  /** `optional` only for tools that can't do it and have a secret; a public client always needs it. */
  pkce: z.enum(['required', 'optional']).default('required'),
  par: z.boolean().default(false),
  refresh: z.boolean().default(false),
  backchannelLogoutUri: returnUrl.nullable().default(null),
  /** Opened in a frame of the person's browser; only for tools that can't be told from server to server. */
  frontchannelLogoutUri: returnUrl.nullable().default(null),
  groupsClaim: z.boolean().default(false),
  assurance,
});

const ATTRIBUTE_SOURCES = [
  'id',
  'login',
  'email',
  'name',
  'firstName',
  'lastName',
  'groups',
  'roles',
  'constant',
] as const;

const attributeSchema = z.strictObject({
  name: z.string().min(1).max(200),
  format: z.enum(['uri', 'basic', 'unspecified']).default('unspecified'),
  source: z.enum(ATTRIBUTE_SOURCES),
  /** Of `constant`; `{}` in it is the person's login. */
  value: z.string().max(1_000).optional(),
});

export const NAME_ID_FORMATS = {
  email: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
} as const;

export const samlSettings = z.strictObject({
  protocol: z.literal('saml'),
  entityId: z.string().trim().min(1).max(1_000),
  /** Where assertions may go; the first is the default. */
  acsUrls: z.array(returnUrl).min(1).max(URLS_MAX),
  sloUrl: returnUrl.nullable().default(null),
  sloBinding: z.enum(['redirect', 'post']).default('redirect'),
  /** Where the tool takes a LogoutRequest without a browser (SOAP binding). */
  sloSoapUrl: returnUrl.nullable().default(null),
  /** PEM; two while one replaces another. With one, requests must be signed. */
  certificates: z
    .array(
      z
        .string()
        .max(PEM_CHARS_MAX)
        .regex(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/),
    )
    .max(CERTIFICATES_MAX)
    .default([]),
  idpInitiated: z.boolean().default(true),
  nameId: z.enum(['email', 'persistent', 'transient', 'unspecified']).default('email'),
  attributes: z.array(attributeSchema).max(ATTRIBUTES_MAX).default([]),
  sign: z.enum(['assertion', 'response', 'both']).default('both'),
  /** To the first certificate. */
  encrypt: z.boolean().default(false),
  relayState: z.string().max(1_000).nullable().default(null),
  assurance,
});

export const ssoSettings = z
  .discriminatedUnion('protocol', [oidcSettings, samlSettings])
  .superRefine((settings, check) => {
    const problem = (path: string, message: string): void => check.addIssue({ code: 'custom', path: [path], message });
    if (settings.protocol === 'saml') {
      if (settings.encrypt && settings.certificates.length === 0) problem('encrypt', 'needs a certificate of the tool');
      return;
    }
    if (settings.auth === 'none' && settings.pkce !== 'required') problem('pkce', 'a public client needs it');
    if ((settings.auth === 'private_key_jwt') !== (settings.jwks !== null)) {
      problem('jwks', 'belongs to private_key_jwt, which needs it');
    }
  });

export type OidcSettings = z.output<typeof oidcSettings>;
export type SamlSettings = z.output<typeof samlSettings>;
export type SsoSettings = OidcSettings | SamlSettings;

/** Who may use an app: everyone, or whoever has one of the roles or is in one of the groups. Nobody when all is empty. */
export const ssoAccess = z.strictObject({
  everyone: z.boolean().default(false),
  roles: z.array(z.enum(ROLES)).max(ROLES.length).default([]),
  groups: z.array(z.uuid()).max(200).default([]),
});
export type SsoAccess = z.output<typeof ssoAccess>;

/** A tool that people sign in to through Cordon. Never a client of an integration, and never taken for one. */
export interface SsoApp<Settings extends SsoSettings = SsoSettings> {
  readonly id: SsoAppId;
  readonly name: string;
  readonly catalogue: string | null;
  readonly settings: Settings;
  readonly access: SsoAccess;
  readonly launchUrl: string | null;
  readonly status: 'active' | 'disabled';
  readonly createdAt: number;
  readonly updatedAt: number;
}

export function isSaml(app: SsoApp): app is SsoApp<SamlSettings> {
  return app.settings.protocol === 'saml';
}

export function isOidc(app: SsoApp): app is SsoApp<OidcSettings> {
  return app.settings.protocol === 'oidc';
}

/** A person as apps are told of them. */
export interface Subscriber {
  readonly person: Person;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  /** Ids of apps that they may use for a while. */
  readonly elevatedApps?: readonly string[];
}

/** Deny by default: without everyone, a role or a group nobody gets in. */
export function mayUse(
  app: Pick<SsoApp, 'id' | 'access' | 'status'>,
  { person, groups, elevatedApps = [] }: Subscriber,
): boolean {
  if (app.status !== 'active' || person.status !== 'active') return false;
  const { everyone, roles, groups: allowed } = app.access;
  return (
    everyone ||
    person.roles.some((role: Role) => roles.includes(role)) ||
    groups.some((group) => allowed.includes(group.id)) ||
    elevatedApps.includes(app.id)
  );
}

/** How strong a sign-in was: a passkey resists phishing, a password with a code is two factors, the rest is one. */
export type Strength = 'any' | 'mfa' | 'passkey';
const RANK: Readonly<Record<Strength, number>> = { any: 0, mfa: 1, passkey: 2 };

export function strengthOf(amr: readonly string[]): Strength {
  if (amr.includes('hwk') || amr.includes('fed-phr')) return 'passkey';
  return amr.includes('otp') || amr.includes('fed-mfa') ? 'mfa' : 'any';
}

export function isStrongEnough(has: Strength, wanted: Strength): boolean {
  return RANK[has] >= RANK[wanted];
}

/** `phr` is OpenID's name for what resists phishing (OpenID Connect EAP ACR Values, section 3). */
const ACR: Readonly<Record<string, Strength>> = {
  phr: 'passkey',
  'urn:cordon:acr:mfa': 'mfa',
  'urn:cordon:acr:any': 'any',
};
export const ACR_VALUES: readonly string[] = Object.keys(ACR);

export function acrOf(strength: Strength): string {
  return Object.entries(ACR).find(([, one]) => one === strength)?.[0] ?? 'urn:cordon:acr:any';
}

/**
 * What a request's `acr_values` ask for: any of them is enough, so the weakest that is known. Unknown ones ask for
 * nothing (OpenID Connect Core, section 3.1.2.1: voluntary).
 */
export function strengthAsked(acrValues: string | undefined): Strength {
  const known = (acrValues ?? '').split(' ').flatMap((one) => ACR[one] ?? []);
  return (
    known.reduce<Strength | undefined>((least, one) => (least && RANK[least] <= RANK[one] ? least : one), undefined) ??
    'any'
  );
}

/** The value to answer: the first asked for that the session meets, otherwise the session's own. */
export function acrAnswer(acrValues: string | undefined, has: Strength): string {
  const met = (acrValues ?? '').split(' ').find((one) => ACR[one] !== undefined && isStrongEnough(has, ACR[one]));
  return met ?? acrOf(has);
}

/** Given and family name, as far as one string tells. */
export function splitName(name: string): { first: string; last: string } {
  const at = name.lastIndexOf(' ');
  return at < 0 ? { first: name, last: '' } : { first: name.slice(0, at), last: name.slice(at + 1) };
}
