import type { GlobPart, Matcher } from './ast.ts';

/** Splits Sigma text at its wildcards and takes the escapes away (specification "Escape Character"). */
export function parseWildcards(text: string): GlobPart[] {
  const parts: GlobPart[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    const next = text[i + 1];
    if (char === '\\' && (next === '*' || next === '?' || next === '\\')) {
      literal += next;
      i++;
    } else if (char === '*' || char === '?') {
      flush();
      parts.push({ wildcard: char === '*' ? 'many' : 'one' });
    } else {
      literal += char;
    }
  }
  flush();
  return parts;
}

/** Makes text literal again, for modifiers that produce text which isn't a pattern. */
export function escapeWildcards(text: string): string {
  return text.replaceAll(/[\\*?]/g, '\\$&');
}

const isMany = (part: GlobPart | undefined): boolean => typeof part === 'object' && part.wildcard === 'many';

/** The cheapest matcher for a pattern: `*abc*` is a `contains`, text without wildcards is `equals`. */
export function wildcardMatcher(parts: readonly GlobPart[], cased: boolean): Matcher {
  const folded = parts.map((part) => (typeof part === 'string' && !cased ? part.toLowerCase() : part));
  const [first, second, third] = folded;
  const text = (op: 'equals' | 'startswith' | 'endswith' | 'contains', value: string): Matcher => ({
    kind: 'text',
    op,
    text: value,
    cased,
  });
  if (first === undefined) return text('equals', '');
  if (folded.length === 1 && typeof first === 'string') return text('equals', first);
  if (folded.length === 1 && isMany(first)) return text('contains', '');
  if (folded.length === 2 && typeof first === 'string' && isMany(second)) return text('startswith', first);
  if (folded.length === 2 && isMany(first) && typeof second === 'string') return text('endswith', second);
  if (folded.length === 3 && isMany(first) && typeof second === 'string' && isMany(third))
    return text('contains', second);
  return { kind: 'glob', parts: folded, cased };
}

/** Linear-time wildcard match (greedy with one point of return), so that no rule can stall the stream. */
export function globTest(parts: readonly GlobPart[]): (text: string) => boolean {
  const tokens: string[] = [];
  const kinds: ('char' | 'one' | 'many')[] = [];
  const whole = parts.some((part) => typeof part === 'object' && part.wildcard === 'one');
  for (const part of parts) {
    if (typeof part === 'string') {
      for (const char of whole ? Array.from(part) : part.split('')) {
        tokens.push(char);
        kinds.push('char');
      }
    } else {
      tokens.push('');
      kinds.push(part.wildcard);
    }
  }
  // `?` stands for one character, so those outside the basic plane must count as one; `*` alone needs no such care.
  const split = whole
    ? (text: string): ArrayLike<string> => Array.from(text)
    : (text: string): ArrayLike<string> => text;
  return (text) => {
    const chars = split(text);
    let at = 0;
    let token = 0;
    let starToken = -1;
    let starAt = 0;
    while (at < chars.length) {
      const kind = kinds[token];
      if (kind === 'many') {
        starToken = token++;
        starAt = at;
      } else if (kind === 'one' || (kind === 'char' && tokens[token] === chars[at])) {
        token++;
        at++;
      } else if (starToken >= 0) {
        token = starToken + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (kinds[token] === 'many') token++;
    return token === kinds.length;
  };
}

/** The pattern as an anchored RE2 expression, for engines that have no wildcard of their own. */
export function globRegex(parts: readonly GlobPart[]): string {
  const body = parts.map((part) => {
    if (typeof part === 'string') return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    return part.wildcard === 'many' ? '.*' : '.';
  });
  return `(?s)^${body.join('')}$`;
}
