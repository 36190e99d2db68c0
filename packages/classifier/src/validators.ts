import { stdnum } from 'stdnum';
import { passesLuhn } from './checksums.ts';
import { DetectorInvalid } from './errors.ts';
import { nationalValidators } from './national.ts';
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
  aba: (value) => isAbaRouting(compact(value)),
  ...nationalValidators,
};

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
