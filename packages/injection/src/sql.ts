import { type Match, match } from './finding.ts';
import { type SqlToken, tokenizeSql } from './sql-tokens.ts';
import { CATALOGS, CONSTANT_WORDS, STRONG_FUNCTIONS } from './sql-words.ts';

interface Reading {
  readonly text: string;
  readonly tokens: readonly SqlToken[];
  /** Read from inside a string that the text itself closes. */
  readonly broken: boolean;
}

type Verdict = readonly [rule: string, confidence: number, upTo: number];

/** Without one of these, text outside of strings is no SQL that does harm. */
const STATEMENT_SIGNS =
  /[=<>]|\b(?:select|union|insert|update|delete|drop|alter|create|truncate|exec|execute|declare|waitfor|shutdown|having|procedure|outfile|dumpfile|r?like|between|sleep|benchmark|pg_sleep|load_file|extractvalue|updatexml|or|and|xor)\b\s{0,4}[^a-z]|select\b|union\b|\border\s{1,4}by\b|\bwaitfor\b|\boutfile\b|@@|\blike\b/i;

/**
 * Whether what follows the quote that would close a string can follow a string in SQL at all. A letter can't, unless
 * it begins an operator's name: this is what tells an apostrophe from an attack.
 */
function goesOn(text: string, quote: string): boolean {
  const close = text.indexOf(quote);
  if (close === -1) return false;
  const rest = /^\s*([a-z]*)/i.exec(text.slice(close + 1, close + 200));
  const word = rest?.[1]?.toLowerCase() ?? '';
  return word === '' || FOLLOWERS.test(word);
}

const FOLLOWERS =
  /^(?:or|and|xor|not|union|intersect|except|like|rlike|regexp|ilike|similar|glob|between|in|is|sounds|div|mod|order|group|having|limit|offset|into|procedure|collate|where|from|as|asc|desc|for|returning|case|e?n?d?if|waitfor|select|exec|then|when)$/;

/**
 * Looks at a text as SQL from each context in which an application may have put it: bare, and inside single and
 * double quotes. What counts is whether the text, read there, goes on as an expression or statement would: an
 * apostrophe in prose is followed by letters, which no SQL grammar allows after a string.
 */
export function detectSql(text: string): Match | null {
  let best: Match | null = null;
  const contexts = ["'", '"', ''] as const;
  for (const quote of contexts) {
    if (quote === '' ? !STATEMENT_SIGNS.test(text) : !goesOn(text, quote)) continue;
    const tokens = tokenizeSql(text, quote);
    const found = judge({ text, tokens, broken: quote !== '' });
    if (found && (!best || found.confidence > best.confidence)) best = found;
  }
  return best;
}

function judge(reading: Reading): Match | null {
  const { tokens } = reading;
  let best: Match | null = null;
  for (let index = reading.broken ? 1 : 0; index < tokens.length; index++) {
    const verdict = judgeAt(reading, index);
    if (verdict && (!best || verdict[1] > best.confidence)) {
      const last = tokens[Math.min(verdict[2], tokens.length - 1)]!;
      best = match('sql', verdict[0], verdict[1], tokens[Math.max(0, index - 1)]!.start, last.end);
    }
    if (best && best.confidence >= 0.9) return best;
  }
  return best;
}

function judgeAt(reading: Reading, index: number): Verdict | null {
  const token = reading.tokens[index]!;
  switch (token.type) {
    case '&':
      return judgeLogic(reading, index);
    case 'U':
      return judgeUnion(reading, index);
    case ';':
      return judgeStacked(reading, index);
    case 'c':
      return isAtBreak(reading, index) && !isWordy(reading) ? ['comment-after-break', 0.85, index] : null;
    case 'k':
      return judgeKeyword(reading, index);
    case 'a':
    case 'o':
      return judgeOperator(reading, index);
    case 'E':
      return judgeStatement(reading, index);
    case 'f':
      return judgeFunction(reading, index);
    case 'v':
      return token.word.startsWith('@@') ? ['variable', 0.75, index] : null;
    default:
      return null;
  }
}

const at = (reading: Reading, index: number): SqlToken | undefined => reading.tokens[index];

/** Right behind the string that was closed, or behind brackets closed after it. */
function isAtBreak(reading: Reading, index: number): boolean {
  if (!reading.broken || at(reading, 0)?.word === 'open') return false;
  for (let before = index - 1; before > 0; before--) if (at(reading, before)!.type !== ')') return false;
  return true;
}

/** `Smith' -- as in blacksmith`: somebody writes on after the dashes. */
function isWordy({ text, tokens }: Reading): boolean {
  const comment = tokens.find(({ type }) => type === 'c');
  return (
    comment !== undefined &&
    text
      .slice(comment.start + 2, comment.end)
      .trim()
      .split(' ').length > 4
  );
}

