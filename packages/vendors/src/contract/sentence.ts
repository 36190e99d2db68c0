/** A sentence, or one item of a list, with what it stands under. Places are in the normalised text. */
export interface Sentence {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The words that lead into the list that it is an item of, and the heading above; empty when there are none. */
  readonly context: string;
  readonly isDefinition: boolean;
}

const ABBREVIATION =
  /(?:\b(?:e\.g|i\.e|art|arts|no|nos|inc|ltd|co|corp|sec|para|vs|cf|approx|incl|dr|mr|ms|reg|u\.s|u\.k)|\b[A-Z]|^\s*\(?[\w]{1,4}|\n\s*\(?[\w]{1,4}|\d)\.$/i;
const DEFINITION =
  /^\W*(?:\d[\d.]*\s*|\(?[a-z]\)\s*)?"[^"]{2,80}"(?:\s*(?:,|or|and)\s*"[^"]{2,80}")*\s+(?:means?|shall mean|has the meaning|will have the meaning|refers to|is defined|includes?)\b/i;
const HEADING_CHARS_MAX = 80;
const CONTEXT_CHARS_MAX = 400;
const SENTENCE_CHARS_MAX = 4_000;

/** Cuts a paragraph after full stops, and at the items of lists written in line: "(a) ...; (b) ...". */
function cuts(paragraph: string): number[] {
  const found: number[] = [];
  for (const match of paragraph.matchAll(
    /[.?!]["')\]]*(?=\s+["'([]*[A-Z0-9])|;(?=\s)|:(?=\s+\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[).])/g,
  )) {
    const end = match.index + match[0].length;
    const isStop = match[0].startsWith('.');
    if (isStop && ABBREVIATION.test(paragraph.slice(Math.max(0, end - 12), match.index + 1))) continue;
    // A semicolon ends an item only where another begins; else it joins two thoughts of one sentence.
    if (match[0] === ';' && !/^\s+(?:(?:and|or)\s+)?\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[).]\s/i.test(paragraph.slice(end)))
      continue;
    found.push(end);
  }
  return [...found, paragraph.length];
}

const isItem = (text: string): boolean =>
  /^\s*(?:(?:and|or)\s+)?(?:\(?(?:[a-z]|[ivx]{1,5}|\d{1,2})[).]|[-•*◦▪])\s/i.test(text);
const isHeading = (text: string): boolean =>
  text.length <= HEADING_CHARS_MAX &&
  !/[.;:,]$/.test(text) &&
  /[A-Za-z]/.test(text) &&
  !/\b(shall|will|must|may)\b/.test(text);

const HEADING_WORDS_MAX = 7;
/** "Breach notification." before its sentence; a short sentence of its own has a verb. */
const isInnerHeading = (text: string): boolean =>
  isHeading(text) &&
  text.split(/\s+/).length <= HEADING_WORDS_MAX &&
  !/\b(?:is|are|has|have|does|do|grants?|agrees?|remains?|applies|keeps?|maintains?|encrypts?)\b/i.test(text);

/** Sentences in order. Each is at most a few thousand characters, so that what looks at them stays quick. */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let [heading, leadIn] = ['', ''];
  let at = 0;
  for (const paragraph of text.split('\n')) {
    const base = at;
    at += paragraph.length + 1;
    const whole = paragraph.trim();
    if (whole === '') continue;
    if (isHeading(whole)) {
      [heading, leadIn] = [whole, ''];
      continue;
    }
    if (!isItem(paragraph)) leadIn = '';
    // "4.2 Breach notification. Provider shall ...": a heading within the paragraph.
    let inner = '';
    let from = 0;
    for (const to of cuts(paragraph)) {
      const piece = paragraph.slice(from, to);
      const start = base + from + (piece.length - piece.trimStart().length);
      from = to;
      const trimmed = piece.trim();
      if (trimmed === '') continue;
      if (isInnerHeading(trimmed.replace(/\.$/, '')) && to < paragraph.length) {
        inner = trimmed;
        continue;
      }
      const context = [heading, inner, leadIn]
        .filter((part) => part !== '')
        .join(' ')
        .slice(-CONTEXT_CHARS_MAX);
      const end = Math.min(start + trimmed.length, start + SENTENCE_CHARS_MAX);
      sentences.push({ start, end, text: text.slice(start, end), context, isDefinition: DEFINITION.test(trimmed) });
      if (trimmed.endsWith(':')) leadIn = trimmed;
    }
  }
  return sentences;
}
