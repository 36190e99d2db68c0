/** A piece of one segment: literal text or a parameter's name. */
export type SegmentPart = { readonly literal: string } | { readonly name: string };

export interface PathTemplate {
  /** Segments in order, each of one or more parts; `/` alone is one empty literal. */
  readonly segments: readonly (readonly SegmentPart[])[];
  readonly names: readonly string[];
  /** Parameters written `{+name}` or `{name*}`, which span several segments. */
  readonly open: ReadonlySet<string>;
}

const SEGMENTS_MAX = 64;

/**
 * Reads `/repos/{owner}/{repo}/compare/{base}...{head}`; null when braces don't match, a name is empty or occurs twice,
 * or two parameters touch so that no one could tell where the first ends. A query or fragment some vendors put into
 * paths is no part of the path.
 */
export function parseTemplate(path: string): PathTemplate | null {
  const names: string[] = [];
  const open = new Set<string>();
  const segments: SegmentPart[][] = [];
  const plain = path.replace(/[?#][^{}]*$/, '');
  for (const text of plain.slice(1).split('/')) {
    const parts = parseSegment(text, names, open);
    if (parts === null) return null;
    segments.push(parts);
  }
  return segments.length > SEGMENTS_MAX || new Set(names).size !== names.length ? null : { segments, names, open };
}

function parseSegment(text: string, names: string[], open: Set<string>): SegmentPart[] | null {
  const parts: SegmentPart[] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^(?:\{(\+?)([^{}*+/]+)(\*?)\}|([^{}]+))/.exec(rest);
    if (!match) return null;
    rest = rest.slice(match[0].length);
    const [, plus, name, star, literal] = match;
    if (name === undefined) {
      parts.push({ literal: decodeLiteral(literal ?? '') });
      continue;
    }
    const last = parts.at(-1);
    if (last && 'name' in last) return null;
    parts.push({ name });
    names.push(name);
    if (plus !== '' || star !== '') open.add(name);
  }
  return parts.length === 0 ? [{ literal: '' }] : parts;
}

/** Literals are compared decoded, as the segments of a request are. */
function decodeLiteral(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
