const PLAIN = /[A-Za-z0-9_\-/@#%&=:;,<>"'`~! ]/;
const BRANCHES_MAX = 32;
const DEPTH_MAX = 20;

/** Texts of which every match holds at least one; none known when empty. */
type Alternatives = readonly string[];

const NONE: Alternatives = [];
const shortest = (one: Alternatives): number => (one.length === 0 ? 0 : Math.min(...one.map((text) => text.length)));
const better = (a: Alternatives, b: Alternatives): Alternatives => (shortest(b) > shortest(a) ? b : a);

/**
 * Texts, in lower case, of which every match of an RE2 expression must hold at least one; empty when none can be
 * told. Looking for them first spares the slow engine nearly every event. It errs on the side of nothing.
 */
export function requiredLiterals(source: string): Alternatives {
  const reader = new LiteralReader(source.replace(/^\(\?[a-z-]+\)/, ''));
  return reader.read().map((text) => text.toLowerCase());
}

class LiteralReader {
  readonly #body: string;
  #at = 0;

  constructor(body: string) {
    this.#body = body;
  }

  read(): Alternatives {
    const found = this.#alternation(0);
    return this.#at === this.#body.length ? found : NONE;
  }

  /** Up to the closing bracket or the end. */
  #alternation(depth: number): Alternatives {
    const branches = [this.#branch(depth)];
    while (this.#body[this.#at] === '|') {
      this.#at++;
      branches.push(this.#branch(depth));
    }
    return branches.some((branch) => branch.length === 0) || branches.length > BRANCHES_MAX ? NONE : branches.flat();
  }

  #branch(depth: number): Alternatives {
    let best = NONE;
    let run = '';
    const flush = (): void => {
      best = better(best, run === '' ? NONE : [run]);
      run = '';
    };
    for (
      let char = this.#body[this.#at];
      char !== undefined && char !== '|' && char !== ')';
      char = this.#body[this.#at]
    ) {
      if (char === '(') {
        flush();
        const inner = this.#group(depth + 1);
        if (!this.#skipQuantifier().optional) best = better(best, inner);
        continue;
      }
      const literal = this.#atom(char);
      const quantifier = this.#skipQuantifier();
      if (literal === '' || quantifier.optional) flush();
      else run += literal;
      // After `a+` or `a{2}` more of the same may follow, so the run ends there.
      if (quantifier.present) flush();
    }
    flush();
    return best;
  }

  #group(depth: number): Alternatives {
    this.#at++;
    const named = /^\?(?:P?<[A-Za-z0-9_]+>|:)/.exec(this.#body.slice(this.#at, this.#at + 80));
    if (named) this.#at += named[0].length;
    const flagged = !named && this.#body[this.#at] === '?';
    const inner = depth > DEPTH_MAX ? NONE : this.#alternation(depth);
    if (depth > DEPTH_MAX || this.#body[this.#at] !== ')') {
      // Not closed, or deeper than is worth reading: nothing can be told of the whole.
      this.#at = this.#body.length + 1;
      return NONE;
    }
    this.#at++;
    return flagged ? NONE : inner;
  }

  /** Reads one atom; '' when it isn't one plain character. */
  #atom(char: string): string {
    if (char === '[') {
      this.#at = classEnd(this.#body, this.#at);
      return '';
    }
    if (char === '\\') {
      const escaped = this.#body[this.#at + 1] ?? '';
      this.#at += 2;
      if (escaped === 'Q' || escaped === 'p' || escaped === 'P' || escaped === 'x') this.#at = this.#body.length + 1;
      return /[A-Za-z0-9]/.test(escaped) ? '' : escaped;
    }
    this.#at++;
    return PLAIN.test(char) ? char : '';
  }

  #skipQuantifier(): { readonly present: boolean; readonly optional: boolean } {
    const found = /^(?:[*+?]|\{(\d*)(?:,\d*)?\})\??/.exec(this.#body.slice(this.#at, this.#at + 20));
    if (!found) return { present: false, optional: false };
    this.#at += found[0].length;
    const optional = found[0].startsWith('*') || found[0].startsWith('?') || Number(found[1] ?? '1') === 0;
    return { present: true, optional };
  }
}

/** Position behind the character class that opens here; past the end when it isn't closed. */
function classEnd(body: string, from: number): number {
  // A bracket right behind the opening, or behind its `^`, is a member.
  const first = from + (body[from + 1] === '^' ? 2 : 1);
  for (let i = first; i < body.length; i++) {
    if (body[i] === '\\') i++;
    else if (body[i] === '[' && body[i + 1] === ':') {
      const end = body.indexOf(':]', i);
      if (end < 0) break;
      i = end + 1;
    } else if (body[i] === ']' && i > first) return i + 1;
  }
  return body.length + 1;
}
