import type { SignInPolicySet, SignInTemplate } from '../api/wire.ts';

/** The set with a template added to be watched first, under a name that is free, and the networks that it speaks of. */
export function withTemplate(set: SignInPolicySet, template: SignInTemplate): SignInPolicySet {
  const names = new Set(set.policies.map(({ name }) => name));
  let name = template.title;
  for (let count = 2; names.has(name); count += 1) name = `${template.title} (${count})`;
  const known = new Set(set.networks.map((one) => one.name));
  return {
    ...set,
    policies: [...set.policies, { name, text: template.text, mode: 'watch' }],
    networks: [...set.networks, ...template.networks.filter((one) => !known.has(one.name))],
  };
}

/** Networks as people type them: one a line or apart by blanks and commas. */
export function readCidrs(text: string): string[] {
  return text.split(/[\s,]+/).filter((one) => one !== '');
}