const isConstant = (token: SqlToken | undefined): boolean =>
  token !== undefined &&
  (token.type === '1' || token.type === 's' || (token.type === 'k' && CONSTANT_WORDS.has(token.word)));

/** Past what may stand before an operand: brackets, signs, `not`. */
function skipPrefix(reading: Reading, index: number): number {
  let next = index;
  for (;;) {
    const token = at(reading, next);
    const skipped =
      token &&
      (token.type === '(' ||
        (token.type === 'a' && token.word.length === 1) ||
        token.word === 'not' ||
        token.word === '!');
    if (!skipped) return next;
    next++;
  }
}

function skipClosing(reading: Reading, index: number): number {
  let next = index;
  while (at(reading, next)?.type === ')') next++;
  return next;
}

/** Index past an arithmetic of constants such as `3*(2)`, or -1. */
function constantEnd(reading: Reading, start: number): number {
  let next = skipPrefix(reading, start);
  if (!isConstant(at(reading, next))) return -1;
  next = skipClosing(reading, next + 1);
  while (at(reading, next)?.type === 'a') {
    const operand = skipPrefix(reading, next);
    if (!isConstant(at(reading, operand))) return next;
    next = skipClosing(reading, operand + 1);
  }
  return next;
}

/** `1=1`, `'a' like 'a'`, `2*3>5`: index of the last token, or -1. */
function comparisonOfConstants(reading: Reading, start: number): number {
  let operator = constantEnd(reading, start);
  if (operator === -1) return -1;
  if (at(reading, operator)?.word === 'not') operator++;
  if (at(reading, operator)?.type !== 'o') return -1;
  const second = constantEnd(reading, operator + 1);
  return second === -1 ? -1 : second - 1;
}

function isEnd(reading: Reading, index: number): boolean {
  const token = at(reading, skipClosing(reading, index));
  return token === undefined || token.type === 'c' || token.type === ';';
}

function judgeLogic(reading: Reading, index: number): Verdict | null {
  const broken = isAtBreak(reading, index);
  const before = at(reading, index - 1);
  if (!before && !broken) return null;
  const compared = comparisonOfConstants(reading, index + 1);
  if (compared !== -1) return ['tautology', 0.95, compared];
  const first = skipPrefix(reading, index + 1);
  const token = at(reading, first);
  if (!token) return null;
  const next = at(reading, first + 1);
  if (token.type === 'E' && token.word === 'select' && at(reading, first - 1)?.type === '(')
    return ['subquery', 0.9, first + 1];
  if (token.type === 'f') return judgeLogicFunction(reading, first, broken);
  if (token.word === 'exists' || (token.word === 'case' && next?.word === 'when')) {
    return next?.type === '(' || next?.word === 'when' ? ['subquery', 0.9, first + 1] : null;
  }
  if (token.type === 'v') return ['variable', 0.9, first];
  const afterConstant = broken || before?.type === '1' || before?.type === 's';
  if (!afterConstant) return null;
  if (isConstant(token) && isEnd(reading, first + 1)) {
    const commented = at(reading, skipClosing(reading, first + 1))?.type === 'c';
    return broken || commented ? ['tautology', commented ? 0.9 : 0.8, first] : null;
  }
  if (token.type === 'n' && next && (next.type === 'o' || next.word === 'not')) {
    return broken
      ? ['condition', 0.9, first + 2]
      : before?.type === '1' && isConstantAfter(reading, first + 2)
        ? ['condition', 0.75, first + 2]
        : null;
  }
  return null;
}

function isConstantAfter(reading: Reading, index: number): boolean {
  return constantEnd(reading, index) !== -1;
}

function judgeLogicFunction(reading: Reading, index: number, broken: boolean): Verdict | null {
  const { word } = at(reading, index)!;
  if (STRONG_FUNCTIONS.has(word)) return ['function', 0.95, index + 2];
  return broken || at(reading, 0)?.type === '1' ? ['function', 0.9, index + 2] : ['function', 0.75, index + 2];
}

