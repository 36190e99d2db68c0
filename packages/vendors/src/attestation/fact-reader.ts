import type { FactName, Passage, Proposal } from './attestation.ts';
import type { Reader } from './kind.ts';
import type { PassageText, Unit } from './passage-text.ts';
import { readDay } from './written-day.ts';

interface Read {
  readonly proposals: readonly Proposal[];
  readonly remarks: readonly string[];
}

interface Hit {
  readonly unit: Unit;
  readonly match: RegExpMatchArray;
  readonly passage: Passage;
}

const NOTHING: Read = { proposals: [], remarks: [] };
const HITS_MAX = 50;
/** Shown before and behind what was found. */
const AROUND_CHARS = 120;
const ITEMS_MAX = 200;
const ITEM_CHARS_MAX = 2_000;
const NAMES_MAX = 100;
const VALUE_CHARS_MAX = 300;
/** A sentence this short says only that there is something; the next one says what. */
const BARE_CHARS_MAX = 60;
const HEADING_CHARS_MAX = 120;

/** The paragraph, or what stands around the match when it is long: cut between words. */
function around(text: PassageText, { start, text: words }: Unit, from: number, to: number): Passage {
  const before = from <= AROUND_CHARS ? 0 : words.lastIndexOf(' ', from - AROUND_CHARS) + 1;
  const behind = words.length - to <= AROUND_CHARS ? -1 : words.indexOf(' ', to + AROUND_CHARS);
  return text.passage(start + before, start + (behind < 0 ? words.length : behind));
}

function hitsOf(text: PassageText, pattern: RegExp): Hit[] {
  const hits: Hit[] = [];
  for (const unit of text.units) {
    for (const match of unit.text.matchAll(pattern)) {
      hits.push({ unit, match, passage: around(text, unit, match.index, match.index + match[0].length) });
      if (hits.length >= HITS_MAX) return hits;
    }
  }
  return hits;
}

/** Hits of the first pattern that has any: patterns stand in the order of trust. */
function firstHits(text: PassageText, patterns: readonly RegExp[]): Hit[] {
  for (const pattern of patterns) {
    const hits = hitsOf(text, pattern);
    if (hits.length > 0) return hits;
  }
  return [];
}

const group = ({ match }: Hit, name: string): string => match.groups?.[name]?.trim() ?? '';

function propose(fact: FactName, value: unknown, passages: readonly Passage[]): Proposal {
  return { fact, value, passages: passages.slice(0, 5) };
}

/** Days that the same pattern finds elsewhere and that say otherwise: a person should look. */
function contradictions(what: string, chosen: string, others: readonly (readonly [value: string, page: number])[]) {
  const different = others.filter(([value]) => value !== chosen);
  const [first] = different;
  return first ? [`${what}: ${chosen} was taken, but page ${first[1]} says ${first[0]}.`] : [];
}

function readPeriod(text: PassageText, { find }: Extract<Reader, { as: 'period' }>): Read {
  const periods = firstHits(text, find).map((hit) => {
    const [from, until] = [readDay(group(hit, 'from')), readDay(group(hit, 'until'))];
    return { hit, from, until, isAmbiguous: from.isAmbiguous || until.isAmbiguous };
  });
  const [first] = periods;
  if (!first) return NOTHING;
  if (first.isAmbiguous) {
    const remark = `The period "${first.hit.match[0]}" can be read in two ways (day or month first).`;
    const proposals = (['periodStart', 'periodEnd'] as const).map((fact) => propose(fact, null, [first.hit.passage]));
    return { proposals, remarks: [remark] };
  }
  const [start, end] = [first.from.day, first.until.day];
  if (start === null || end === null || end < start) {
    return { proposals: [], remarks: [`"${first.hit.match[0]}" is no period.`] };
  }
  const told = periods.flatMap(({ from, until, hit }) =>
    from.day !== null && until.day !== null ? [[`${from.day} to ${until.day}`, hit.passage.page] as const] : [],
  );
  return {
    proposals: [propose('periodStart', start, [first.hit.passage]), propose('periodEnd', end, [first.hit.passage])],
    remarks: contradictions('Period', `${start} to ${end}`, told),
  };
}

