import { stdnum } from 'stdnum';
import { mod97, passesLuhn } from './checksums.ts';
import { DetectorInvalid } from './errors.ts';
import { libraryGapValidators } from './library-gaps.ts';
import { nationalValidators } from './national.ts';
import { isJwt } from './jwt.ts';
import { isIpv4 } from './network.ts';
import { isAbaRouting, isIban, isPaymentCard } from './payment.ts';

/** Decides whether a candidate, exactly as written, is a number of its kind. */
export type Validator = (value: string) => boolean;

function compact(value: string): string {
  return value.replaceAll(/[^0-9A-Za-z]/g, '').toUpperCase();
}

const OWN: Readonly<Record<string, Validator>> = {
  luhn: (value) => passesLuhn(compact(value)),
  card: (value) => isPaymentCard(compact(value)),
  iban: (value) => isIban(compact(value)),
  ipv4: isIpv4,
  jwt: isJwt,
  vin: isVin,
  isin: isIsin,
  mod97_1: (value) => mod97(compact(value)) === 1,
  aba: (value) => isAbaRouting(compact(value)),
  ...nationalValidators,
  ...libraryGapValidators,
};

/** Vehicle identification number (ISO 3779) with the North American check digit in the ninth place. */
function isVin(value: string): boolean {
  const text = value.toUpperCase();
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  let sum = 0;
  for (let i = 0; i < 17; i++) {
    const sign = text[i] ?? '';
    const position = 'ABCDEFGH..JKLMN.P.R..STUVWXYZ'.indexOf(sign);
    // Letters count 1-9 along A-H, J-R and S-Z (from 2).
    const worth = /\d/.test(sign)
      ? Number(sign)
      : position < 10
        ? position + 1
        : position < 20
          ? position - 9
          : position - 19;
    sum += worth * (weights[i] ?? 0);
  }
  const check = sum % 11;
  return text[8] === (check === 10 ? 'X' : String(check));
}

/** Securities identifier: letters become two digits, then Luhn (ISO 6166 annex A). */
function isIsin(value: string): boolean {
  return passesLuhn(value.toUpperCase().replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)));
}

/** A checksum by name: one of this package's own, or `stdnum:us.ssn` for one of the library's. */
export function validatorNamed(name: string): Validator {
  const own = OWN[name];
  if (own) return own;
  const library = /^stdnum:([a-z]+)\.([a-z0-9_]+)$/i.exec(name);
  const validator = library ? stdnum[(library[1] ?? '').toUpperCase()]?.[library[2] ?? ''] : undefined;
  if (!validator) throw new DetectorInvalid(`no validator named ${name}`, { name });
  return (value) => {
    try {
      return validator.validate(value).isValid;
    } catch {
      // The library throws on some malformed input instead of returning its error; either way it is no valid number.
      return false;
    }
  };
}
