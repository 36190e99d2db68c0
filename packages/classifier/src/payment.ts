import { isRepetitive, mod97, passesLuhn } from './checksums.ts';

/** Issuer identification number ranges (first six digits) and the lengths each scheme issues; ISO/IEC 7812. */
const ISSUERS: readonly (readonly [string, number, number, readonly number[]])[] = [
  ['visa', 400000, 499999, [13, 16, 19]],
  ['mastercard', 510000, 559999, [16]],
  ['mastercard', 222100, 272099, [16]],
  ['amex', 340000, 349999, [15]],
  ['amex', 370000, 379999, [15]],
  ['discover', 601100, 601199, [16, 19]],
  ['discover', 644000, 659999, [16, 19]],
  ['unionpay', 620000, 629999, [16, 17, 18, 19]],
  ['unionpay', 810000, 817199, [16, 17, 18, 19]],
  ['diners', 300000, 305999, [14, 16, 19]],
  ['diners', 309500, 309599, [14, 16, 19]],
  ['diners', 360000, 369999, [14, 16, 19]],
  ['diners', 380000, 399999, [14, 16, 19]],
  ['jcb', 352800, 358999, [16, 17, 18, 19]],
  ['jcb', 180000, 180099, [15]],
  ['jcb', 213100, 213199, [15]],
  ['uatp', 100000, 199999, [15]],
  ['mir', 220000, 220499, [16, 17, 18, 19]],
  ['troy', 979200, 979299, [16]],
  ['rupay', 508000, 508999, [16]],
  ['rupay', 606900, 608599, [16]],
  ['maestro', 500000, 507999, [16, 17, 18, 19]],
  ['maestro', 560000, 589999, [16, 17, 18, 19]],
  ['maestro', 600000, 601099, [16, 17, 18, 19]],
  ['maestro', 630000, 643999, [16, 17, 18, 19]],
  ['maestro', 660000, 699999, [16, 17, 18, 19]],
];

/** Scheme that issues a number with these digits, or undefined. Luhn is not looked at. */
export function issuerOf(digits: string): string | undefined {
  const prefix = Number(digits.slice(0, 6));
  for (const [name, from, to, lengths] of ISSUERS) {
    if (prefix >= from && prefix <= to && lengths.includes(digits.length)) return name;
  }
  return undefined;
}

/** Numbers that payment providers publish for tests; whether they count is a policy's choice. */
const TEST_CARDS: ReadonlySet<string> = new Set([
  '4242424242424242',
  '4000056655665556',
  '4111111111111111',
  '4012888888881881',
  '4222222222222',
  '5555555555554444',
  '5200828282828210',
  '5105105105105100',
  '2223003122003222',
  '378282246310005',
  '371449635398431',
  '6011111111111117',
  '6011000990139424',
  '3056930009020004',
  '36227206271667',
  '3566002020360505',
  '6200000000000005',
  '30569309025904',
  '38520000023237',
  '378734493671000',
  '3530111333300000',
]);

export function isTestCard(digits: string): boolean {
  return TEST_CARDS.has(digits);
}

/** A card number: an issuer's range, that issuer's lengths, and Luhn. */
export function isPaymentCard(digits: string): boolean {
  return issuerOf(digits) !== undefined && passesLuhn(digits) && !isRepetitive(digits);
}

/** Length of an IBAN in each country of the SWIFT IBAN registry, plus territories and countries with partial use. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AX: 18,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BL: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GF: 27,
  GG: 22,
  GI: 23,
  GL: 18,
  GP: 27,
  GR: 27,
  GT: 28,
  HN: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IM: 22,
  IQ: 23,
  IS: 26,
  IT: 27,
  JE: 22,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MF: 27,
  MG: 27,
  MK: 19,
  MN: 20,
  MQ: 27,
  MR: 27,
  MT: 31,
  MU: 30,
  NC: 27,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PF: 27,
  PK: 24,
  PL: 28,
  PM: 27,
  PS: 29,
  PT: 25,
  PY: 28,
  QA: 29,
  RE: 27,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TF: 27,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  WF: 27,
  XK: 20,
  YE: 30,
  YT: 27,
  AO: 25,
  BF: 28,
  BJ: 28,
  CF: 27,
  CG: 27,
  CI: 28,
  CM: 27,
  CV: 25,
  DZ: 26,
  GA: 27,
  GQ: 27,
  GW: 25,
  IR: 26,
  KM: 27,
  MA: 28,
  ML: 28,
  MZ: 25,
  NE: 28,
  SN: 28,
  TD: 27,
  TG: 28,
};

/** Length that an IBAN of this country has; 0 where the country has none. */
function ibanLength(country: string): number {
  return IBAN_LENGTHS[country] ?? 0;
}

/** Lengths by the letters' places in the alphabet, five bits each. */
const LENGTHS_BY_LETTERS: Uint8Array = (() => {
  const lengths = new Uint8Array(1024);
  for (const [country, length] of Object.entries(IBAN_LENGTHS))
    lengths[((country.charCodeAt(0) & 31) << 5) | (country.charCodeAt(1) & 31)] = length;
  return lengths;
})();

/** The same for two bytes that may be letters of either case. */
export function ibanLengthOf(first: number, second: number): number {
  const letters = (first & 0xc0) === 0x40 && (second & 0xc0) === 0x40;
  return letters ? (LENGTHS_BY_LETTERS[((first & 31) << 5) | (second & 31)] ?? 0) : 0;
}

/** First letters of the national part, where the registry fixes them as a bank code of four letters. */
const BANK_LETTERS = new Set('AZ BG BH DO GB GI GT IE IQ JO KW LC LV NL NI OM PK PS QA RO SC SV VG YE'.split(' '));
/** Countries whose national part is digits throughout. */
const ALL_DIGITS = new Set(
  (
    'AE AT BA BE BI CR CZ DE DK EE ES FI FO GL HR HU IL IS LT ME NO PL PT RS SE SI SK TN VA XK LY MN SD SO ST TL ' +
    'MR DJ'
  ).split(' '),
);

/** An IBAN without spaces, upper case: country's length, shape of its national part, MOD 97-10 (ISO 13616). */
export function isIban(iban: string): boolean {
  const country = iban.slice(0, 2);
  if (ibanLength(country) !== iban.length) return false;
  if (ALL_DIGITS.has(country) && !/^\d+$/.test(iban.slice(4))) return false;
  if (BANK_LETTERS.has(country) && !/^[A-Z]{4}/.test(iban.slice(4))) return false;
  return mod97(iban.slice(4) + iban.slice(0, 4)) === 1;
}

/** ABA routing number: Federal Reserve prefix and weights 3, 7, 1. */
export function isAbaRouting(digits: string): boolean {
  const prefix = Number(digits.slice(0, 2));
  const assigned = prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) || prefix === 80;
  if (digits.length !== 9 || !assigned || digits === '000000000') return false;
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += Number(digits[i]) * ([3, 7, 1][i % 3] ?? 0);
  return sum % 10 === 0;
}
