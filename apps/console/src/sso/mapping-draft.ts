import type { SignOnProvider } from '../api/wire.ts';

/** The mapping as a form holds it: lists as text, one rule a line. */
export interface MappingDraft {
  readonly emailFrom: string;
  readonly nameFrom: string;
  readonly groupsFrom: string;
  readonly rules: string;
  readonly mfaValues: string;
  readonly passkeyValues: string;
  readonly createPeople: boolean;
  readonly required: boolean;
  readonly trustEmail: boolean;
  readonly allowUnsolicited: boolean;
}

function listAt(settings: SignOnProvider['settings'], name: string): readonly string[] {
  const value = settings[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

interface Rule {
  readonly value: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

function rulesOf(settings: SignOnProvider['settings']): readonly Rule[] {
  const value = settings['groupRules'];
  return Array.isArray(value) ? (value as Rule[]) : []; // as the server's schema has it
}

export function draftOf({ settings }: Pick<SignOnProvider, 'settings'>): MappingDraft {
  const text = (name: string): string => listAt(settings, name).join(', ');
  return {
    emailFrom: text('emailFrom'),
    nameFrom: text('nameFrom'),
    groupsFrom: text('groupsFrom'),
    rules: rulesOf(settings)
      .map(({ value, roles }) => `${value} = ${roles.join(', ')}`)
      .join('\n'),
    mfaValues: text('mfaValues'),
    passkeyValues: text('passkeyValues'),
    createPeople: settings['createPeople'] === true,
    required: settings['required'] === true,
    trustEmail: settings['trustEmail'] === true,
    allowUnsolicited: settings['allowUnsolicited'] === true,
  };
}

function listOf(text: string): string[] {
  return text.split(',').flatMap((one) => one.trim() || []);
}

/** Settings with the draft's mapping; groups of Cordon that a rule gave already stay with it. */
export function settingsOf(
  { settings }: Pick<SignOnProvider, 'settings'>,
  draft: MappingDraft,
): Record<string, unknown> {
  const before = rulesOf(settings);
  const groupRules = draft.rules.split('\n').flatMap((line) => {
    const at = line.lastIndexOf('=');
    const value = line.slice(0, at).trim();
    if (at < 1 || value === '') return [];
    return [
      { value, roles: listOf(line.slice(at + 1)), groups: before.find((rule) => rule.value === value)?.groups ?? [] },
    ];
  });
  const own =
    settings.protocol === 'oidc' ? { trustEmail: draft.trustEmail } : { allowUnsolicited: draft.allowUnsolicited };
  return {
    ...settings,
    emailFrom: listOf(draft.emailFrom),
    nameFrom: listOf(draft.nameFrom),
    groupsFrom: listOf(draft.groupsFrom),
    groupRules,
    mfaValues: listOf(draft.mfaValues),
    passkeyValues: listOf(draft.passkeyValues),
    createPeople: draft.createPeople,
    required: draft.required,
    ...own,
  };
}
