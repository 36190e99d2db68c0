const TEXTS: Readonly<Record<string, string>> = {
  'invisible-characters': 'Characters that nobody sees, in',
  'overrides-instructions': 'Tells the model to disregard its instructions, in',
  'hides-from-user': 'Asks to keep something from the user, in',
  'prompt-markup': 'Markup of prompts, in',
  'asks-for-secrets': 'Asks for secrets or files, in',
  'directs-other-tools': 'Says when to call tools, in',
  'encoded-text': 'A long encoded text, in',
  'names-another-tool': 'Names a tool of another server, in',
  'too-many-texts': 'More texts than anybody reads, in',
};

/** What a rule found, as a reviewer reads it. */
export function describeFlag(rule: string): string {
  return TEXTS[rule] ?? `${rule}, in`;
}
