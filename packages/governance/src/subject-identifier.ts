import { z } from 'zod';
import { guessKind, maskIdentifier, normaliseIdentifier, PRINT_KINDS, type PrintKind } from './fingerprint.ts';

export const IDENTIFIERS_MAX = 10;
const DEPTH_MAX = 32;
const FIELDS_MAX = 50;
const SEPARATOR = /[\s().\-/\u00a0]/;

/** What stands where a person's data stood. */
export const REMOVED_TEXT = "[removed at the person's request]";

export const subjectIdentifier = z.strictObject({
  value: z.string().trim().min(6).max(320),
  /** Guessed from its form when left out; a name or another text is looked for as it is. */
  kind: z.enum([...PRINT_KINDS, 'text']).optional(),
});
export type SubjectIdentifier = z.input<typeof subjectIdentifier>;
export type IdentifierKind = PrintKind | 'text';

/** Whether a text names the person. */
export interface Matcher {
  readonly kind: IdentifierKind;
  readonly masked: string;
  isIn(text: string): boolean;
}

const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_]/u.test(char);
const isDigit = (char: string | undefined): boolean => char !== undefined && /\d/.test(char);
const isMailChar = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}._%+-]/u.test(char);

/** Positions at which a text begins in another; overlapping ones too. */
function* places(text: string, wanted: string): Generator<number> {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) yield at;
}

function isMailIn(text: string, wanted: string): boolean {
  const lower = text.toLowerCase();
  for (const at of places(lower, wanted)) {
    const end = at + wanted.length;
    const goesOn = isWord(lower[end]) || lower[end] === '-' || (lower[end] === '.' && isWord(lower[end + 1]));
    if (!isMailChar(lower[at - 1]) && !goesOn) return true;
  }
  return false;
}

function isTextIn(text: string, wanted: string): boolean {
  for (const at of places(text, wanted)) {
    if (!isWord(text[at - 1]) && !isWord(text[at + wanted.length])) return true;
  }
  return false;
}

/** A number or code however it is grouped: `+49 (30) 1234-567` is 49301234567. */
function isCodeIn(text: string, wanted: string, touches: (char: string | undefined) => boolean): boolean {
  const chars: string[] = [];
  const origin: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (SEPARATOR.test(char)) continue;
    chars.push(char);
    origin.push(at);
  }
  const compact = chars.join('').toUpperCase();
  if (compact.length !== chars.length) return false; // a letter whose capital is longer: no code has one
  for (const at of places(compact, wanted)) {
    const first = origin[at] ?? 0;
    const last = origin[at + wanted.length - 1] ?? 0;
    if (!touches(text[first - 1]) && !touches(text[last + 1])) return true;
  }
  return false;
}

/** How to recognise an identifier in a text, or null when it is too short to tell people apart. */
export function createMatcher({ value, kind = kindOf(value) }: SubjectIdentifier): Matcher | null {
  const masked = maskIdentifier(value);
  if (kind === 'text') {
    const wanted = value.normalize('NFKC').trim().toLowerCase();
    return { kind, masked, isIn: (text) => isTextIn(text.normalize('NFKC').toLowerCase(), wanted) };
  }
  const wanted = normaliseIdentifier(kind, value);
  if (wanted === null) return null;
  if (kind === 'email') return { kind, masked, isIn: (text) => isMailIn(text, wanted) };
  if (kind === 'customer-id') return { kind, masked, isIn: (text) => isTextIn(text, wanted) };
  const touches = kind === 'phone' || kind === 'card' ? isDigit : isWord;
  return { kind, masked, isIn: (text) => isCodeIn(text, wanted, touches) };
}

/** A text with a space between letters is a name, and no id that a system gave. */
export function kindOf(value: string): IdentifierKind {
  const guessed = guessKind(value);
  return guessed === 'customer-id' && /\p{L}\s+\p{L}/u.test(value.trim()) ? 'text' : guessed;
}

export interface SubjectMatch {
  /** Paths of the fields that name the person. */
  readonly fields: readonly string[];
  readonly kinds: readonly IdentifierKind[];
}

/** Where in a record the person is named; null when nowhere. */
export function matchRecord(value: unknown, matchers: readonly Matcher[]): SubjectMatch | null {
  const fields = new Set<string>();
  const kinds = new Set<IdentifierKind>();
  visit(value, '', 0, (text, path) => {
    for (const matcher of matchers) {
      if (!matcher.isIn(text)) continue;
      kinds.add(matcher.kind);
      if (fields.size < FIELDS_MAX) fields.add(path);
    }
    return text;
  });
  return kinds.size === 0 ? null : { fields: [...fields], kinds: [...kinds] };
}

/** The record without its texts that name the person: such a text goes as a whole, since its rest may tell who it was. */
export function withoutPerson(value: unknown, matchers: readonly Matcher[]): unknown {
  return visit(value, '', 0, (text) => (matchers.some((matcher) => matcher.isIn(text)) ? REMOVED_TEXT : text));
}

function visit(value: unknown, path: string, depth: number, leaf: (text: string, path: string) => string): unknown {
  if (typeof value === 'string') return leaf(value, path);
  if (typeof value === 'number') {
    const text = String(value);
    const changed = leaf(text, path);
    return changed === text ? value : changed;
  }
  if (depth > DEPTH_MAX || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => visit(item, `${path}[]`, depth + 1, leaf));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      visit(item, path === '' ? key : `${path}.${key}`, depth + 1, leaf),
    ]),
  );
}
