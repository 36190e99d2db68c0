import { RE2JS } from 're2js';
import { ConditionInvalid } from '../errors.ts';

/**
 * The comparison expressions of STIX 2.1 patterning (section 9.7) over CACAO variables, which is how conditions of the
 * standard are written: `[__count__:value > 3 AND __state__:value IN ('open', 'new')]`. An observation holds variables
 * only: there is one at a time, so FOLLOWEDBY, WITHIN, REPEATS and START/STOP have nothing to speak of.
 */
export type StixNode =
  | { readonly kind: 'and'; readonly left: StixNode; readonly right: StixNode }
  | { readonly kind: 'or'; readonly left: StixNode; readonly right: StixNode }
  | {
      readonly kind: 'compare';
      readonly name: string;
      readonly operator: string;
      readonly not: boolean;
      readonly values: readonly string[];
    };

const TOKEN =
  /\s*(?:(?<variable>__[a-zA-Z][a-zA-Z0-9_-]*?__:value)|(?<text>'(?:\\.|[^'\\])*')|(?<number>-?\d+(?:\.\d+)?)|(?<operator>!=|<>|<=|>=|==|[=<>])|(?<mark>[[\](),])|(?<word>[A-Za-z][\w:.-]*))/y;
const TEMPORAL = new Set(['FOLLOWEDBY', 'WITHIN', 'REPEATS', 'START', 'STOP']);
const TOKENS_MAX = 500;

interface Token {
  readonly kind: 'variable' | 'text' | 'number' | 'operator' | 'mark' | 'word';
  readonly value: string;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) throw new ConditionInvalid(`The condition can't be read at "${text.slice(at, at + 20)}".`);
    const entry = Object.entries(groups).find(([, value]) => value !== undefined);
    if (entry) found.push({ kind: entry[0] as Token['kind'], value: entry[1] ?? '' }); // the groups are named for the kinds
    if (found.length > TOKENS_MAX) throw new ConditionInvalid('The condition is too long.');
  }
  return found;
}

export function parseStix(text: string): StixNode {
  const list = tokens(text);
  let at = 0;
  const peek = (): Token | undefined => list[at];
  const isWord = (word: string): boolean => peek()?.kind === 'word' && peek()?.value.toUpperCase() === word;
  const expect = (value: string): void => {
    if (peek()?.value !== value) throw new ConditionInvalid(`Expected "${value}" in the condition.`);
    at += 1;
  };
  const either = (): StixNode => {
    let left = both();
    while (isWord('OR')) {
      at += 1;
      left = { kind: 'or', left, right: both() };
    }
    return left;
  };
  const both = (): StixNode => {
    let left = one();
    while (isWord('AND')) {
      at += 1;
      left = { kind: 'and', left, right: one() };
    }
    return left;
  };
  const one = (): StixNode => {
    const opening = peek()?.value;
    if (opening === '(' || opening === '[') {
      at += 1;
      const inner = either();
      expect(opening === '(' ? ')' : ']');
      return inner;
    }
    return comparison();
  };
  const literal = (): string => {
    const token = peek();
    at += 1;
    if (token?.kind === 'text') return token.value.slice(1, -1).replaceAll(/\\(.)/g, '$1');
    if (token?.kind === 'number' || (token?.kind === 'word' && /^(true|false)$/i.test(token.value))) return token.value;
    throw new ConditionInvalid('A comparison needs a text in single quotes, a number, true or false.');
  };
  const comparison = (): StixNode => {
    const token = peek();
    if (token?.kind !== 'variable') {
      throw new ConditionInvalid(
        `Only variables (__name__:value) can be compared: Cordon observes no "${token?.value ?? 'end of the condition'}".`,
      );
    }
    at += 1;
    const name = token.value.slice(0, -':value'.length);
    const not = isWord('NOT');
    if (not) at += 1;
    const operator = (peek()?.value ?? '').toUpperCase();
    // SOARCA writes a bare variable of type bool.
    if (peek() === undefined || ['AND', 'OR', ')', ']'].includes(operator)) {
      return { kind: 'compare', name, operator: '=', not, values: ['true'] };
    }
    at += 1;
    if (operator === 'IN') {
      const values: string[] = [];
      expect('(');
      do values.push(literal());
      while (peek()?.value === ',' && ++at > 0);
      expect(')');
      return { kind: 'compare', name, operator, not, values };
    }
    if (!['=', '==', '!=', '<>', '<', '>', '<=', '>=', 'LIKE', 'MATCHES'].includes(operator)) {
      throw new ConditionInvalid(`The operator "${operator}" is not supported in conditions.`);
    }
    return { kind: 'compare', name, operator, not, values: [literal()] };
  };
  const temporal = list.find(({ kind, value }) => kind === 'word' && TEMPORAL.has(value.toUpperCase()));
  if (temporal) {
    throw new ConditionInvalid(
      `${temporal.value.toUpperCase()} speaks of several observations in time; a condition sees the variables as they are now.`,
    );
  }
  const tree = either();
  if (at < list.length) throw new ConditionInvalid(`The condition goes on after its end: "${list[at]?.value ?? ''}".`);
  return tree;
}

function matchesLike(value: string, pattern: string): boolean {
  const expression = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return RE2JS.compile(`(?s)^${expression}$`).matcher(value).find();
}

function compare(value: string, operator: string, wanted: string): boolean {
  const [left, right] = [Number(value), Number(wanted)];
  const areNumbers = value.trim() !== '' && wanted.trim() !== '' && !Number.isNaN(left) && !Number.isNaN(right);
  switch (operator) {
    case '<':
      return areNumbers ? left < right : value < wanted;
    case '>':
      return areNumbers ? left > right : value > wanted;
    case '<=':
      return areNumbers ? left <= right : value <= wanted;
    case '>=':
      return areNumbers ? left >= right : value >= wanted;
    case 'LIKE':
      return matchesLike(value, wanted);
    case 'MATCHES':
      return RE2JS.compile(wanted).matcher(value).find();
    default: {
      const same = areNumbers ? left === right : value === wanted;
      return operator === '!=' || operator === '<>' ? !same : same;
    }
  }
}

export function stixNames(node: StixNode): string[] {
  return node.kind === 'compare' ? [node.name] : [...stixNames(node.left), ...stixNames(node.right)];
}

export function evaluateStix(node: StixNode, valueOf: (name: string) => string): boolean {
  if (node.kind === 'compare') {
    const { name, not, operator, values } = node;
    const value = valueOf(name);
    return values.some((wanted) => compare(value, operator === 'IN' ? '=' : operator, wanted)) !== not;
  }
  const left = evaluateStix(node.left, valueOf);
  if (node.kind === 'and') return left && evaluateStix(node.right, valueOf);
  return left || evaluateStix(node.right, valueOf);
}
