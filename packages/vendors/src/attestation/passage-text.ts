import { type ContractText, normaliseContract } from '../contract/contract-text.ts';
import type { Document } from '../files/read-document.ts';
import type { Passage } from './attestation.ts';

/** More is not looked at: a long SOC 2 report holds 400,000 characters. */
const CHARS_MAX = 1_000_000;
/** A paragraph is looked at in pieces of at most this length, so that what looks at it stays quick. */
const UNIT_CHARS_MAX = 4_000;
const PASSAGE_CHARS_MAX = 600;

/** A paragraph, list item or heading; places are in the normalised text. */
export interface Unit {
  readonly start: number;
  readonly text: string;
}

export interface PassageText {
  readonly characters: number;
  readonly isCut: boolean;
  readonly units: readonly Unit[];
  /** A passage with its place in the text as it was read. */
  passage(start: number, end: number): Passage;
}

function unitsOf(text: string): Unit[] {
  const units: Unit[] = [];
  let at = 0;
  for (const line of text.split('\n')) {
    for (let from = 0; from < line.length;) {
      // Cut after a stop where there is one, so that no sentence is torn without need.
      const stop =
        line.length - from > UNIT_CHARS_MAX ? line.lastIndexOf('. ', from + UNIT_CHARS_MAX) + 1 : line.length;
      const to = stop > from ? stop : from + UNIT_CHARS_MAX;
      const piece = line.slice(from, to);
      if (piece.trim() !== '')
        units.push({ start: at + from + (piece.length - piece.trimStart().length), text: piece.trim() });
      from = to;
    }
    at += line.length + 1;
  }
  return units;
}

/** A document's text in paragraphs, with the way back to page and place. */
export function passageText(document: Document): PassageText {
  const pages = document.kind === 'workbook' ? [] : document.pages;
  const pageStarts: number[] = [];
  let source = '';
  for (const page of pages) {
    pageStarts.push(source.length);
    if (source.length < CHARS_MAX) source += `${page}\n`;
  }
  const isCut = source.length > CHARS_MAX;
  const normal: ContractText = normaliseContract(source.slice(0, CHARS_MAX));
  return {
    characters: source.trim().length,
    isCut,
    units: unitsOf(normal.text),
    passage(start, end) {
      const last = Math.min(end, start + PASSAGE_CHARS_MAX);
      const from = normal.places[start] ?? 0;
      const to = (normal.places[last - 1] ?? from) + 1;
      return {
        start: from,
        end: to,
        page: pageStarts.filter((at) => at <= from).length,
        text: normal.text.slice(start, last),
      };
    },
  };
}
