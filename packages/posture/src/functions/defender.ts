import type { FunctionContext, NamedFunction } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';
import { asList, asRecord, lowerStrings } from './collections.ts';

/** Which field of a preset policy's rule answers to which list of the configuration. */
const RECIPIENT_FIELDS = [
  ['IncludedUsers', 'SentTo'],
  ['ExcludedUsers', 'ExceptIfSentTo'],
  ['IncludedGroups', 'SentToMemberOf'],
  ['ExcludedGroups', 'ExceptIfSentToMemberOf'],
  ['IncludedDomains', 'RecipientDomainIs'],
  ['ExcludedDomains', 'ExceptIfRecipientDomainIs'],
] as const;

const sameSet = (left: string[], right: string[]) =>
  left.every((item) => right.includes(item)) && right.every((item) => left.includes(item));

/**
 * Whether the strict preset reaches the accounts that the tenant calls sensitive: it is on and has no conditions, or
 * its conditions and exceptions name exactly the accounts of the configuration. A configuration that is a bare list
 * does not say of which kind its accounts are; then one of the kinds has to hold exactly these.
 */
function strictPresetCovers(rules: unknown, settings: unknown, id: string): boolean {
  const rule = asList(rules)
    .map(asRecord)
    .find((entry) => entry['Identity'] === 'Strict Preset Security Policy' && entry['State'] === 'Enabled');
  if (rule === undefined) return false;
  if (rule['Conditions'] === null && rule['Exceptions'] === null) return true;
  const configured = asRecord(valueAt(settings, 'scuba_config.Defender'))[id];
  if (Array.isArray(configured)) {
    const accounts = lowerStrings(configured);
    return accounts.length > 0 && RECIPIENT_FIELDS.some(([, field]) => sameSet(lowerStrings(rule[field]), accounts));
  }
  const accounts = asRecord(valueAt(configured, 'SensitiveAccounts'));
  const isConfigured = RECIPIENT_FIELDS.some(([list]) => lowerStrings(accounts[list]).length > 0);
  return (
    isConfigured &&
    RECIPIENT_FIELDS.every(([list, field]) => sameSet(lowerStrings(rule[field]), lowerStrings(accounts[list])))
  );
}

/** What the configuration lists for a check: under a key, or as a bare list. */
function configuredList(settings: unknown, product: string, id: string, key: string): string[] {
  const entry = asRecord(valueAt(settings, `scuba_config.${product}`))[id];
  return lowerStrings(Array.isArray(entry) ? entry : valueAt(entry, key));
}

/** What a preset protects against impersonation: its first policy that has this protection on, or null. */
function presetProtects(policies: unknown, preset: string, enabledKey: string, listKey: string): string[] | null {
  const policy = asList(policies)
    .map(asRecord)
    .find(
      (entry) =>
        String(entry['Identity']).includes(`${preset} Preset Security Policy`) &&
        entry['Enabled'] === true &&
        entry[enabledKey] === true,
    );
  return policy === undefined ? null : lowerStrings(policy[listKey]);
}

/** The sensitive information types a DLP rule looks for; an advanced rule holds them in the text of its condition. */
function informationTypes(rule: unknown): string[] {
  const { IsAdvancedRule, AdvancedRule, ContentContainsSensitiveInformation } = asRecord(rule);
  if (IsAdvancedRule !== true) {
    return asList(ContentContainsSensitiveInformation).map((content) => String(asRecord(content)['name']));
  }
  const text = typeof AdvancedRule === 'string' ? AdvancedRule : '';
  return [
    'U.S. Social Security Number (SSN)',
    'U.S. Individual Taxpayer Identification Number (ITIN)',
    'Credit Card Number',
  ].filter((name) => text.includes(name));
}

/** DLP rules that are on, in a policy that is enforced, as `{rule, policy, types}`. */
function enforcedRules(settings: unknown) {
  const policies = asList(valueAt(settings, 'dlp_compliance_policies')).map(asRecord);
  const found: { rule: Record<string, unknown>; policy: Record<string, unknown>; types: string[] }[] = [];
  for (const rule of asList(valueAt(settings, 'dlp_compliance_rules')).map(asRecord)) {
    const policy = policies.find(
      (entry) => entry['Name'] === rule['ParentPolicyName'] && entry['Enabled'] === true && entry['Mode'] === 'Enable',
    );
    const types = informationTypes(rule);
    if (rule['Disabled'] === false && types.length > 0 && policy !== undefined) found.push({ rule, policy, types });
  }
  return found;
}

/** Microsoft Defender for Office 365 and Microsoft Purview, in the shape of Exchange Online PowerShell. */
export const defenderFunctions: readonly NamedFunction[] = [
  {
    signature: 'strictPresetCovers(dyn, dyn, string): bool',
    description: 'Whether the strict preset policy reaches the accounts that the configuration calls sensitive.',
    run: (_: FunctionContext, rules: unknown, settings: unknown, id: string) => strictPresetCovers(rules, settings, id),
  },
  {
    signature: 'configuredList(dyn, string, string, string): list',
    description: 'What the configuration lists for a check, in lower case: product, check id, key.',
    run: (_: FunctionContext, settings: unknown, product: string, id: string, key: string) =>
      configuredList(settings, product, id, key),
  },
  {
    signature: 'presetProtects(dyn, string, string, string): dyn',
    description:
      'What a preset (`Standard`, `Strict`) protects against impersonation: the list under a key of its anti-phishing policy that has a switch on; null without such a policy.',
    run: (_: FunctionContext, policies: unknown, preset: string, enabledKey: string, listKey: string) =>
      presetProtects(policies, preset, enabledKey, listKey),
  },
  {
    signature: 'dlpEnforcedRules(dyn): list',
    description: 'DLP rules in force, as `{rule, policy, types}`, with the sensitive information types they look for.',
    run: (_: FunctionContext, settings: unknown) => enforcedRules(settings),
  },
];