function readOneDay(text: PassageText, { fact, find }: Extract<Reader, { as: 'day' }>): Read {
  const days = firstHits(text, find).map((hit) => ({ hit, ...readDay(group(hit, 'day')) }));
  const [first] = days;
  if (!first) return NOTHING;
  if (first.isAmbiguous) {
    const remark = `"${group(first.hit, 'day')}" can be read in two ways (day or month first).`;
    return { proposals: [propose(fact, null, [first.hit.passage])], remarks: [remark] };
  }
  if (first.day === null) return NOTHING;
  const told = days.flatMap(({ day, hit }) => (day === null ? [] : [[day, hit.passage.page] as const]));
  return {
    proposals: [propose(fact, first.day, [first.hit.passage])],
    remarks: contradictions(fact, first.day, told),
  };
}

function readText(text: PassageText, { fact, find }: Extract<Reader, { as: 'text' }>): Read {
  const hit = firstHits(text, find).find((one) => group(one, 'value') !== '');
  if (!hit) return NOTHING;
  const value = group(hit, 'value')
    .slice(0, VALUE_CHARS_MAX)
    .replace(/[\s,;:]+$/, '');
  return { proposals: [propose(fact, value, [hit.passage])], remarks: [] };
}

function readChoice(text: PassageText, { fact, choices }: Extract<Reader, { as: 'choice' }>): Read {
  for (const { value, when } of choices) {
    const hits = hitsOf(text, when);
    if (hits.length > 0)
      return {
        proposals: [
          propose(
            fact,
            value,
            hits.map(({ passage }) => passage),
          ),
        ],
        remarks: [],
      };
  }
  return NOTHING;
}

function readWords(text: PassageText, { fact, within, words }: Extract<Reader, { as: 'words' }>): Read {
  const [hit] = hitsOf(text, within);
  if (!hit) return NOTHING;
  const named = words.filter(({ when }) => hit.match[0].search(when) >= 0).map(({ value }) => value);
  return named.length === 0 ? NOTHING : { proposals: [propose(fact, named.join(', '), [hit.passage])], remarks: [] };
}

const ITEM =
  /^\(?(?:[a-z]|[ivx]{1,5}|\d{1,2}(?:\.\d{1,2}){0,3}|[A-Z]{2,5}-?\d{1,3})[.):]\s|^[-•*–◦▪·]\s|^\d{1,2}(?:\.\d{1,2}){0,3}\s/;
const isHeading = (unit: Unit): boolean => unit.text.length <= HEADING_CHARS_MAX && !/[.;,]$/.test(unit.text);