/** Whether what follows `select` is a list of columns and not the rest of a sentence. Index past its first item, or -1. */
function selectList(reading: Reading, index: number): number {
  let next = index;
  while (
    at(reading, next)?.word === 'all' ||
    at(reading, next)?.word === 'distinct' ||
    at(reading, next)?.word === 'top'
  )
    next++;
  const token = at(reading, next);
  if (!token) return -1;
  if (isConstant(token) || token.type === 'v' || token.type === '(') return next + 1;
  if (token.type === 'f' || (token.type === 'a' && (token.word === '*' || token.word === '-' || token.word === '+')))
    return next + 1;
  if (token.type !== 'n' && token.type !== 'k') return -1;
  let after = next + 1;
  while (at(reading, after)?.type === '.' || (at(reading, after)?.type === 'n' && at(reading, after - 1)?.type === '.'))
    after++;
  const following = at(reading, after);
  if (following?.type === ',' || following?.type === '(' || following?.type === 'a') return after;
  return following?.word === 'from' && isTable(reading, after + 1) ? after : -1;
}

/** A table's name and then what may follow one: not another word, as in `from the list`. */
function isTable(reading: Reading, index: number): boolean {
  const token = at(reading, index);
  if (token?.type === '(') return true;
  if (token?.type !== 'n' && token?.word !== 'user') return false;
  let next = index + 1;
  while (at(reading, next)?.type === '.' || (at(reading, next)?.type === 'n' && at(reading, next - 1)?.type === '.'))
    next++;
  const after = at(reading, next);
  return after === undefined || (after.type !== 'n' && after.type !== 'x') || CATALOGS.has(token.word);
}

function judgeUnion(reading: Reading, index: number): Verdict | null {
  let next = index + 1;
  while (at(reading, next)?.word === 'all' || at(reading, next)?.word === 'distinct' || at(reading, next)?.type === '(')
    next++;
  const token = at(reading, next);
  if (token?.word === 'values' && at(reading, next + 1)?.type === '(') return ['union-select', 0.9, next + 1];
  if (token?.word !== 'select') return null;
  const list = selectList(reading, next + 1);
  if (list !== -1) return ['union-select', 0.95, list];
  return isAtBreak(reading, index) ? ['union-select', 0.9, next] : null;
}

function judgeStacked(reading: Reading, index: number): Verdict | null {
  const next = at(reading, index + 1);
  if (next?.type === 'c' && isAtBreak(reading, index)) return ['comment-after-break', 0.85, index + 1];
  if (next?.type === 'f' && STRONG_FUNCTIONS.has(next.word)) return ['stacked-statement', 0.9, index + 2];
  if (next?.type !== 'E' && next?.word !== 'begin' && next?.word !== 'if') return null;
  if (isStatement(reading, index + 1)) return ['stacked-statement', 0.95, index + 2];
  return isAtBreak(reading, index) && next.type === 'E' ? ['stacked-statement', 0.9, index + 2] : null;
}

const OBJECTS = new Set([
  'table',
  'database',
  'schema',
  'view',
  'index',
  'user',
  'function',
  'procedure',
  'trigger',
  'column',
  'role',
  'login',
]);

/** Whether a statement goes on as its grammar says. */
function isStatement(reading: Reading, index: number): boolean {
  const { word } = at(reading, index)!;
  const one = at(reading, index + 1);
  const two = at(reading, index + 2);
  const three = at(reading, index + 3);
  if (word === 'select') return selectList(reading, index + 1) !== -1;
  if (word === 'drop' || word === 'alter' || word === 'create' || word === 'truncate') {
    return (
      one !== undefined &&
      OBJECTS.has(one.word) &&
      two !== undefined &&
      (three?.type !== 'n' || word === 'alter' || two.word === 'if')
    );
  }
  if (word === 'insert' || word === 'replace')
    return one?.word === 'into' && (three?.type === '(' || three?.word === 'values' || three?.word === 'select');
  if (word === 'update') return two?.word === 'set' && at(reading, index + 4)?.type === 'o';
  if (word === 'delete')
    return one?.word === 'from' && (three?.word === 'where' || three?.type === 'c' || three?.type === ';');
  if (word === 'waitfor') return one?.word === 'delay' || one?.word === 'time';
  if (word === 'declare') return one?.type === 'v';
  if (word === 'shutdown') return one === undefined || one.type === 'c' || one.type === ';';
  if (word === 'exec' || word === 'execute' || word === 'call')
    return one?.type === 'v' || one?.type === '(' || /^(?:xp|sp)_|^master|^immediate/.test(one?.word ?? '');
  if (word === 'copy') return three?.word === 'from' || two?.word === 'from' || two?.word === 'to';
  return word === 'attach' && one?.word === 'database';
}

