/** A time that a sentence names. Hours and calendar days are comparable; business days are not, and stay apart. */
export interface Duration {
  readonly unit: 'hours' | 'days' | 'business_days' | 'weeks' | 'months' | 'years';
  readonly value: number;
  /** In hours, for units that have a fixed number of them; null for business days, months and years. */
  readonly hours: number | null;
  /** Place in the sentence. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Whether something must happen within it ("within", "no later than"). */
  readonly isLimit: boolean;
  /** Words and figures that do not say the same: "seventy (72) hours". */
  readonly isAmbiguous: boolean;
}

const ONES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen']; // prettier-ignore
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const WORD = `(?:${[...TENS.slice(2), 'fourty', ...ONES.toReversed(), 'hundred', 'an?'].join('|')})`;
const NUMBER = String.raw`(?:(${WORD}(?:[- ](?:and )?${WORD})*)\s*\(\s*(\d{1,4})\s*\)|(\d{1,4})\s*\(\s*${WORD}(?:[- ]${WORD})*\s*\)|\(?(\d{1,4})\)?|(${WORD}(?:[- ](?:and )?${WORD})*))`;
const UNIT = String.raw`(hours?|hrs?|(?:business|working|banking|work)[- ]days?|(?:(?:consecutive|calendar|full|clear|running)\s+){0,2}days?|weeks?|(?:calendar\s+)?months?|years?)`;
const DURATION = new RegExp(
  String.raw`(?<![\w.])${NUMBER}[\s-]*(?:(?:consecutive|full|clear|clock|additional)\s+){0,2}${UNIT}\b`,
  'gi',
);
const LIMIT =
  /(?:within|no(?:t)? later than|no(?:t)? more than|not? (?:to )?exceed(?:ing)?|(?:later|more|longer) than|at (?:the )?(?:latest|most)|less than|under|a maximum of|up to|in(?: a)?|during)\s+(?:the first |the |a |a period of |a maximum of |at most )?$/i;
const AFTER_LIMIT = /^\s*(?:at the latest|or less|or sooner|maximum)/i;
const HOURS: Readonly<Record<string, number>> = { hours: 1, days: 24, weeks: 168 };

function wordsToNumber(words: string): number | null {
  let total = 0;
  for (const word of words.toLowerCase().split(/[- ]+/)) {
    if (word === 'and' || word === '') continue;
    if (word === 'a' || word === 'an') total += 1;
    else if (word === 'hundred') total = Math.max(1, total) * 100;
    else {
      const one = ONES.indexOf(word);
      const ten = TENS.indexOf(word === 'fourty' ? 'forty' : word);
      if (one < 0 && ten < 2) return null;
      total += one >= 0 ? one : ten * 10;
    }
  }
  return total;
}

function unitOf(text: string): Duration['unit'] {
  const unit = text.toLowerCase();
  if (/business|working|banking|work/.test(unit)) return 'business_days';
  if (unit.startsWith('h')) return 'hours';
  if (/week/.test(unit)) return 'weeks';
  if (/month/.test(unit)) return 'months';
  return /year/.test(unit) ? 'years' : 'days';
}

/** Every time that a sentence names, in order. */
export function findDurations(sentence: string): Duration[] {
  const found: Duration[] = [];
  for (const match of sentence.matchAll(DURATION)) {
    const [text, words, inBrackets, figures, figure, onlyWords, unitText = ''] = match;
    const said = words ?? onlyWords;
    const asWords = said === undefined ? null : wordsToNumber(said);
    const digits = inBrackets ?? figures ?? figure;
    const value = asWords ?? (digits === undefined ? null : Number(digits));
    if (value === null) continue;
    const unit = unitOf(unitText);
    const perUnit = HOURS[unit];
    const [start, end] = [match.index, match.index + text.length];
    found.push({
      unit,
      value,
      hours: perUnit === undefined ? null : value * perUnit,
      start,
      end,
      text,
      isLimit: LIMIT.test(sentence.slice(0, start)) || AFTER_LIMIT.test(sentence.slice(end)),
      isAmbiguous: asWords !== null && digits !== undefined && asWords !== Number(digits),
    });
  }
  return found;
}

const QUALIFIERS =
  /without (?:any )?(?:undue|unreasonable) delay|immediately|promptly|as soon as (?:reasonably )?(?:possible|practicable)|forthwith|in a timely manner/i;

/** Haste without a number: "without undue delay". */
export function findQualifier(sentence: string): string | null {
  return QUALIFIERS.exec(sentence)?.[0] ?? null;
}
