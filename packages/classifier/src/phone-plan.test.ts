import examples from 'libphonenumber-js/examples.mobile.json';
import {
  getCountries,
  getCountryCallingCode,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/max';
import { describe, expect, test } from 'vitest';
import { PhonePlans } from './phone-plan.ts';
import { PHONE_REGIONS } from './phone.ts';

const plans = new PhonePlans();
const digitsIn = (text: string): string => text.replaceAll(/\D/g, '');

/** An example of a mobile number, and what becomes of it by dropping, doubling and changing digits. */
function variantsOf(national: string): string[] {
  const changed = Array.from('0123456789', (digit) => [
    digit + national.slice(1),
    national.slice(0, 2) + digit.repeat(3),
  ]);
  return [national, national.slice(1), `${national}5`, `0${national}`, `1${national}`, ...changed.flat()];
}

describe('a verdict from the plan is the library’s', () => {
  test.each(getCountries())('%s, with its calling code and at home', (country) => {
    let decided = 0;
    const wrong: string[] = [];
    const compare = (text: string, region: CountryCode | undefined): void => {
      const verdict = plans.isValid(text, digitsIn(text), region);
      if (verdict === undefined) return;
      decided++;
      const number = region ? parsePhoneNumberFromString(text, region) : parsePhoneNumberFromString(text);
      if (verdict !== (number?.isValid() === true)) wrong.push(`${text} ${region ?? ''}`);
    };
    for (const national of variantsOf(examples[country] ?? '2015550123')) {
      compare(`+${getCountryCallingCode(country)} ${national.slice(0, 3)} ${national.slice(3)}`, undefined);
      for (const region of [country, ...PHONE_REGIONS]) compare(national, region);
    }
    expect(wrong).toEqual([]);
    expect(decided).toBeGreaterThan(0);
  });

  test.each(['+49 30 901820 x12', '+1 415 555 2671;ext=5', '\u{ff0b}4930901820'])(
    '%s is left to the library',
    (text) => {
      expect(plans.isValid(text, digitsIn(text), undefined)).toBeUndefined();
    },
  );
});