function judgeKeyword(reading: Reading, index: number): Verdict | null {
  const { word } = at(reading, index)!;
  const next = at(reading, index + 1);
  const placed = isAtBreak(reading, index) || (index > 0 && at(reading, skipBack(reading, index))?.type === '1');
  if ((word === 'order' || word === 'group') && next?.word === 'by' && placed) {
    const last = constantEnd(reading, index + 2);
    if (last !== -1 && (isEnd(reading, last) || at(reading, last)?.type === ',')) return ['order-by', 0.85, last];
    const item = at(reading, index + 2);
    return isAtBreak(reading, index) && item !== undefined ? ['order-by', 0.8, index + 2] : null;
  }
  if (word === 'having' && placed && (comparisonOfConstants(reading, index + 1) !== -1 || isAtBreak(reading, index)))
    return ['tautology', 0.9, index + 3];
  if (word === 'where' && comparisonOfConstants(reading, index + 1) !== -1 && index > 0)
    return ['tautology', 0.8, index + 3];
  if (word === 'into' && (next?.word === 'outfile' || next?.word === 'dumpfile'))
    return ['into-outfile', 0.95, index + 2];
  if (word === 'procedure' && next?.word === 'analyse') return ['function', 0.95, index + 2];
  if (word === 'limit' && placed && isAtBreak(reading, index) && next?.type === '1')
    return ['order-by', 0.8, index + 1];
  if (
    word === 'from' &&
    CATALOGS.has(next?.word ?? '') &&
    next?.word !== 'sys' &&
    next?.word !== 'mysql' &&
    next?.word !== 'dual'
  )
    return ['catalog', 0.85, index + 1];
  if (word === 'case' && next?.word === 'when' && comparisonOfConstants(reading, index + 2) !== -1)
    return ['condition', 0.9, index + 4];
  return null;
}

function skipBack(reading: Reading, index: number): number {
  let before = index - 1;
  while (before > 0 && at(reading, before)!.type === ')') before--;
  return before;
}

/** `'||(select…)`, `'+'`, `'='`, `' like '%`: what was broken out of goes on as an expression. */
function judgeOperator(reading: Reading, index: number): Verdict | null {
  const token = at(reading, index)!;
  const following = skipPrefix(reading, index + 1);
  const operand = at(reading, following);
  if (!operand) return null;
  if (operand.word === 'select' && at(reading, following - 1)?.type === '(' && index > 0) {
    return selectList(reading, following + 1) === -1 ? null : ['subquery', 0.9, following + 1];
  }
  if (operand.type === 'f' && STRONG_FUNCTIONS.has(operand.word) && index > 0) return ['function', 0.9, following + 1];
  if (token.word === '||' && index > 0 && comparisonOfConstants(reading, index + 1) !== -1)
    return ['tautology', 0.9, following + 2];
  if (!isAtBreak(reading, index)) return null;
  if (operand.type === 'f') return ['function', 0.85, following + 1];
  const glued = token.start === at(reading, index - 1)!.end && operand.start === at(reading, following - 1)!.end;
  if (operand.type === 's' && glued) return ['expression', 0.85, following];
  if (operand.type === '1' && glued && (isEnd(reading, following + 1) || at(reading, following + 1)?.type === 'a'))
    return ['expression', 0.8, following];
  if (token.word.length > 2 && (operand.type === 's' || operand.type === '(' || operand.word === 'null'))
    return ['condition', 0.8, following];
  return null;
}

function judgeStatement(reading: Reading, index: number): Verdict | null {
  const before = at(reading, index - 1);
  const { word } = at(reading, index)!;
  if (word === 'waitfor' && at(reading, index + 1)?.word === 'delay') return ['function', 0.9, index + 2];
  if (before?.type === '(' && word === 'select' && selectList(reading, index + 1) !== -1)
    return ['subquery', 0.85, index + 2];
  if (before === undefined && !reading.broken && isStatement(reading, index)) return ['statement', 0.7, index + 3];
  if (isAtBreak(reading, index) && isStatement(reading, index)) return ['stacked-statement', 0.85, index + 2];
  return null;
}

function judgeFunction(reading: Reading, index: number): Verdict | null {
  const { word } = at(reading, index)!;
  const before = at(reading, index - 1);
  if (before?.type === 'n' || before?.type === 'x') return null;
  if (comparisonOfConstants(reading, index + 2) !== -1 && /^(?:if|iif|elt|make_set|nullif|decode)$/.test(word))
    return ['condition', 0.9, index + 4];
  if (!STRONG_FUNCTIONS.has(word)) return null;
  // `time.sleep(5)` is a method of something, `Sleep (8 hours)` a remark.
  const dotted = before?.type === '.';
  const bracket = at(reading, index + 1);
  const glued = bracket?.type === '(' && bracket.start === at(reading, index)!.end;
  const constant = isConstant(at(reading, skipPrefix(reading, index + 1)));
  if (dotted) return /^dbms|^utl|^receive|^get_host/.test(word) ? ['function', 0.9, index + 2] : null;
  return constant && glued ? ['function', 0.8, index + 2] : null;
}
