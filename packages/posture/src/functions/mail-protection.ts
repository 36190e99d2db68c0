import type { FunctionContext, NamedFunction } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';
import { asList, asRecord, lowerStrings } from './collections.ts';

type Entry = Record<string, unknown>;
type Preset = 'Strict' | 'Standard';

/** A field that was read and holds nothing; one that was not read is not known to be empty. */
const isEmpty = (entry: Entry, field: string) => Object.hasOwn(entry, field) && asList(entry[field]).length === 0;
const isEnabled = (rule: Entry) => rule['State'] === 'Enabled';
const entriesAt = (settings: unknown, key: string): Entry[] => asList(valueAt(settings, key)).map(asRecord);
const named = (entry: Entry | undefined, preset: Preset) =>
  String(entry?.['Identity']).toLowerCase().includes(`${preset.toLowerCase()} preset security policy`);

/** Recipient conditions narrow a preset; exceptions are left to the tenant by the baseline. */
const hasNoConditions = (rule: Entry) =>
  ['SentTo', 'SentToMemberOf', 'RecipientDomainIs'].every((field) => isEmpty(rule, field));

function presetCoversAll(rules: Entry[], preset: Preset): boolean {
  return rules.some((rule) => named(rule, preset) && isEnabled(rule) && hasNoConditions(rule));
}

/** A custom rule reaches everyone when it has no exception and its only condition, if any, is all the tenant's domains. */
function customRuleCoversAll(settings: unknown, rule: Entry): boolean {
  const isNarrowed = [
    'SentTo',
    'SentToMemberOf',
    'ExceptIfSentTo',
    'ExceptIfSentToMemberOf',
    'ExceptIfRecipientDomainIs',
  ];
  if (isNarrowed.some((field) => !isEmpty(rule, field))) return false;
  if (isEmpty(rule, 'RecipientDomainIs')) return true;
  const domains = lowerStrings(rule['RecipientDomainIs']);
  return tenantDomains(settings).every((domain) => domains.includes(domain));
}

function tenantDomains(settings: unknown): string[] {
  return lowerStrings(entriesAt(settings, 'accepted_domains').map((domain) => domain['DomainName']));
}

interface Family {
  presetRules: string;
  policies: string;
  rules: string;
  ruleNames: string;
}

/**
 * The policy that applies to all users, in the order Microsoft resolves them: strict preset, standard preset, the
 * enabled custom rule of lowest priority number, and then whatever the product falls back to.
 */
function policyForAll(settings: unknown, family: Family, fallback: string | undefined): Entry | null {
  const policies = entriesAt(settings, family.policies);
  const presetRules = entriesAt(settings, family.presetRules);
  for (const preset of ['Strict', 'Standard'] as const) {
    const policy = policies.find((entry) => named(entry, preset));
    if (policy !== undefined && presetCoversAll(presetRules, preset)) return policy;
  }
  const enabled = entriesAt(settings, family.rules).filter(isEnabled);
  const first = Math.min(...enabled.map((rule) => Number(rule['Priority'])));
  const rule = enabled.find((entry) => Number(entry['Priority']) === first && customRuleCoversAll(settings, entry));
  const name = rule === undefined ? fallback : rule[family.ruleNames];
  return policies.find((policy) => policy['Identity'] === name) ?? null;
}

function safeAttachmentFallback(settings: unknown): string | undefined {
  const fields = ['ExceptIfSentTo', 'ExceptIfSentToMemberOf', 'ExceptIfRecipientDomainIs'];
  const isWhole = entriesAt(settings, 'built_in_protection_rules').some((rule) =>
    fields.every((field) => isEmpty(rule, field)),
  );
  return isWhole ? 'Built-In Protection Policy' : undefined;
}

/** Safe Links in force: the enabled rule without conditions that comes first, else the built-in protection. */
function safeLinksPolicy(settings: unknown): Entry | null {
  const [first] = entriesAt(settings, 'safe_links_rules')
    .filter((rule) => isEnabled(rule) && hasNoConditions(rule))
    .toSorted((left, right) => Number(left['Priority']) - Number(right['Priority']));
  const name = first === undefined ? 'Built-In Protection Policy' : first['SafeLinksPolicy'];
  return entriesAt(settings, 'safe_links_policies').find((policy) => policy['Identity'] === name) ?? null;
}

function antiPhishCoversAll(settings: unknown, policy: Entry): boolean {
  if (policy['IsDefault'] === true) return true;
  const presetRules = entriesAt(settings, 'protection_policy_rules');
  for (const preset of ['Strict', 'Standard'] as const) {
    if (named(policy, preset)) return presetCoversAll(presetRules, preset);
  }
  if (tenantDomains(settings).length === 0) return false;
  return entriesAt(settings, 'anti_phish_rules').some(
    (rule) =>
      isEnabled(rule) &&
      (rule['AntiPhishPolicy'] === policy['Name'] || rule['AntiPhishPolicy'] === policy['Identity']) &&
      customRuleCoversAll(settings, rule),
  );
}

