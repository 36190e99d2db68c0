import type { Document } from '../files/read-document.ts';
import type { AttestationReading, Passage, Proposal } from './attestation.ts';
import { readFact } from './fact-reader.ts';
import type { AttestationKind } from './kind.ts';
import { type PassageText, passageText, type Unit } from './passage-text.ts';

/** A report says on its first pages what it is; later it speaks of others' reports. */
const HEAD_CHARS_MAX = 20_000;
const TEXT_CHARS_MIN = 40;

function headOf({ units }: PassageText): Unit[] {
  let chars = 0;
  return units.filter(({ text }) => {
    chars += text.length;
    return chars - text.length < HEAD_CHARS_MAX;
  });
}

function firstPassage(text: PassageText, units: readonly Unit[], pattern: RegExp): Passage | null {
  for (const unit of units) {
    const at = unit.text.search(pattern);
    if (at >= 0) return text.passage(unit.start, unit.start + unit.text.length);
  }
  return null;
}

/** Kinds whose marks the first pages bear, the earliest and most particular first. */
function recognise(text: PassageText, kinds: readonly AttestationKind[]) {
  const head = headOf(text);
  const found = kinds.flatMap(({ id, recognise: { all, none } }) => {
    if (none.some((pattern) => firstPassage(text, head, pattern) !== null)) return [];
    const passages = all.map((pattern) => firstPassage(text, head, pattern));
    if (passages.some((passage) => passage === null)) return [];
    const kept = passages.filter((passage) => passage !== null);
    return [{ kind: id, passages: kept, marks: all.length, at: Math.max(...kept.map(({ start }) => start)) }];
  });
  found.sort((a, b) => b.marks - a.marks || a.at - b.at);
  return found.map(({ kind, passages }) => ({ kind, passages }));
}

/**
 * Reads what an attestation's text says, as proposals with their passages. A person decides; nothing read here counts
 * by itself. `kindId` is a person's word on what it is.
 */
export function readAttestation(
  document: Document,
  kinds: readonly AttestationKind[],
  kindId?: string,
): AttestationReading {
  const text = passageText(document);
  if (text.characters < TEXT_CHARS_MIN) {
    const remarks = ['The file holds no text (a scan?). Give what it says by hand, or upload it with its text (OCR).'];
    return { characters: text.characters, kinds: [], proposals: [], remarks };
  }
  const found = recognise(text, kinds);
  const kind = kinds.find(({ id }) => id === (kindId ?? found[0]?.kind));
  const remarks: string[] = [];
  if (text.isCut) remarks.push('The text is very long; only its beginning was read.');
  if (found.length === 0) remarks.push('The text bears the marks of no known kind.');
  const proposals: Proposal[] = [];
  for (const reader of kind?.read ?? []) {
    const read = readFact(text, reader);
    proposals.push(...read.proposals);
    remarks.push(...read.remarks);
  }
  return { characters: text.characters, kinds: found, proposals, remarks: [...new Set(remarks)] };
}
