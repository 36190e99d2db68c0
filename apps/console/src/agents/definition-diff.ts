/** One line of two definitions side by side. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

const LINES_MAX = 2000;

function linesOf(definition: Readonly<Record<string, unknown>>): string[] {
  return JSON.stringify(sorted(definition), null, 2).split('\n').slice(0, LINES_MAX).map(makeVisible);
}

/** Keys in one order, so that only what changed differs. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

/** Characters that a reviewer wouldn't see, as code points. */
export function makeVisible(text: string): string {
  return text.replace(
    /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu,
    (one) => `⟨U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase()}⟩`,
  );
}

/** The longest common lines stay, the rest is taken away or added. */
export function diffDefinitions(
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>>,
): DiffLine[] {
  const is = linesOf(after);
  if (!before) return is.map((text) => ({ mark: ' ', text }));
  const was = linesOf(before);
  const lengths = Array.from({ length: was.length + 1 }, () => new Uint32Array(is.length + 1));
  for (let a = was.length - 1; a >= 0; a--) {
    for (let b = is.length - 1; b >= 0; b--) {
      const row = lengths[a]!;
      row[b] = was[a] === is[b] ? lengths[a + 1]![b + 1]! + 1 : Math.max(lengths[a + 1]![b]!, row[b + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let [a, b] = [0, 0];
  while (a < was.length || b < is.length) {
    if (a < was.length && b < is.length && was[a] === is[b]) {
      lines.push({ mark: ' ', text: is[b]! });
      a += 1;
      b += 1;
    } else if (a < was.length && (b === is.length || lengths[a + 1]![b]! >= lengths[a]![b + 1]!)) {
      lines.push({ mark: '-', text: was[a]! });
      a += 1;
    } else {
      lines.push({ mark: '+', text: is[b]! });
      b += 1;
    }
  }
  return lines;
}
