import metadata from 'libphonenumber-js/max/metadata';
import type { CountryCode } from 'libphonenumber-js/max';

/** What of a country's row in the library's metadata (version 4) decides whether a number is valid, compiled. */
interface Plan {
  readonly callingCode: string;
  readonly internationalPrefix: RegExp;
  readonly general: RegExp;
  readonly lengths: readonly number[];
  /** What comes before a national number when it is dialled at home. */
  readonly nationalPrefix: RegExp | undefined;
  readonly leadingDigits: RegExp | undefined;
  readonly kinds: readonly { readonly pattern: RegExp; readonly lengths: readonly number[] }[];
}

/** National numbers that the library takes, in digits (its MIN_LENGTH_FOR_NSN and MAX_LENGTH_FOR_NSN). */
const NATIONAL_DIGITS_MIN = 2;
const NATIONAL_DIGITS_MAX = 17;

/** Nothing but digits and the signs between them: no extension, which only the library reads. */
const PLAIN = /^\+?[\d ()./-]+$/;

const entire = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const atStart = (pattern: string): RegExp => new RegExp(`^(?:${pattern})`);

/** Places in a row of the metadata. */
const CALLING_CODE = 0;
const INTERNATIONAL_PREFIX = 1;
const GENERAL = 2;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;
const NATIONAL_PREFIX_FOR_PARSING = 7;
const LEADING_DIGITS = 10;
const KINDS = 11;

const textAt = (row: readonly unknown[], place: number): string => {
  const value = row[place];
  return typeof value === 'string' ? value : '';
};
const numbersAt = (row: readonly unknown[], place: number): number[] => {
  const value = row[place];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : [];
};

function compilePlan(row: readonly unknown[]): Plan {
  const lengths = numbersAt(row, LENGTHS);
  const prefix = textAt(row, NATIONAL_PREFIX_FOR_PARSING) || textAt(row, NATIONAL_PREFIX);
  const leading = textAt(row, LEADING_DIGITS);
  const rows: unknown = row[KINDS];
  const kinds = (Array.isArray(rows) ? rows : []).flatMap((kind: unknown) => {
    if (!Array.isArray(kind) || textAt(kind, 0) === '') return [];
    const own = numbersAt(kind, 1);
    return [{ pattern: entire(textAt(kind, 0)), lengths: own.length > 0 ? own : lengths }];
  });
  return {
    callingCode: textAt(row, CALLING_CODE),
    internationalPrefix: atStart(textAt(row, INTERNATIONAL_PREFIX)),
    general: entire(textAt(row, GENERAL)),
    lengths,
    nationalPrefix: prefix === '' ? undefined : atStart(prefix),
    leadingDigits: leading === '' ? undefined : atStart(leading),
    kinds,
  };
}

function isOfKind(plan: Plan, national: string): boolean {
  if (!plan.general.test(national)) return false;
  return plan.kinds.some((kind) => kind.lengths.includes(national.length) && kind.pattern.test(national));
}

/**
 * Answers whether a number is valid as the library does, from the same patterns, in the ordinary cases; compiled once
 * and without the objects that parsing makes, it costs a fiftieth. `undefined` leaves the number to the library.
 */
export class PhonePlans {
  private readonly rows: Readonly<Record<string, readonly unknown[]>> = metadata.countries;
  private readonly codes: Readonly<Record<string, readonly string[]>> = metadata.country_calling_codes;
  private readonly plans = new Map<string, Plan | undefined>();

  isValid(text: string, digits: string, region: CountryCode | undefined): boolean | undefined {
    if (!PLAIN.test(text)) return undefined;
    if (text.startsWith('+')) return this.isInternational(digits);
    const plan = region === undefined ? undefined : this.plan(region);
    if (plan === undefined || plan.internationalPrefix.test(digits) || digits.startsWith(plan.callingCode))
      return undefined;
    return this.isNational(plan, digits);
  }

  private isInternational(digits: string): boolean | undefined {
    for (let length = 1; length <= 3; length++) {
      const country = this.codes[digits.slice(0, length)]?.[0];
      if (country === undefined) continue;
      const plan = this.plan(country);
      return plan === undefined ? undefined : this.isNational(plan, digits.slice(length));
    }
    return undefined;
  }

  private isNational(plan: Plan, digits: string): boolean | undefined {
    const national = this.withoutPrefix(plan, digits);
    if (national === undefined) return undefined;
    if (national.length < NATIONAL_DIGITS_MIN || national.length > NATIONAL_DIGITS_MAX) return false;
    return isOfKind(this.planOf(plan, national), national);
  }

  /** The number without its national prefix, unless only the whole number is one. */
  private withoutPrefix(plan: Plan, digits: string): string | undefined {
    const match = plan.nationalPrefix?.exec(digits);
    if (!match || match[0] === '') return match?.some((group, index) => index > 0 && group) ? undefined : digits;
    // Carrier codes and rewritten prefixes.
    if (match.length > 1) return undefined;
    const rest = digits.slice(match[0].length);
    if (plan.general.test(digits) && !plan.general.test(rest)) return digits;
    const { lengths } = this.planOf(plan, rest);
    return lengths.includes(rest.length) || rest.length > (lengths.at(-1) ?? 0) ? rest : digits;
  }

  /** The plan of the country that a number belongs to, of those that share a calling code. */
  private planOf(plan: Plan, national: string): Plan {
    const countries = this.codes[plan.callingCode] ?? [];
    if (countries.length < 2) return plan;
    for (const country of countries) {
      const candidate = this.plan(country);
      if (candidate === undefined) continue;
      const belongs = candidate.leadingDigits?.test(national) ?? isOfKind(candidate, national);
      if (belongs) return candidate;
    }
    return plan;
  }

  /** Undefined for what is no country's: satellite and other worldwide services. */
  private plan(country: string): Plan | undefined {
    if (this.plans.has(country)) return this.plans.get(country);
    const row = this.rows[country];
    const compiled = row === undefined ? undefined : compilePlan(row);
    // A row without patterns for kinds is judged otherwise.
    const plan = compiled && compiled.kinds.length > 0 && compiled.lengths.length > 0 ? compiled : undefined;
    this.plans.set(country, plan);
    return plan;
  }
}
