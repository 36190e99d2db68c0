import { digitsOf, isRepetitive, passesLuhn, weighted } from './checksums.ts';

const compact = (value: string): string => value.replaceAll(/[^0-9A-Za-z]/g, '').toUpperCase();

/** UK NHS number: weights 10…2, mod 11. */
function isNhs(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 10 || isRepetitive(digits)) return false;
  const check = (11 - (weighted(digits.slice(0, 9), [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check === Number(digits[9]);
}

/** US national provider identifier: begins with 1 or 2, Luhn with the prefix 80840 (45 CFR 162.406). */
function isNpi(value: string): boolean {
  const digits = digitsOf(value);
  return /^[12]\d{9}$/.test(digits) && passesLuhn(`80840${digits}`) && !isRepetitive(digits.slice(1));
}

const MBI = /^[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d\d$/;

/** US Medicare beneficiary identifier: letters without S, L, O, I, B and Z in fixed places (CMS). */
function isMbi(value: string): boolean {
  return MBI.test(compact(value));
}

/** US DEA registration: two letters, seven digits, check digit from odd and doubled even places. */
function isDea(value: string): boolean {
  const match = /^[A-HJ-NPR-UX][A-Z9](\d)(\d)(\d)(\d)(\d)(\d)(\d)$/.exec(value.toUpperCase());
  if (!match) return false;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, check = 0] = match.slice(1).map(Number);
  return (a + c + e + 2 * (b + d + f)) % 10 === check;
}

/** Australian Medicare card: first digit 2-6, weights 1, 3, 7, 9, check in the ninth place. */
function isAuMedicare(value: string): boolean {
  const digits = digitsOf(value);
  return (
    /^[2-6]\d{9,10}$/.test(digits) && weighted(digits.slice(0, 8), [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8])
  );
}

/** German health insurance number: a letter (as its two-digit position), eight digits, alternating weights 1 and 2. */
function isDeHealthInsurance(value: string): boolean {
  const text = compact(value);
  if (!/^[A-Z]\d{9}$/.test(text)) return false;
  const digits = String(text.charCodeAt(0) - 64).padStart(2, '0') + text.slice(1, 9);
  let sum = 0;
  for (let i = 0; i < 10; i++) {
    const product = Number(digits[i]) * (i % 2 === 0 ? 1 : 2);
    sum += product > 9 ? product - 9 : product;
  }
  return sum % 10 === Number(text[9]);
}

/** German doctor's number: six digits, check digit with weights 4 and 9, two digits of specialty. */
function isDeLanr(value: string): boolean {
  if (!/^\d{9}$/.test(value)) return false;
  const sum = weighted(value.slice(0, 6), [4, 9, 4, 9, 4, 9]);
  return (10 - (sum % 10)) % 10 === Number(value[6]);
}

/** Associations of physicians, by the first two digits of their practices' numbers. */
const PHYSICIAN_REGIONS = new Set(
  (
    '01 02 03 17 20 21 24 25 27 28 31 35 36 38 46 47 48 49 50 51 52 55 60 61 62 63 68 71 72 73 ' +
    '74 78 79 80 81 83 85 86 87 88 93 94 95 96 97 98 99'
  ).split(' '),
);

/** German practice's number: regional code of an association of physicians first. */
function isDeBsnr(value: string): boolean {
  return /^\d{9}$/.test(value) && PHYSICIAN_REGIONS.has(value.slice(0, 2)) && !/^\d{2}0{7}$/.test(value);
}

export const healthValidators: Readonly<Record<string, (value: string) => boolean>> = {
  nhs: isNhs,
  npi: isNpi,
  mbi: isMbi,
  dea: isDea,
  au_medicare: isAuMedicare,
  de_health_insurance: isDeHealthInsurance,
  de_lanr: isDeLanr,
  de_bsnr: isDeBsnr,
};
