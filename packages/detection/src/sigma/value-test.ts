import { BlockList, isIP } from 'node:net';
import { RE2JS } from 're2js';
import { textOf } from '../field-path.ts';
import { type CompareOperator, type Matcher, type TextOperator, type TimeUnit } from './ast.ts';
import { requiredLiterals } from './required-literal.ts';
import { globTest } from './wildcard.ts';

/** JSON's number grammar: what else looks like a number in one engine may not in another. */
export const NUMBER_SHAPE = '^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$';
/** Dates as ISO 8601 or with a space; the zone isn't looked at (specification "Time Modifiers"). */
export const TIME_SHAPE = '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$';

const numberShape = new RegExp(NUMBER_SHAPE);
const timeShape = new RegExp(TIME_SHAPE, 's');
const DAY_MS = 86_400_000;

export type ValueTest = (value: unknown) => boolean;
type FixedMatcher = Exclude<Matcher, { kind: 'field' }>;

function numeric(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && numberShape.test(value) ? Number(value) : Number.NaN;
}

export function compare(left: number, op: CompareOperator | 'eq', right: number): boolean {
  switch (op) {
    case 'lt':
      return left < right;
    case 'lte':
      return left <= right;
    case 'gt':
      return left > right;
    case 'gte':
      return left >= right;
    default:
      return left === right;
  }
}

/** Where each unit stands in an ISO date; `week` is computed. */
export const TIME_SLICES: Readonly<Record<Exclude<TimeUnit, 'week'>, readonly [start: number, length: number]>> = {
  year: [0, 4],
  month: [5, 2],
  day: [8, 2],
  hour: [11, 2],
  minute: [14, 2],
};

/** ISO 8601 week: the week of the year's first Thursday is week 1. */
function isoWeek(date: string): number {
  const day = Date.parse(`${date}T00:00:00Z`);
  const weekday = (new Date(day).getUTCDay() + 6) % 7;
  const thursday = new Date(day + (3 - weekday) * DAY_MS);
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - yearStart) / DAY_MS / 7) + 1;
}

function timePart(text: string, unit: TimeUnit): number {
  if (!timeShape.test(text)) return Number.NaN;
  if (unit === 'week') return isoWeek(text.slice(0, 10));
  const [start, length] = TIME_SLICES[unit];
  const digits = text.slice(start, start + length);
  return digits === '' ? Number.NaN : Number(digits);
}

function cidrTest(network: string): ValueTest {
  const [address = '', prefix = ''] = network.split('/');
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), family);
  const expected = isIP(address);
  return (value) =>
    typeof value === 'string' && isIP(value) === expected && !value.includes('%') && list.check(value, family);
}

/** How two texts are held against each other. */
export function textCompare(op: TextOperator): (value: string, against: string) => boolean {
  switch (op) {
    case 'equals':
      return (value, against) => value === against;
    case 'startswith':
      return (value, against) => value.startsWith(against);
    case 'endswith':
      return (value, against) => value.endsWith(against);
    default:
      return (value, against) => value.includes(against);
  }
}

/** The expression with its flags spelt inline, so that both engines read the same thing. */
export function inlineFlags(source: string, flags: string): string {
  const on = flags.replaceAll(/[^ims]/g, '');
  return `(?${on}${on.includes('s') ? '' : '-s'})${source}`;
}

/** One matcher as a test of one value. */
export function valueTest(matcher: FixedMatcher): ValueTest {
  switch (matcher.kind) {
    case 'text': {
      const { text, cased } = matcher;
      const test = textCompare(matcher.op);
      return cased ? (value) => test(textOf(value), text) : (value) => test(textOf(value).toLowerCase(), text);
    }
    case 'glob': {
      const test = globTest(matcher.parts);
      return matcher.cased ? (value) => test(textOf(value)) : (value) => test(textOf(value).toLowerCase());
    }
    case 'regex': {
      const expression = RE2JS.compile(inlineFlags(matcher.source, matcher.flags));
      const literals = requiredLiterals(matcher.source);
      if (literals.length === 0) return (value) => expression.matcher(textOf(value)).find();
      return (value) => {
        const text = textOf(value);
        const folded = text.toLowerCase();
        return literals.some((literal) => folded.includes(literal)) && expression.matcher(text).find();
      };
    }
    case 'number':
      return (value) => numeric(value) === matcher.value;
    case 'compare':
      return (value) => compare(numeric(value), matcher.op, matcher.value);
    case 'cidr':
      return cidrTest(matcher.network);
    default:
      return (value) => compare(timePart(textOf(value), matcher.unit), matcher.op, matcher.value);
  }
}
