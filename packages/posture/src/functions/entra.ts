import type { FunctionContext, NamedFunction } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';
import { asList, asRecord } from './collections.ts';

const PHISHING_RESISTANT = new Set(['windowsHelloForBusiness', 'fido2', 'x509CertificateMultiFactor']);

/** Combinations of an authentication strength that are two factors, as Microsoft Graph names them. */
const MULTI_FACTOR = new Set([
  ...PHISHING_RESISTANT,
  'deviceBasedPush',
  'temporaryAccessPassOneTime',
  'temporaryAccessPassMultiUse',
  'password,microsoftAuthenticatorPush',
  'password,softwareOath',
  'password,hardwareOath',
  'password,sms',
  'password,voice',
  'federatedMultiFactor',
  'microsoftAuthenticatorPush,federatedSingleFactor',
  'softwareOath,federatedSingleFactor',
  'hardwareOath,federatedSingleFactor',
  'sms,federatedSingleFactor',
  'voice,federatedSingleFactor',
]);

/** What Entra ID writes for passwords that never expire. */
const NEVER_EXPIRES_DAYS = 2_147_483_647;

function strengthsOf(policy: unknown): unknown[] {
  return asList(valueAt(policy, 'GrantControls.AuthenticationStrength.AllowedCombinations'));
}

function isPhishingResistant(policy: unknown): boolean {
  const strengths = strengthsOf(policy);
  return strengths.length > 0 && strengths.every((strength) => PHISHING_RESISTANT.has(String(strength)));
}

/** A strength of phishing-resistant methods alone is a requirement of its own, not this one. */
function isMultiFactor(policy: unknown): boolean {
  if (asList(valueAt(policy, 'GrantControls.BuiltInControls')).includes('mfa')) return true;
  const strengths = strengthsOf(policy).map(String);
  if (strengths.length === 0) return false;
  return strengths.every((strength) => MULTI_FACTOR.has(strength)) && !isPhishingResistant(policy);
}

/**
 * What the tenant's configuration exempts for a policy. It is written by kind (`CapExclusions: {Users, Groups,
 * Applications, GuestUserTypes}`, `RoleExclusions: {Users, Groups}`), or as a bare list that exempts whatever it names.
 */
function exempted(settings: unknown, id: string, section: string, kind: string): Set<string> {
  const entry = asRecord(valueAt(settings, 'scuba_config.Aad'))[id];
  const listed = Array.isArray(entry) ? entry : asList(valueAt(entry, `${section}.${kind}`));
  return new Set(listed.filter((item) => typeof item === 'string').map((item) => item.trim()));
}

function guestTypesExcluded(policy: unknown): string[] {
  const types = valueAt(policy, 'Conditions.Users.ExcludeGuestsOrExternalUsers.GuestOrExternalUserTypes');
  if (typeof types === 'string') return types.split(',').map((type) => type.trim());
  return asList(types).map(String);
}

/** Where each kind of exclusion stands; one that was not read cannot be shown to be empty. */
const EXCLUSIONS = {
  users: { kind: 'Users', path: 'Conditions.Users.ExcludeUsers' },
  groups: { kind: 'Groups', path: 'Conditions.Users.ExcludeGroups' },
  applications: { kind: 'Applications', path: 'Conditions.Applications.ExcludeApplications' },
  guests: { kind: 'GuestUserTypes', path: 'Conditions.Users.ExcludeGuestsOrExternalUsers' },
};

function exclusionsAllowed(policy: unknown, settings: unknown, id: string, kinds: unknown): boolean {
  return asList(kinds).every((name) => {
    const exclusion =
      name === 'users' || name === 'groups' || name === 'applications' || name === 'guests'
        ? EXCLUSIONS[name]
        : undefined;
    if (exclusion === undefined) return false;
    if (valueAt(policy, exclusion.path) === undefined) return false;
    const allowed = exempted(settings, id, 'CapExclusions', exclusion.kind);
    const excluded = name === 'guests' ? guestTypesExcluded(policy) : asList(valueAt(policy, exclusion.path));
    return excluded.every((item) => allowed.has(String(item)));
  });
}

