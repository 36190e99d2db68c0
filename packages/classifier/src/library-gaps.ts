import { stdnum } from 'stdnum';
import { digitsOf, weighted } from './checksums.ts';

/**
 * National numbers for which the library (stdnum 1.12) falls short of the issuer's rule: separators it does not take,
 * leading zeros that people leave out, and checks that have changed since.
 */

function inLibrary(country: string, name: string, value: string): boolean {
  try {
    return stdnum[country]?.[name]?.validate(value).isValid === true;
  } catch {
    // The library throws on some malformed input; either way it is no valid number.
    return false;
  }
}

/** Argentine bank account: a bank's block of 8 digits and an account's of 14, each with its own check digit. */
function isArCbu(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 22) return false;
  const bank = weighted(digits.slice(0, 7), [7, 1, 3, 9, 7, 1, 3]) + Number(digits[7]);
  const account = weighted(digits.slice(8, 21), [3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3]) + Number(digits[21]);
  return bank % 10 === 0 && account % 10 === 0;
}

/** Taiwanese business number: since April 2023 the sum need only divide by 5; a 7 in the seventh place counts 0 or 1. */
function isTwBusiness(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 8) return false;
  const weights = [1, 2, 1, 2, 1, 2, 4, 1];
  let sum = 0;
  for (const [i, weight] of weights.entries()) {
    const product = Number(digits[i]) * weight;
    sum += Math.floor(product / 10) + (product % 10);
  }
  return sum % 5 === 0 || (digits[6] === '7' && (sum + 1) % 5 === 0);
}

/** Spanish tax number of a person or company; a DNI may be written without its leading zero. */
function isEsNif(value: string): boolean {
  const short = /^(\d{7})-?([A-Z])$/i.exec(value);
  return inLibrary('ES', 'nif', short ? `0${short[1]}${short[2]}` : value);
}

/** Validators by name for the `validator` field of detector files. */
export const libraryGapValidators: Readonly<Record<string, (value: string) => boolean>> = {
  ar_cbu: isArCbu,
  tw_ubn: isTwBusiness,
  es_nif: isEsNif,
  uy_nie: (value) => inLibrary('UY', 'nie', digitsOf(value)),
};
