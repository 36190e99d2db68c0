/** A contract's text brought into one form, with the way back to where each character came from. */
export interface ContractText {
  /** Sentences flow in one line; a line break stands between paragraphs, list items and headings. */
  readonly text: string;
  /** For each character of `text`, its place in the source. */
  readonly places: Int32Array;
  readonly source: string;
}

const PAGE_NUMBER = /^[ \t]*(?:page[ \t]+)?[-–]?[ \t]*\d{1,4}(?:[ \t]*(?:of|\/)[ \t]*\d{1,4})?[ \t]*[-–]?[ \t]*$/gim;
/** Markup that carries no words: tags, emphasis, heading marks, link targets. */
const MARKUP = /<\/?[a-zA-Z][^<>\n]{0,300}>|\*\*|__|`|^[ \t]*#{1,6}[ \t]+|^[ \t]*>[ \t]/gm;
const ITEM =
  /^[ \t]*(?:\(?(?:[a-z]|[ivx]{1,5}|\d{1,2})\)|[a-z]\.|[ivx]{1,5}\.|\d{1,2}(?:\.\d{1,2}){0,3}\.?|[-•*–◦▪·]|article\s+\d+|section\s+\d+|§+\s*\d+|clause\s+\d+)[ \t]+\S/i;
const LIGATURES: Readonly<Record<string, string>> = { ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl' };
const QUOTES: Readonly<Record<string, string>> = {
  '‘': "'", '’': "'", '‚': "'", '“': '"', '”': '"', '„': '"', '‐': '-', '‑': '-', '–': '-', '—': '-', '\u00a0': ' ',
}; // prettier-ignore
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/;

/** Same length, so that places stay: what matches becomes blanks. */
function blank(source: string, pattern: RegExp): string {
  return source.replaceAll(pattern, (match) => match.replaceAll(/[^\n]/g, ' '));
}

/** Whether a line goes on in the next: no empty line between, no sign of a new item. */
function flowsOn(line: string, next: string): boolean {
  if (line.trim() === '' || next.trim() === '' || ITEM.test(next)) return false;
  // A short line without a stop, followed by a capital, is a heading.
  return !(
    line.trim().length < 50 &&
    !/[.,;:]\s*$/.test(line) &&
    /^\s*[A-Z"“]/.test(next) &&
    /^[\s\d.()]*[A-Z]/.test(line)
  );
}

export function normaliseContract(source: string): ContractText {
  const lines = blank(blank(source.replaceAll('\r', ' '), MARKUP), PAGE_NUMBER).split('\n');
  const out: string[] = [];
  const places: number[] = [];
  const put = (text: string, place: number): void => {
    for (const char of text.split('')) {
      out.push(char);
      places.push(place);
    }
  };
  let at = 0;
  for (const [index, line] of lines.entries()) {
    for (let offset = 0; offset < line.length; offset += 1) {
      const char = line[offset] ?? '';
      if (INVISIBLE.test(char)) continue;
      const plain = LIGATURES[char] ?? QUOTES[char] ?? (/\s/.test(char) ? ' ' : char);
      const last = out.at(-1);
      if (plain === ' ' && (last === ' ' || last === '\n' || last === undefined)) continue;
      put(plain, at + offset);
    }
    at += line.length + 1;
    const next = lines[index + 1];
    if (next === undefined) break;
    while (out.at(-1) === ' ') {
      out.pop();
      places.pop();
    }
    if (flowsOn(line, next)) {
      // A word divided at the end of a line.
      if (out.at(-1) === '-' && /[a-z]-$/.test(line.trimEnd()) && /^\s*[a-z]/.test(next)) {
        out.pop();
        places.pop();
      } else put(' ', at - 1);
    } else if (out.length > 0 && out.at(-1) !== '\n') put('\n', at - 1);
  }
  return { text: out.join(''), places: Int32Array.from(places), source };
}
