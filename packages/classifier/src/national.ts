import {
  digitsOf,
  icaoCheckDigit,
  isRepetitive,
  passesLuhn,
  passesMod11and10,
  passesVerhoeff,
  weighted,
} from './checksums.ts';
import { healthValidators } from './health.ts';

const compact = (value: string): string => value.replaceAll(/[^0-9A-Za-z]/g, '').toUpperCase();

/** Printed on wallets, forms and advertisements, and never anyone's (Social Security Administration). */
const SPECIMEN_SSNS = new Set(['078051120', '219099999', '123456789', '987654321', '457555462']);

/** US social security number: no area 000, 666 or 9xx, no zero group or serial, none of the famous specimens. */
function isUsSsn(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 9) return false;
  const area = digits.slice(0, 3);
  if (area === '000' || area === '666' || area >= '900') return false;
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return false;
  return !isRepetitive(digits) && !SPECIMEN_SSNS.has(digits);
}

/** US individual taxpayer number: 9xx, with the group ranges of IRS publication 1915. */
function isUsItin(value: string): boolean {
  const group = Number(digitsOf(value).slice(3, 5));
  return (
    value.startsWith('9') &&
    ((group >= 50 && group <= 65) ||
      (group >= 70 && group <= 88) ||
      (group >= 90 && group <= 92) ||
      (group >= 94 && group <= 99))
  );
}

/** Month and day exist; century is not known, so 29 February always may. */
function isMonthDay(month: number, day: number): boolean {
  return (
    month >= 1 && month <= 12 && day >= 1 && day <= ([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0)
  );
}

/** A date written year, month, day with two digits each. */
function isShortDate(yymmdd: string): boolean {
  return isMonthDay(Number(yymmdd.slice(2, 4)), Number(yymmdd.slice(4, 6)));
}

/** Canadian SIN: Luhn, first digit 1-7 or 9 (0 and 8 are not issued). */
function isCaSin(value: string): boolean {
  const digits = digitsOf(value);
  return /^[1-79]/.test(digits) && passesLuhn(digits) && !isRepetitive(digits);
}

/** German tax id: exactly one digit occurs two or three times among the first ten, the rest at most once; mod 11-10. */
function isDeTaxId(value: string): boolean {
  const digits = digitsOf(value);
  if (!/^[1-9]\d{10}$/.test(digits)) return false;
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return most <= 3 && passesMod11and10(digits);
}

/** German pension insurance number: area, birth date, initial letter, serial; weighted digit sums (VKVV § 4). */
function isDeSocialSecurity(value: string): boolean {
  const match = /^(\d{2})(\d{2})(\d{2})(\d{2})([A-Z])(\d{2})(\d)$/.exec(compact(value));
  if (!match) return false;
  const [, area = '', day = '', month = '', year = '', letter = '', serial = '', check = ''] = match;
  // Days above 31 mark numbers given out twice for the same date.
  if (!isMonthDay(Number(month), Number(day) > 31 ? Number(day) - 50 || 1 : Number(day)) && Number(day) <= 31)
    return false;
  if (Number(month) < 1 || Number(month) > 12 || Number(day) === 0) return false;
  const position = String(letter.charCodeAt(0) - 64).padStart(2, '0');
  const digits = area + day + month + year + position + serial;
  const weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
  let sum = 0;
  for (let i = 0; i < 12; i++) {
    const product = Number(digits[i]) * (weights[i] ?? 0);
    sum += Math.floor(product / 10) + (product % 10);
  }
  return sum % 10 === Number(check);
}

/** German VAT number: mod 11-10 over nine digits. */
function isDeVat(value: string): boolean {
  const digits = digitsOf(value);
  return /^[1-9]\d{8}$/.test(digits) && passesMod11and10(digits);
}

/** German identity card and passport: the last digit checks what is before it (ICAO 9303). */
function isDeDocument(value: string): boolean {
  const text = compact(value);
  const serial = text.slice(0, -1);
  return /\d$/.test(text) && icaoCheckDigit(serial) === Number(text.at(-1));
}

/** Indian Aadhaar: Verhoeff, first digit 2-9, no palindrome. */
function isAadhaar(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 12 || digits < '2') return false;
  return passesVerhoeff(digits) && digits !== Array.from(digits).reverse().join('');
}

/** Indian GSTIN: state code, PAN, entity, Z, check sign (base 36, alternating factors); without the strict check. */
function isGstinForm(value: string): boolean {
  const match = /^(\d{2})[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/.exec(value.toUpperCase());
  const state = Number(match?.[1]);
  return state >= 1 && state <= 37;
}

/** Finnish personal identity code: date, century sign, serial from 002, check sign of the number mod 31. */
function isFiHetu(value: string): boolean {
  const match = /^(\d{2})(\d{2})(\d{2})([-+A-FU-Y])(\d{3})([0-9A-Y])$/i.exec(value);
  if (!match) return false;
  const [, day = '', month = '', year = '', , serial = '', check = ''] = match;
  if (!isMonthDay(Number(month), Number(day)) || Number(serial) < 2) return false;
  return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(day + month + year + serial) % 31] === check.toUpperCase();
}

/** Korean resident or foreigner number: date, century and sex digit in a range; the check digit ended in 2020. */
function isKrNumber(value: string, kinds: string): boolean {
  const match = /^(\d{6})-?(\d)\d{6}$/.exec(value);
  return match !== null && isShortDate(match[1] ?? '') && kinds.includes(match[2] ?? '?');
}

