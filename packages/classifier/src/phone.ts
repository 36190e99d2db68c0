import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { digitsOf } from './checksums.ts';
import { PhonePlans } from './phone-plan.ts';

export interface FoundPhone {
  offset: number;
  length: number;
  confidence: number;
  reason: string;
}

export interface PhoneJudge {
  /** `context`: a key or a word nearby speaks of a phone. `lone`: the text is nothing but this number. */
  judge(text: string, context: boolean, lone: boolean): FoundPhone | undefined;
}

/** Regions whose national form is tried on numbers without a country code, in this order. */
export const PHONE_REGIONS: readonly CountryCode[] = [
  'US',
  'GB',
  'DE',
  'FR',
  'IN',
  'IL',
  'BR',
  'AU',
  'IT',
  'ES',
  'NL',
  'CH',
  'PH',
  'TR',
  'CN',
  'JP',
  'KR',
  'MX',
  'SE',
  'PL',
  'AT',
  'BE',
  'IE',
  'ZA',
  'SG',
  'NZ',
];

/** North American numbers as people write them: `(212) 555-0123`, `212-555-0123`, `212.555.0123`, each with an optional 1. */
const NORTH_AMERICAN = /^(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}$/;
/** Several groups, a leading zero: a national number of most of Europe. */
const GROUPED_NATIONAL = /^\(?0\d{1,4}\)?[ /-]\d{2,8}(?:[ -]\d{2,5}){0,4}$/;
/** With a word for a phone beside it: three groups or more, or one in brackets, and an extension. */
const GROUPED =
  /^(?:\+?\d{1,4}[ .-])?(?:\(\d{1,5}\)|\d{2,4})[ .-]\d{2,4}[ .-]\d{2,5}(?:[ .-]\d{2,4})*$|^\(\d{1,5}\)[ .-]?\d{3,8}$/;
const EXTENSION = / ?(?:x|ext\.?) ?\d{1,6}$/i;
const DATE_LIKE = /^(?:\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4})(?:[ .]\d{2})*$/;

/** Numbers remembered with their verdict; forgotten all at once, so that memory stays bounded. */
const KNOWN_MAX = 2048;

export function createPhoneJudge(regions: readonly CountryCode[] = PHONE_REGIONS): PhoneJudge {
  const known = new Map<string, FoundPhone | undefined>();
  const plans = new PhonePlans();
  function isValid(text: string, region?: CountryCode): boolean {
    const verdict = plans.isValid(text, digitsOf(text), region);
    if (verdict !== undefined) return verdict;
    const number = region === undefined ? parsePhoneNumberFromString(text) : parsePhoneNumberFromString(text, region);
    return number?.isValid() === true;
  }
  function decide(text: string, context: boolean, lone: boolean): FoundPhone | undefined {
    const at = (confidence: number, reason: string): FoundPhone => ({
      offset: 0,
      length: text.length,
      confidence,
      reason,
    });
    const main = text.replace(EXTENSION, '');
    const digits = digitsOf(main);
    if (text.startsWith('+') || text.startsWith('(+')) {
      if (isValid(text.startsWith('(') ? text.slice(1).replace(')', '') : text))
        return at(context ? 0.97 : 0.9, 'phone:international');
      return context && digits.length >= 8 ? at(0.6, 'phone:form') : undefined;
    }
    if (DATE_LIKE.test(text)) return undefined;
    if (digits.length > 15) return undefined;
    if (NORTH_AMERICAN.test(text) && isValid(text, 'US')) return at(context ? 0.95 : 0.75, 'phone:US');
    if (!context && !lone && !GROUPED_NATIONAL.test(text)) return undefined;
    for (const region of regions) {
      if (isValid(text, region)) return at(context ? 0.85 : 0.5, `phone:${region}`);
    }
    if (text.startsWith('00') && isValid(`+${text.slice(2)}`)) return at(context ? 0.85 : 0.6, 'phone:international');
    return context && (NORTH_AMERICAN.test(main) || GROUPED.test(main)) ? at(0.6, 'phone:form') : undefined;
  }
  return {
    judge(text, context, lone) {
      const key = `${context ? 1 : 0}${lone ? 1 : 0}${text}`;
      const found = known.get(key);
      if (found !== undefined || known.has(key)) return found;
      // Parsing costs tens of microseconds, and the same numbers come again and again.
      if (known.size >= KNOWN_MAX) known.clear();
      const decided = decide(text, context, lone);
      known.set(key, decided);
      return decided;
    },
  };
}
