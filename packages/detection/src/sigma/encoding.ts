import { RuleInvalid } from '../errors.ts';

export type Utf16 = 'utf16le' | 'utf16be' | 'utf16';

const WINDASH_CHARACTERS = ['-', '/', '–', '—', '―'];
const WINDASH_VARIANTS_MAX = 625;

/** UTF-16 in the byte order asked for; `utf16` is little endian behind a byte order mark. */
export function encodeUtf16(text: string, encoding: Utf16): Buffer {
  const little = Buffer.from(encoding === 'utf16' ? `\uFEFF${text}` : text, 'utf16le');
  return encoding === 'utf16be' ? little.swap16() : little;
}

/**
 * The three forms a value can take inside longer base64 text, by its distance from a three-byte boundary; the
 * characters that also depend on the neighbours are cut off.
 */
export function base64Offsets(bytes: Buffer): string[] {
  const firstKept = [0, 2, 3];
  const lastDropped = [0, 3, 2];
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64');
    const dropped = lastDropped[(bytes.length + offset) % 3] ?? 0;
    return encoded.slice(firstKept[offset], encoded.length - dropped);
  });
}

/** All spellings of command line flags: each dash or slash before a word becomes each of the five characters. */
export function windashVariants(text: string): string[] {
  const pieces = text.split(/(?<!\w)([-/–—―])(?=\w)/);
  const flags = (pieces.length - 1) / 2;
  if (WINDASH_CHARACTERS.length ** flags > WINDASH_VARIANTS_MAX) {
    throw new RuleInvalid('A value with |windash has too many flags.');
  }
  let variants = [pieces[0] ?? ''];
  for (let i = 1; i < pieces.length; i += 2) {
    variants = variants.flatMap((start) => WINDASH_CHARACTERS.map((dash) => `${start}${dash}${pieces[i + 1] ?? ''}`));
  }
  return variants;
}
