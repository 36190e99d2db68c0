import type { Random } from '../token-secret.ts';
import { hashSecret } from '../token-secret.ts';

export const RECOVERY_CODES = 10;
/** 80 bits: beyond guessing, also offline against the stored hash. */
const CODE_BYTES = 10;
/** Crockford base 32: no I, L, O, U, which are misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function encode(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return text;
}

/** Fresh codes, to be shown once as `XXXX-XXXX-XXXX-XXXX`. */
export function makeRecoveryCodes(random: Random): { codes: string[]; hashes: Buffer[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => encode(random(CODE_BYTES)).replace(/(.{4})(?=.)/g, '$1-'));
  return { codes, hashes: codes.map((code) => hashRecoveryCode(code)) };
}

/** Hash of a code as someone typed it: case, spaces and dashes don't matter, misread letters are put right. */
export function hashRecoveryCode(typed: string): Buffer {
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return hashSecret(`recovery:${plain}`);
}
