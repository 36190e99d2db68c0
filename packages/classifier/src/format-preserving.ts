import { FF1 } from '@noble/ciphers/ff1.js';
import { DomainTooSmall } from './errors.ts';

/** NIST SP 800-38G rev. 1, section 4.2: at least a million values must fit the format. */
const DOMAIN_MIN = 1_000_000;

const ALPHABETS: readonly string[] = ['0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'];

function alphabetOf(sign: string): string | undefined {
  return ALPHABETS.find((alphabet) => alphabet.includes(sign));
}

/**
 * Digits are encrypted among digits, and letters among letters of their case, each alphabet as one number; other signs
 * stay where they are. What has fewer than a million values is left to be refused as a whole.
 */
function convert(value: string, key: Uint8Array, tweak: Uint8Array, encrypt: boolean): string {
  const signs = Array.from(value);
  let converted = 0;
  for (const alphabet of ALPHABETS) {
    const places = signs.flatMap((sign, index) => (alphabetOf(sign) === alphabet ? [index] : []));
    if (alphabet.length ** places.length < DOMAIN_MIN) continue;
    const cipher = FF1(alphabet.length, key, tweak);
    const numbers = places.map((place) => alphabet.indexOf(signs[place] ?? ''));
    const result = encrypt ? cipher.encrypt(numbers) : cipher.decrypt(numbers);
    for (const [index, place] of places.entries()) signs[place] = alphabet[result[index] ?? 0] ?? '';
    converted++;
  }
  if (converted === 0) throw new DomainTooSmall('fewer than a million values have this format', { least: DOMAIN_MIN });
  return signs.join('');
}

/** Encrypts within the format of the value (FF1). Throws `DomainTooSmall`. */
export function encryptFormat(value: string, key: Uint8Array, tweak: Uint8Array): string {
  return convert(value, key, tweak, true);
}

/** Undoes `encryptFormat` under the same key and tweak. */
export function decryptFormat(value: string, key: Uint8Array, tweak: Uint8Array): string {
  return convert(value, key, tweak, false);
}
