import { createHmac } from 'node:crypto';

const SHINGLE_WORDS = 4;
const WORDS_MAX = 20_000;
/** Shorter texts are alike by chance: greetings, templates. */
const SHINGLES_MIN = 12;
const BANDS = 16;
const ROWS = 4;
const PLACES = BANDS * ROWS;
const PLACE_BYTES = 4;
const MERSENNE_31 = 2_147_483_647;

export interface DocumentSignature {
  /** 64 places of 32 bits. */
  readonly signature: Buffer;
  /** Documents that share a band are compared: 16 bands of 4 rows find pairs alike by 0.7 with probability 0.99. */
  readonly bands: readonly string[];
}

/** Constants of the permutations, derived from the key: without it nobody can tell which texts have a signature. */
function permutations(key: Buffer): { readonly a: number; readonly b: number }[] {
  return Array.from({ length: PLACES }, (_, place) => {
    const bytes = createHmac('sha256', key).update(`minhash ${place}`).digest();
    return { a: 1 + (bytes.readUInt32BE(0) % (MERSENNE_31 - 1)), b: bytes.readUInt32BE(4) % MERSENNE_31 };
  });
}

/** a * x mod 2^31 - 1 without leaving what a double holds exactly. */
function mulMod(a: number, x: number): number {
  const high = Math.floor(a / 65_536);
  const low = a % 65_536;
  return (((((high * x) % MERSENNE_31) * 65_536) % MERSENNE_31) + ((low * x) % MERSENNE_31)) % MERSENNE_31;
}

/** MinHash (Broder, 1997) over shingles of four words; null where the text is too short to be told from others. */
export function signDocument(text: string, key: Buffer): DocumentSignature | null {
  const words =
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, WORDS_MAX) ?? [];
  const shingles = new Set<number>();
  for (let index = 0; index + SHINGLE_WORDS <= words.length; index++) {
    const shingle = words.slice(index, index + SHINGLE_WORDS).join(' ');
    shingles.add(createHmac('sha256', key).update(shingle).digest().readUInt32BE(0) % MERSENNE_31);
  }
  if (shingles.size < SHINGLES_MIN) return null;
  const signature = Buffer.alloc(PLACES * PLACE_BYTES);
  for (const [place, { a, b }] of permutations(key).entries()) {
    let least = MERSENNE_31;
    for (const shingle of shingles) least = Math.min(least, (mulMod(a, shingle) + b) % MERSENNE_31);
    signature.writeUInt32BE(least, place * PLACE_BYTES);
  }
  const width = ROWS * PLACE_BYTES;
  const bands = Array.from({ length: BANDS }, (_, band) => {
    return `${band}.${signature.subarray(band * width, (band + 1) * width).toString('base64url')}`;
  });
  return { signature, bands };
}

/** Share of phrases that two documents have in common, 0 to 1, give or take 0.06. */
export function likeness(a: Buffer, b: Buffer): number {
  let same = 0;
  for (let at = 0; at < PLACES * PLACE_BYTES; at += PLACE_BYTES) {
    if (a.readUInt32BE(at) === b.readUInt32BE(at)) same += 1;
  }
  return same / PLACES;
}