/** Swedish personal number with ten or twelve digits: date (day plus 60 for coordination numbers) and Luhn. */
function isSePersonnummer(value: string): boolean {
  const digits = digitsOf(value);
  const short = digits.slice(-10);
  const day = Number(short.slice(4, 6));
  return (
    (digits.length === 10 || /^(?:18|19|20)\d{10}$/.test(digits)) &&
    isMonthDay(Number(short.slice(2, 4)), day > 60 ? day - 60 : day) &&
    passesLuhn(short)
  );
}

/** Swedish organisation number: third digit at least 2, Luhn. */
function isSeOrg(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length === 10 && Number(digits[2]) >= 2 && /^[1-9]/.test(digits) && passesLuhn(digits);
}

/** Thai national id: first digit 1-8, weights 13…2, mod 11. */
function isThId(value: string): boolean {
  const digits = digitsOf(value);
  // The second and third digits are the province, 10 to 96.
  if (!/^[1-8](?:[1-8]\d|9[0-6])\d{10}$/.test(digits)) return false;
  return (
    (11 - (weighted(digits.slice(0, 12), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(digits[12])
  );
}

/** South African id: birth date, citizenship 0-2, Luhn. */
function isZaId(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length === 13 && isShortDate(digits) && /[012]/.test(digits[10] ?? '') && passesLuhn(digits);
}

/** Polish PESEL: weights 1, 3, 7, 9; month carries the century. */
function isPesel(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 11) return false;
  const month = Number(digits.slice(2, 4)) % 20;
  return (
    isMonthDay(month, Number(digits.slice(4, 6))) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  );
}

/** Turkish national id: eleven digits, two check digits. */
function isTrId(value: string): boolean {
  const d = Array.from(digitsOf(value), Number);
  if (d.length !== 11 || d[0] === 0) return false;
  const at = (index: number): number => d[index] ?? 0;
  const odd = at(0) + at(2) + at(4) + at(6) + at(8);
  const even = at(1) + at(3) + at(5) + at(7);
  return (((odd * 7 - even) % 10) + 10) % 10 === at(9) && (odd + even + at(9)) % 10 === at(10);
}

/** UK national insurance number: prefix letters that are issued, suffix A-D. */
function isUkNino(value: string): boolean {
  return (
    /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?$/.test(compact(value)) &&
    !/^..000000/.test(compact(value))
  );
}

/** Spanish DNI and NIE: letter of the number mod 23, X, Y and Z standing for 0, 1 and 2. */
function isEsLetter(value: string): boolean {
  const match = /^([XYZ]?)(\d{7,8})([A-Z])$/.exec(compact(value));
  if (!match) return false;
  const number = Number(`${match[1] ? 'XYZ'.indexOf(match[1]) : ''}${match[2]}`);
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === match[3];
}

/** Nigerian NIN: eleven digits, Verhoeff. */
function isNgNin(value: string): boolean {
  return /^\d{11}$/.test(value) && passesVerhoeff(value);
}

/** Chilean RUT and RUN: digits from the right times 2 to 7, check sign 0-9 or K (mod 11). */
function isClRut(value: string): boolean {
  const text = compact(value).replace(/^CL/, '');
  if (!/^\d{7,8}[\dK]$/.test(text)) return false;
  let sum = 0;
  for (let i = text.length - 2, weight = 2; i >= 0; i--, weight = weight === 7 ? 2 : weight + 1)
    sum += Number(text[i]) * weight;
  return '0K987654321'[sum % 11] === text.at(-1);
}

/** Uruguayan identity number: weights 2, 9, 8, 7, 6, 3, 4 over seven digits; foreigners' begin with a 9 before those. */
function isUyCedula(value: string): boolean {
  const digits = digitsOf(value).padStart(8, '0');
  const own = digits.slice(-8);
  if (digits.length > 9 || digits.length < 8 || /[A-Za-z]/.test(value)) return false;
  return (10 - (weighted(own.slice(0, 7), [2, 9, 8, 7, 6, 3, 4]) % 10)) % 10 === Number(own[7]);
}

/** Luhn over digits alone, at least eight and not all the same. */
function isLuhnNumber(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length >= 8 && passesLuhn(digits) && !isRepetitive(digits);
}

/** Validators by name for the `validator` field of detector files. */
export const nationalValidators: Readonly<Record<string, (value: string) => boolean>> = {
  us_ssn: isUsSsn,
  us_itin: isUsItin,
  ca_sin: isCaSin,
  de_tax_id: isDeTaxId,
  de_social_security: isDeSocialSecurity,
  de_vat: isDeVat,
  de_document: isDeDocument,
  de_id_card: (value) => isDeDocument(value) || /^T\d{8}$/i.test(value),
  aadhaar: isAadhaar,
  gstin_form: isGstinForm,
  fi_hetu: isFiHetu,
  kr_rrn: (value) => isKrNumber(value, '1234'),
  kr_frn: (value) => isKrNumber(value, '5678'),
  se_personnummer: isSePersonnummer,
  se_org: isSeOrg,
  th_id: isThId,
  za_id: isZaId,
  pesel: isPesel,
  tr_id: isTrId,
  uk_nino: isUkNino,
  es_letter: isEsLetter,
  ng_nin: isNgNin,
  cl_rut: isClRut,
  uy_cedula: isUyCedula,
  luhn_number: isLuhnNumber,
  ...healthValidators,
};