/** Ends of sentences; an abbreviation's point is none. */
const SENTENCE_END = /(?<!\b(?:Inc|Ltd|Corp|No|Co|e\.g|i\.e|vs))[.!?]["')\]]*\s+(?=["'([]*[A-Z0-9])/g;

function sentencesOf(text: string): { readonly text: string; readonly start: number; readonly end: number }[] {
  const ends = [...text.matchAll(SENTENCE_END)].map((match) => match.index + match[0].length);
  let from = 0;
  return [...ends, text.length].flatMap((to) => {
    const start = from;
    from = to;
    const piece = text.slice(start, to).trimEnd();
    return piece === '' ? [] : [{ text: piece, start, end: start + piece.length }];
  });
}

interface Item {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The list that follows the heading at `at`: its items, or sentences when nothing is marked as an item. */
function listUnder(units: readonly Unit[], at: number): Item[] {
  const items: Item[] = [];
  const plain: Item[] = [];
  for (const unit of units.slice(at + 1, at + 1 + ITEMS_MAX)) {
    const { text, start } = unit;
    const isItem = ITEM.test(text);
    if (!isItem && isHeading(unit)) break;
    const item = { text: text.replace(ITEM, '').slice(0, ITEM_CHARS_MAX), start, end: start + text.length };
    if (isItem) items.push(item);
    else if (items.length > 0) break;
    else {
      for (const sentence of sentencesOf(text)) {
        if (
          /\b(?:should|must|responsib\w*|shall|required to|need to)\b/i.test(sentence.text) &&
          !sentence.text.endsWith(':')
        )
          plain.push({ text: sentence.text, start: start + sentence.start, end: start + sentence.end });
      }
    }
  }
  return items.length > 0 ? items : plain;
}

function sentencesThat(text: PassageText, each: readonly RegExp[], except: readonly RegExp[]): Item[] {
  const items: Item[] = [];
  for (const unit of text.units) {
    // Most paragraphs say nothing of the kind: sentences are cut only where one may.
    if (!each.some((pattern) => unit.text.search(pattern) >= 0)) continue;
    const pieces = sentencesOf(unit.text);
    let taken = -1;
    for (const [index, one] of pieces.entries()) {
      if (index <= taken) continue;
      const fits = (pattern: RegExp): boolean => one.text.search(pattern) >= 0;
      if (!each.some(fits) || except.some(fits)) continue;
      const next = one.text.length <= BARE_CHARS_MAX ? pieces[index + 1] : undefined;
      if (next) taken = index + 1;
      const end = next?.end ?? one.end;
      items.push({
        text: unit.text.slice(one.start, end).replace(ITEM, '').slice(0, ITEM_CHARS_MAX),
        start: unit.start + one.start,
        end: unit.start + end,
      });
    }
  }
  return items;
}

function readItems(text: PassageText, { fact, each, except, under }: Extract<Reader, { as: 'items' }>): Read {
  const found = sentencesThat(text, each, except);
  // A table of contents names the heading too: the place with the longest list is the chapter.
  let list: Item[] = [];
  for (const [at, unit] of text.units.entries()) {
    if (!isHeading(unit) || !under.some((pattern) => unit.text.search(pattern) >= 0)) continue;
    const items = listUnder(text.units, at).filter((item) => !except.some((pattern) => item.text.search(pattern) >= 0));
    if (items.length > list.length) list = items;
  }
  const unique = [...new Map([...found, ...list].map((item) => [item.text.trim().toLowerCase(), item])).values()];
  if (unique.length === 0) return NOTHING;
  const passages = unique.map(({ start, end }) => text.passage(start, end));
  const proposal = {
    fact,
    value: unique.slice(0, ITEMS_MAX).map((item) => item.text.trim()),
    passages: passages.slice(0, ITEMS_MAX),
  };
  return { proposals: [proposal], remarks: [] };
}

function readNames(text: PassageText, { find, methods }: Extract<Reader, { as: 'names' }>): Read {
  const hits = find.flatMap((pattern) => hitsOf(text, pattern)).filter((hit) => group(hit, 'value') !== '');
  const told = methods.filter(({ when }) => hitsOf(text, when).length > 0);
  const only = told.length === 1 ? (told[0]?.value ?? null) : null;
  const names = new Map<string, { name: string; method: 'carve-out' | 'inclusive' | null; passage: Passage }>();
  for (const hit of hits) {
    const method = methods.find(({ when }) => hit.unit.text.search(when) >= 0)?.value ?? only;
    for (const part of group(hit, 'value').split(/,\s*(?:and\s+)?|\s+and\s+/)) {
      const name = part.replace(/^the\s+/i, '').trim();
      const key = name.toLowerCase().replaceAll(/\s*\([^)]*\)/g, '');
      if (name.length > 1 && /\p{Lu}/u.test(name) && !names.has(key))
        names.set(key, { name, method, passage: hit.passage });
    }
  }
  if (names.size === 0) return NOTHING;
  const all = [...names.values()].slice(0, NAMES_MAX);
  const value = all.map(({ name, method }) => ({ name, method }));
  return {
    proposals: [
      propose(
        'subservice',
        value,
        all.map(({ passage }) => passage),
      ),
    ],
    remarks: [],
  };
}

/** What the text says for one reader of a kind, as proposals with their passages. */
export function readFact(text: PassageText, reader: Reader): Read {
  if (reader.as === 'period') return readPeriod(text, reader);
  if (reader.as === 'day') return readOneDay(text, reader);
  if (reader.as === 'text') return readText(text, reader);
  if (reader.as === 'choice') return readChoice(text, reader);
  if (reader.as === 'words') return readWords(text, reader);
  return reader.as === 'items' ? readItems(text, reader) : readNames(text, reader);
}
