import type { Answer } from './imported.ts';

const SPACES = /[\s\u00a0\u2007\u202f\u200b\ufeff]+/g;
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;

/** One space where there were several, of any kind; line breaks become spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(SPACES, ' ').trim();
}

/** Line breaks kept, everything else as `oneLine`. */
export function paragraph(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .split('\n')
    .map(oneLine)
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

const CHOICES: readonly (readonly [Answer, RegExp])[] = [
  ['NA', /^(n\s*[/.\\-]?\s*a\.?|not[ -]applicable|does not apply)(?![a-z])/i],
  ['Yes', /^(yes|y|true|x|✓|✔|☑)(?![a-z])/i],
  ['No', /^(no|n|false|☐|✗|✘)(?![a-z])/i],
];
/** After the choice only what adds to it: "No, but planned", not "No later than May we will". */
const ADDITION = /^\s*($|[-,.;:(/*!])/;

/** The published choice that a cell says, or null. */
export function parseAnswer(text: string): Answer | null {
  const line = oneLine(text).replaceAll(DASHES, '-');
  for (const [answer, pattern] of CHOICES) {
    const match = pattern.exec(line);
    if (!match) continue;
    const rest = line.slice(match[0].length);
    if (ADDITION.test(rest) || (answer === 'Yes' && /^yes /i.test(line))) return answer;
  }
  return null;
}

export function isExactAnswer(text: string): boolean {
  return /^(yes|no|n\/?a)$/i.test(oneLine(text));
}

const OWNERSHIPS: readonly (readonly [string, RegExp])[] = [
  ['CSP-owned', /^csp owned$/],
  ['CSC-owned', /^csc owned$/],
  ['Third-party outsourced', /^(third|3rd) party( outsourced)?$/],
  ['Shared CSP and CSC', /^shared (csp|csc) (and |& |\+ )?(csc|csp)$/],
  ['Shared CSP and third-party', /^shared (csp|third party|3rd party) (and |& |\+ )?(third party|3rd party|csp)$/],
];

/** The published name of an ownership however it is spelled; the text as it is when it is none of them. */
export function parseOwnership(text: string): string {
  const line = oneLine(text);
  const plain = line.toLowerCase().replaceAll(DASHES, '-').replaceAll(/[-,/]/g, ' ').replaceAll(/ +/g, ' ').trim();
  return OWNERSHIPS.find(([, pattern]) => pattern.test(plain))?.[0] ?? line;
}

export function isOwnership(text: string): boolean {
  return OWNERSHIPS.some(([name]) => name === parseOwnership(text));
}

const QUESTION_ID = /^[A-Z&]+-\d+\.\d+$/;
const CONTROL_ID = /^[A-Z&]+-\d+$/;

/** Without the spaces that people put around the signs of an id. */
function tightened(text: string): string {
  return oneLine(text)
    .replaceAll(DASHES, '-')
    .replaceAll(/ ?([-.&＆]) ?/g, '$1')
    .toUpperCase();
}

/** A CAIQ question id, whatever dashes and spaces it came with; null when the text is none. */
export function parseQuestionId(text: string): string | null {
  const id = tightened(text).replaceAll('＆', '&').replace(/\.$/, '');
  return QUESTION_ID.test(id) ? id : null;
}

export function parseControlId(text: string): string | null {
  const id = tightened(text);
  return CONTROL_ID.test(id) ? id : null;
}
