import { createHmac } from 'node:crypto';
import { CustomInvalid } from './errors.ts';

/** Words in a shingle, and shingles in a window of which the least is kept (winnowing; Schleimer and others, 2003). */
const SHINGLE_WORDS = 6;
const WINDOW_SHINGLES = 4;
const WORDS_MAX = 200_000;
const SHINGLE_CHARS_MIN = (SHINGLE_WORDS + WINDOW_SHINGLES) * 2;
/** Shorter documents have too few shingles to tell a quotation from chance. */
const SHINGLES_MIN = 8;

/** A document known by a selection of the keyed hashes of its phrases; its text can't be read back. */
export interface DocumentFingerprint {
  readonly name: string;
  /** Hexadecimal, 64 bits each. */
  readonly hashes: readonly string[];
}

export interface FingerprintMatch {
  readonly name: string;
  /** Share of the fingerprint's phrases that the text holds, 0 to 1. */
  readonly containment: number;
}

function selectHashes(text: string, key: Uint8Array): Set<string> {
  const words =
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, WORDS_MAX) ?? [];
  const hashes: string[] = [];
  for (let i = 0; i + SHINGLE_WORDS <= words.length; i++) {
    hashes.push(
      createHmac('sha256', key)
        .update(words.slice(i, i + SHINGLE_WORDS).join(' '))
        .digest('hex')
        .slice(0, 16),
    );
  }
  const selected = new Set<string>();
  for (let i = 0; i + WINDOW_SHINGLES <= hashes.length; i++) {
    let least = hashes[i] ?? '';
    for (let j = i + 1; j < i + WINDOW_SHINGLES; j++) if ((hashes[j] ?? '') < least) least = hashes[j] ?? '';
    selected.add(least);
  }
  return selected;
}

/** Fingerprints a document. Throws `CustomInvalid` when it is too short to be told from others. */
export function fingerprintDocument(name: string, text: string, key: Uint8Array): DocumentFingerprint {
  const hashes = selectHashes(text, key);
  if (hashes.size < SHINGLES_MIN) throw new CustomInvalid('the document is too short for a fingerprint', { name });
  return { name, hashes: [...hashes] };
}

/** Which fingerprinted documents a text holds a part of, most first; `least` is the smallest share that counts. */
export function matchFingerprints(
  text: string,
  fingerprints: readonly DocumentFingerprint[],
  key: Uint8Array,
  least = 0.3,
): FingerprintMatch[] {
  // Text shorter than a window has nothing that could be compared.
  if (text.length < SHINGLE_CHARS_MIN) return [];
  const hashes = selectHashes(text, key);
  return fingerprints
    .map(({ name, hashes: known }) => ({
      name,
      containment: known.filter((hash) => hashes.has(hash)).length / known.length,
    }))
    .filter((match) => match.containment >= least)
    .sort((a, b) => b.containment - a.containment);
}
