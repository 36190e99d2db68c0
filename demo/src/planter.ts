import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ALPHANUMERIC = UPPER + LOWER + DIGITS;
/** AWS access key ids are base32, so a detector may refuse 0, 1, 8 and 9. */
const BASE32 = `${UPPER}234567`;
/** GitHub writes the checksum of its tokens in base62 with this order of digits. */
const BASE62 = DIGITS + UPPER + LOWER;

const GITHUB_RANDOM_CHARS = 30;
const GITHUB_CHECKSUM_CHARS = 6;

/**
 * Makes identifiers and secrets that are well formed (checksums hold) but belong to nobody.
 * They are put together here, at run time, so that no file of this repository trips a secret scanner.
 * The same seed plants the same estate.
 */
export interface Planter {
  integer(below: number): number;
  pick<T>(list: readonly T[]): T;
  text(length: number, alphabet?: string): string;
  /** A 16-digit payment card number with a valid Luhn digit. */
  card(): string;
  /** A German IBAN with valid ISO 7064 check digits. */
  iban(): string;
  /** A United States social security number from an area that was issued. */
  ssn(): string;
  /** A telephone number of the range that NANP keeps for fiction (555-0100 to 555-0199). */
  phone(): string;
  awsAccessKey(): string;
  awsSecretKey(): string;
  githubToken(): string;
  slackBotToken(): string;
  stripeKey(): string;
  googleApiKey(): string;
}

/** Completes a number so that its Luhn sum (ISO/IEC 7812-1) is a multiple of ten. */
export function completeLuhn(payload: string): string {
  let sum = 0;
  for (let i = payload.length - 1, double = true; i >= 0; i--, double = !double) {
    const digit = Number(payload[i]) * (double ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return payload + String((10 - (sum % 10)) % 10);
}

/** Puts the check digits of ISO 13616 between a country code and an account number of digits. */
export function completeIban(country: string, account: string): string {
  const letters = Array.from(`${country}00`)
    .map((char) => (/\d/.test(char) ? char : String(char.charCodeAt(0) - 55)))
    .join('');
  const check = 98n - (BigInt(account + letters) % 97n);
  return `${country}${String(check).padStart(2, '0')}${account}`;
}

function base62(value: number, length: number): string {
  let rest = value;
  let text = '';
  do {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text.padStart(length, '0');
}

/** A planter whose choices follow from `seed` alone. */
export function createPlanter(seed: string): Planter {
  let counter = 0;
  const integer = (below: number): number =>
    createHash('sha256').update(`${seed}:${counter++}`).digest().readUInt32BE(0) % below;
  const pick = <T>(list: readonly T[]): T => {
    const chosen = list[integer(list.length)];
    if (chosen === undefined) throw new RangeError('cannot pick from an empty list');
    return chosen;
  };
  const text = (length: number, alphabet: string = ALPHANUMERIC): string =>
    Array.from({ length }, () => alphabet.charAt(integer(alphabet.length))).join('');
  return {
    integer,
    pick,
    text,
    card: () => completeLuhn(pick(['4242', '4539', '5425', '5105']) + text(11, DIGITS)),
    iban: () => completeIban('DE', `37040044${text(10, DIGITS)}`),
    ssn: () => [String(200 + integer(400)), String(10 + integer(89)), String(1000 + integer(8999))].join('-'),
    phone: () => `+1 ${pick(['212', '415', '617', '206'])} 555 01${text(2, DIGITS)}`,
    awsAccessKey: () => ['AK', 'IA', text(16, BASE32)].join(''),
    awsSecretKey: () => text(40),
    githubToken: () => {
      const random = text(GITHUB_RANDOM_CHARS);
      return ['gh', 'p_', random, base62(crc32(random), GITHUB_CHECKSUM_CHARS)].join('');
    },
    slackBotToken: () => ['xo', 'xb-', text(12, '123456789'), '-', text(12, '123456789'), '-', text(24)].join(''),
    stripeKey: () => ['sk', '_live_', text(32)].join(''),
    googleApiKey: () => ['AI', 'za', text(35)].join(''),
  };
}