const SPAM_ACTIONS = ['SpamAction', 'HighConfidenceSpamAction', 'PhishSpamAction', 'HighConfidencePhishAction'];
const KEEPS_OUT_OF_INBOX = new Set(['MoveToJmf', 'Quarantine', 'Redirect', 'Delete']);

const faults: Record<string, (policy: Entry) => boolean> = {
  actions: (policy) => SPAM_ACTIONS.some((action) => !KEEPS_OUT_OF_INBOX.has(String(policy[action]))),
  allowed_domains: (policy) => !isEmpty(policy, 'AllowedSenderDomains'),
};

/**
 * Anti-spam policies in force that have a fault. A tier is looked at only when no tier before it is in force and free
 * of the fault: strict preset, standard preset, custom policies for all recipients, default.
 */
function spamPoliciesAtFault(settings: unknown, aspect: string): string[] {
  const isAtFault = faults[aspect] ?? (() => true);
  const policies = entriesAt(settings, 'hosted_content_filter_policies');
  const active = (rules: string, covers: (rule: Entry) => boolean) =>
    new Set(
      entriesAt(settings, rules)
        .filter((rule) => isEnabled(rule) && covers(rule))
        .map((rule) => rule['HostedContentFilterPolicy']),
    );
  const presets = active('protection_policy_rules', hasNoConditions);
  const custom = active('hosted_content_filter_rules', (rule) => customRuleCoversAll(settings, rule));
  const isDefault = (policy: Entry) => policy['IsDefault'] === true;
  const tiers = [
    policies.filter((policy) => policy['RecommendedPolicyType'] === 'Strict' && presets.has(policy['Identity'])),
    policies.filter((policy) => policy['RecommendedPolicyType'] === 'Standard' && presets.has(policy['Identity'])),
    policies.filter(
      (policy) => policy['RecommendedPolicyType'] === 'Custom' && !isDefault(policy) && custom.has(policy['Identity']),
    ),
    policies.filter(isDefault),
  ];
  const found: string[] = [];
  for (const [index, tier] of tiers.entries()) {
    const higher = tiers.slice(0, index).flat();
    // The strict preset is always looked at: what it does wrong reaches everyone.
    if (index > 0 && higher.some((policy) => !isAtFault(policy))) continue;
    found.push(...tier.filter(isAtFault).map((policy) => String(policy['Identity'])));
  }
  return found;
}

/** `Name;address` entries, as Exchange Online writes protected users, as addresses. */
function mailAddresses(list: unknown): string[] {
  return lowerStrings(list)
    .map((entry) => (entry.includes(';') ? (entry.split(';')[1] ?? '').trim() : entry))
    .filter((address) => address !== '');
}

/** Exchange Online Protection and Defender for Office 365: which policy reaches all recipients. */
export const mailProtectionFunctions: readonly NamedFunction[] = [
  {
    signature: 'presetCoversAll(dyn, string): bool',
    description: 'Whether the enabled preset (`Strict` or `Standard`) among these rules has no recipient conditions.',
    run: (_: FunctionContext, rules: unknown, preset: Preset) => presetCoversAll(asList(rules).map(asRecord), preset),
  },
  {
    signature: 'antiMalwarePolicyForAll(dyn): dyn',
    description: 'The anti-malware policy that applies to all users, or null.',
    run: (_: FunctionContext, settings: unknown) =>
      policyForAll(
        settings,
        {
          presetRules: 'protection_policy_rules',
          policies: 'anti_malware_policies',
          rules: 'anti_malware_rules',
          ruleNames: 'MalwareFilterPolicy',
        },
        'Default',
      ),
  },
  {
    signature: 'safeAttachmentPolicyForAll(dyn): dyn',
    description: 'The safe attachments policy that applies to all users, or null.',
    run: (_: FunctionContext, settings: unknown) =>
      policyForAll(
        settings,
        {
          presetRules: 'atp_policy_rules',
          policies: 'safe_attachment_policies',
          rules: 'safe_attachment_rules',
          ruleNames: 'SafeAttachmentPolicy',
        },
        safeAttachmentFallback(settings),
      ),
  },
  {
    signature: 'safeLinksPolicyForAll(dyn): dyn',
    description: 'The Safe Links policy that applies to all users, or null.',
    run: (_: FunctionContext, settings: unknown) => safeLinksPolicy(settings),
  },
  {
    signature: 'antiPhishCoversAll(dyn, dyn): bool',
    description:
      'Whether an anti-phishing policy reaches all recipients: default, preset without conditions, or custom for all domains.',
    run: (_: FunctionContext, policy: unknown, settings: unknown) => antiPhishCoversAll(settings, asRecord(policy)),
  },
  {
    signature: 'spamPoliciesAtFault(dyn, string): list',
    description: 'Anti-spam policies in force with a fault: `actions` (spam can reach the inbox) or `allowed_domains`.',
    run: (_: FunctionContext, settings: unknown, aspect: string) => spamPoliciesAtFault(settings, aspect),
  },
  {
    signature: 'mailAddresses(dyn): list',
    description: 'The addresses of `Name;address` entries, in lower case.',
    run: (_: FunctionContext, list: unknown) => mailAddresses(list),
  },
];