/** Principals with a permanent active assignment to a role, other than those the configuration exempts. */
function permanentPrincipals(role: unknown, settings: unknown, id: string): string[] {
  const allowed = new Set([
    ...exempted(settings, id, 'RoleExclusions', 'Users'),
    ...exempted(settings, id, 'RoleExclusions', 'Groups'),
  ]);
  return asList(valueAt(role, 'Assignments'))
    .filter((assignment) => valueAt(assignment, 'EndDateTime') === null)
    .map((assignment) => String(valueAt(assignment, 'PrincipalId')))
    .filter((principal) => !allowed.has(principal));
}

interface Domain {
  id: string;
  isRoot: boolean;
  neverExpires: boolean;
}

/** Verified domains whose passwords this tenant manages; a subdomain has the policy of its nearest root. */
function managedDomains(settings: unknown): { domain: Domain; root: Domain | undefined }[] {
  const domains = asList(valueAt(settings, 'domain_settings'))
    .map(asRecord)
    .filter((domain) => domain['IsVerified'] === true && domain['AuthenticationType'] === 'Managed')
    .map((domain) => ({
      id: String(domain['Id']),
      isRoot: domain['IsRoot'] === true,
      neverExpires:
        domain['PasswordValidityPeriodInDays'] === NEVER_EXPIRES_DAYS ||
        domain['PasswordValidityPeriodInDays'] === null,
    }));
  const roots = domains.filter(({ isRoot }) => isRoot).toSorted((left, right) => right.id.length - left.id.length);
  return domains.map((domain) => ({
    domain,
    root: domain.isRoot ? domain : roots.find((root) => domain.id.endsWith(root.id)),
  }));
}

/** Microsoft Entra ID, in the property casing of Microsoft Graph PowerShell. */
export const entraFunctions: readonly NamedFunction[] = [
  {
    signature: 'capPhishingResistant(dyn): bool',
    description:
      'Whether a conditional access policy demands phishing-resistant multi-factor authentication and nothing weaker.',
    run: (_: FunctionContext, policy: unknown) => isPhishingResistant(policy),
  },
  {
    signature: 'capMultiFactor(dyn): bool',
    description: 'Whether a conditional access policy demands multi-factor authentication of any kind.',
    run: (_: FunctionContext, policy: unknown) => isMultiFactor(policy),
  },
  {
    signature: 'capExclusionsAllowed(dyn, dyn, string, list): bool',
    description:
      'Whether whatever a conditional access policy leaves out (of the kinds `users`, `groups`, `applications`, `guests`) is exempted for this check in the configuration.',
    run: (_: FunctionContext, policy: unknown, settings: unknown, id: string, kinds: unknown) =>
      exclusionsAllowed(policy, settings, id, kinds),
  },
  {
    signature: 'entraPermanentPrincipals(dyn, dyn, string): list',
    description:
      'Principals permanently active in a role, without those that the configuration exempts for this check.',
    run: (_: FunctionContext, role: unknown, settings: unknown, id: string) => permanentPrincipals(role, settings, id),
  },
  {
    signature: 'entraHasPlan(dyn, string): bool',
    description: 'Whether the tenant holds a service plan, such as `AAD_PREMIUM_P2`.',
    run: (_: FunctionContext, settings: unknown, plan: string) =>
      asList(valueAt(settings, 'service_plans')).some((entry) => valueAt(entry, 'ServicePlanName') === plan),
  },
  {
    signature: 'entraManagedDomains(dyn): list',
    description:
      'Verified domains with passwords managed here, as `{domain, neverExpires}`; a subdomain follows its root.',
    run: (_: FunctionContext, settings: unknown) =>
      managedDomains(settings).map(({ domain, root }) => ({
        domain: domain.id,
        neverExpires: root?.neverExpires ?? false,
      })),
  },
];
