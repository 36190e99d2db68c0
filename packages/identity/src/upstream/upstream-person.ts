import type { Role } from '@cordon/kernel';
import type { ProviderSettings } from './provider.ts';

/** What a provider said of a person, whatever the protocol. */
export interface UpstreamPerson {
  /** What the provider promises never to give to somebody else. */
  readonly subject: string;
  readonly email: string | null;
  /** The provider says so itself; a SAML provider's word counts within its verified domains. */
  readonly emailVerified: boolean;
  readonly name: string | null;
  readonly groups: readonly string[];
  /** `acr` and `amr`, or the authentication context classes. */
  readonly methods: readonly string[];
  /** When they signed in there, milliseconds since the epoch. */
  readonly authAt: number;
  readonly sid: string | null;
  readonly nameId: { readonly value: string; readonly format: string } | null;
  readonly idToken: string | null;
  /** The provider wants the session to end then. */
  readonly sessionEndsAt: number | null;
}

/** How far the provider's word for a second factor is taken. `null`: not at all. */
export function upstreamStrength(
  settings: Pick<ProviderSettings, 'mfaValues' | 'passkeyValues'>,
  methods: readonly string[],
): 'mfa' | 'passkey' | null {
  if (methods.some((method) => settings.passkeyValues.includes(method))) return 'passkey';
  return methods.some((method) => settings.mfaValues.includes(method)) ? 'mfa' : null;
}

export interface Given {
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
}

/** What the groups of a provider give in Cordon. Compared exactly: `admins` is not `Admins`. */
export function mapGroups(
  settings: Pick<ProviderSettings, 'groupRules' | 'defaultRoles'>,
  groups: readonly string[],
): Given {
  const rules = settings.groupRules.filter((rule) => groups.includes(rule.value));
  return {
    roles: [...new Set([...settings.defaultRoles, ...rules.flatMap((rule) => rule.roles)])],
    groups: [...new Set(rules.flatMap((rule) => rule.groups))],
  };
}

/** The first of these names that holds text. */
export function firstText(names: readonly string[], find: (name: string) => readonly string[]): string | null {
  for (const name of names) {
    const value = find(name).find((one) => one.trim() !== '');
    if (value !== undefined) return value.trim();
  }
  return null;
}
