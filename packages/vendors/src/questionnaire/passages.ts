/** Finds the passages of a vendor's documents that speak of a question: Okapi BM25 over paragraphs. */
export interface Passage {
  readonly fileId: string;
  readonly fileName: string;
  readonly page: number;
  readonly text: string;
}

export interface FoundPassage extends Passage {
  readonly score: number;
  /** Words of the question that the passage holds. */
  readonly words: readonly string[];
}

export interface EvidenceText {
  readonly fileId: string;
  readonly fileName: string;
  readonly pages: readonly string[];
}

const PASSAGE_CHARS_MAX = 900;
const PASSAGE_CHARS_MIN = 40;
/** The usual constants of BM25. */
const K1 = 1.2;
const B = 0.75;
/** A passage that shares one rare word only is chance. */
const SHARED_MIN = 2;
const STOP = new Set(
  'a an and any are as at be been by can do does for from has have how if in into is it its no not of on or our that the their there these they this to under upon used using was were what when where which who will with within you your all policies procedures established documented'.split(
    ' ',
  ),
);

function stem(word: string): string {
  return word.replace(/(?:ations?|ition|ing|ed|ies|es|s|ly|ment|e)$/, '');
}

function termsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  return words.filter((word) => !STOP.has(word)).map((word) => (word.length > 4 ? stem(word) : word));
}

export function passagesOf({ fileId, fileName, pages }: EvidenceText): Passage[] {
  return pages.flatMap((page, at) => {
    const pieces: string[] = [];
    for (const paragraph of page.split(/\n\s*\n|(?<=\.)\s*\n/)) {
      const text = paragraph.replaceAll(/\s+/g, ' ').trim();
      for (let from = 0; from < text.length; from += PASSAGE_CHARS_MAX)
        pieces.push(text.slice(from, from + PASSAGE_CHARS_MAX));
    }
    const long = pieces.filter((text) => text.length >= PASSAGE_CHARS_MIN);
    return long.map((text) => ({ fileId, fileName, page: at + 1, text }));
  });
}

/** The passages nearest to a question, best first. */
export function findPassages(question: string, passages: readonly Passage[], limit: number): FoundPassage[] {
  const documents = passages.map((passage) => ({ passage, terms: termsOf(passage.text) }));
  const average = documents.reduce((sum, { terms }) => sum + terms.length, 0) / Math.max(1, documents.length);
  const frequency = new Map<string, number>();
  for (const { terms } of documents)
    for (const term of new Set(terms)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const asked = [...new Set(termsOf(question))];
  const found = documents.map(({ passage, terms }): FoundPassage => {
    const counts = Map.groupBy(terms, (term) => term);
    let score = 0;
    const shared: string[] = [];
    for (const term of asked) {
      const count = counts.get(term)?.length ?? 0;
      if (count === 0) continue;
      shared.push(term);
      const inDocuments = frequency.get(term) ?? 0;
      const rarity = Math.log(1 + (documents.length - inDocuments + 0.5) / (inDocuments + 0.5));
      score += (rarity * count * (K1 + 1)) / (count + K1 * (1 - B + (B * terms.length) / average));
    }
    return { ...passage, score: Math.round(score * 1_000) / 1_000, words: shared };
  });
  return found
    .filter(({ words }) => words.length >= Math.min(SHARED_MIN, asked.length) && words.length > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}
