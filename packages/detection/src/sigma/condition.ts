import { RuleInvalid } from '../errors.ts';
import { and, not, or, type Expression } from './ast.ts';

const TOKENS_MAX = 2_000;
const DEPTH_MAX = 100;

/**
 * Parses a condition (specification "Condition": or < and < not < x of < brackets) against the named searches.
 * `them` leaves out searches whose name starts with an underscore.
 */
export function parseCondition(text: string, searches: ReadonlyMap<string, Expression>): Expression {
  const tokens = text.match(/\(|\)|[^\s()]+/g) ?? [];
  if (tokens.length === 0) throw new RuleInvalid('The condition is empty.');
  if (tokens.length > TOKENS_MAX) throw new RuleInvalid('The condition is too long.');
  const parser = new ConditionParser(tokens, searches);
  return parser.parse();
}

class ConditionParser {
  readonly #tokens: readonly string[];
  readonly #searches: ReadonlyMap<string, Expression>;
  #at = 0;

  constructor(tokens: readonly string[], searches: ReadonlyMap<string, Expression>) {
    this.#tokens = tokens;
    this.#searches = searches;
  }

  parse(): Expression {
    const expression = this.#or(0);
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new RuleInvalid(`The condition has "${rest}" where it should end.`);
    return expression;
  }

  #word(offset = 0): string | undefined {
    return this.#tokens[this.#at + offset]?.toLowerCase();
  }

  #or(depth: number): Expression {
    if (depth > DEPTH_MAX) throw new RuleInvalid('The condition is nested too deep.');
    const of = [this.#and(depth)];
    while (this.#word() === 'or') {
      this.#at++;
      of.push(this.#and(depth));
    }
    return or(of);
  }

  #and(depth: number): Expression {
    const of = [this.#not(depth)];
    while (this.#word() === 'and') {
      this.#at++;
      of.push(this.#not(depth));
    }
    return and(of);
  }

  #not(depth: number): Expression {
    let negated = false;
    while (this.#word() === 'not') {
      negated = !negated;
      this.#at++;
    }
    const operand = this.#operand(depth);
    return negated ? not(operand) : operand;
  }

  #operand(depth: number): Expression {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new RuleInvalid('The condition ends too early.');
    if (token === '(') {
      this.#at++;
      const inner = this.#or(depth + 1);
      if (this.#tokens[this.#at] !== ')') throw new RuleInvalid('The condition lacks a closing bracket.');
      this.#at++;
      return inner;
    }
    const quantifier = token.toLowerCase();
    if (this.#word(1) === 'of' && (quantifier === '1' || quantifier === 'any' || quantifier === 'all')) {
      const pattern = this.#tokens[this.#at + 2];
      if (pattern === undefined) throw new RuleInvalid('The condition ends after "of".');
      this.#at += 3;
      const found = this.#matching(pattern);
      return quantifier === 'all' ? and(found) : or(found);
    }
    this.#at++;
    const search = this.#searches.get(token);
    if (!search) throw new RuleInvalid(`The condition names "${token}", which the detection doesn't define.`);
    return search;
  }

  #matching(pattern: string): Expression[] {
    const everything = pattern.toLowerCase() === 'them';
    const shape = new RegExp(
      `^${pattern
        .split('*')
        .map((part) => RegExp.escape(part))
        .join('.*')}$`,
    );
    const found: Expression[] = [];
    for (const [name, search] of this.#searches) {
      if (everything ? !name.startsWith('_') : shape.test(name)) found.push(search);
    }
    if (found.length === 0) throw new RuleInvalid(`The condition's "of ${pattern}" matches no search.`);
    return found;
  }
}
