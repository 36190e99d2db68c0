import { UUID_PATTERN } from './lake-schema.ts';
import type { ParamBag } from './query-params.ts';
import type { QueryValue } from './query-parser.ts';
import { refuseQuery } from './query-tokens.ts';

/** Fewer fixed characters than this would match nearly everything and read every event. */
const WILDCARD_CHARS_MIN = 3;
const WILDCARDS_MAX = 8;

export function hasWildcard(value: QueryValue): boolean {
  return !value.quoted && /[*?]/.test(value.text);
}

/** `*` and `?` become LIKE's `%` and `_`; LIKE's own signs are taken as they stand. */
export function likePattern(text: string): string {
  return text
    .replaceAll(/[\\%_]/g, String.raw`\$&`)
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}

/** The words of a text as the index holds them: split at ASCII characters that are no letter or digit. */
export function tokensOf(text: string): string[] {
  return [
    ...new Set(
      text
        .toLowerCase()
        .split(/[\0-/:-@[-`{-\x7f]+/)
        .filter(Boolean),
    ),
  ];
}

const UUIDS = new RegExp(UUID_PATTERN, 'g');

/**
 * A condition that the word index answers and that holds wherever a string value equals `text`; `undefined` where the
 * index can't tell: it has no numbers and no UUIDs, and control characters stand in JSON as escapes.
 */
export function tokenFilter(text: string, params: ParamBag): string | undefined {
  const tokens = tokensOf(text);
  const hasLetter = /[a-z\u0080-\uffff]/i.test(text);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!hasLetter || tokens.length === 0 || /[\0-\x1f]/.test(text) || text.toLowerCase().search(UUIDS) >= 0)
    return undefined;
  return `hasAllTokens(words, ${params.add('Array(String)', tokens)})`;
}

/** A word or phrase anywhere in the event's values. */
export function compileFreeText(value: QueryValue, params: ParamBag): string {
  if (hasWildcard(value)) return compileWildcardText(value, params);
  const text = value.text.toLowerCase();
  if (text.trim() === '') throw refuseQuery('This text is empty. Write a word, or leave it out.', value);
  const uuids = text.match(UUIDS) ?? [];
  const rest = text.replaceAll(UUIDS, ' ');
  const tokens = tokensOf(rest);
  const parts = uuids.map((uuid) => `has(uuids, ${params.add('String', uuid)})`);
  if (tokens.length > 0) parts.push(`hasAllTokens(words, ${params.add('Array(String)', tokens)})`);
  const isOneToken = parts.length === 1 && (uuids[0] === text || tokens[0] === text);
  if (!isOneToken) {
    // The raw event is JSON: look for the text as JSON writes it.
    const written = JSON.stringify(value.text).slice(1, -1);
    parts.push(`positionCaseInsensitiveUTF8(raw, ${params.add('String', written)}) > 0`);
  }
  return `(${parts.join(' AND ')})`;
}

function compileWildcardText(value: QueryValue, params: ParamBag): string {
  const bare = value.text.replaceAll(/^[*?]+|[*?]+$/g, '');
  const longest = Math.max(...bare.split(/[*?]+/).map((part) => part.length));
  if (longest < WILDCARD_CHARS_MIN) {
    throw refuseQuery(
      `A word with * or ? needs ${WILDCARD_CHARS_MIN} letters in a row, or a field: path:${value.text}`,
      value,
    );
  }
  if ((value.text.match(/[*?]/g) ?? []).length > WILDCARDS_MAX) {
    throw refuseQuery(`A word may have ${WILDCARDS_MAX} wildcards.`, value);
  }
  const pattern = params.add('String', `%${likePattern(bare.toLowerCase())}%`);
  // Letters and digits only: the index finds it among its words without reading an event.
  if (/^[a-z0-9\u0080-\uffff]+$/i.test(bare)) return `(words LIKE ${pattern})`;
  return `(lowerUTF8(raw) LIKE ${pattern})`;
}
