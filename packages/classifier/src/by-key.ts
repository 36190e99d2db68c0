import { entropyOf } from './checksums.ts';
import type { Compiled } from './compile.ts';
import { asBuffer, type Findings, type Segment } from './segment.ts';
import { isPlaceholder } from './secrets.ts';

/** Longest value that is still one value and not a document. */
const VALUE_BYTES_MAX = 512;

const EMPTY = /^(?:null|none|n\/a|na|nil|undefined|unknown|true|false|yes|no|on|off|-+|\?+|\*+|x+|0)?$/i;
const DATE =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:T[\d:.]+Z?)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{8}|\d{1,2}\.? \p{L}{3,12}\.? \d{4}|\p{L}{3,12}\.? \d{1,2},? \d{4})$/u;

/** Whether a value looks like what its field's name promises; by the `value` field of detectors by key. */
const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  any: () => true,
  phone: (value) => /^[\d ()+./x-]{5,32}$/.test(value) && /\d{2}/.test(value),
  uuid: (value) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value),
  name: (value) => value.length <= 80 && /\p{L}/u.test(value) && !/[@_/\\{}<>=|\d]|https?:/u.test(value),
  text: (value) => /\p{L}{2}/u.test(value),
  place: (value) => value.length <= 120 && /\p{L}{2}/u.test(value) && !/[@_{}<>=|]|https?:/u.test(value),
  street: (value) => value.length <= 200 && /\p{L}/u.test(value) && !/[@{}<>=|]|https?:/u.test(value),
  postcode: (value) => /^[\dA-Z][\dA-Z -]{1,10}$/i.test(value) && /\d/.test(value),
  date: (value) => DATE.test(value),
  code: (value) => value.length <= 64 && /\d/.test(value) && /^[\p{L}\d./ _-]+$/u.test(value),
  word: (value) => value.length <= 80 && /^[\p{L}\d][\p{L}\d ,&/.()'-]*$/u.test(value),
  username: (value) => value.length <= 80 && /^[\p{L}\d._@+-]+$/u.test(value),
  coordinate: (value) => /^-?\d{1,3}\.\d{2,}(?:\s*,\s*-?\d{1,3}\.\d{2,})?$/.test(value),
  password: (value) =>
    value.length >= 4 &&
    value.length <= 200 &&
    !isPlaceholder(value) &&
    !/^(?:\$|%|@|\{|<|env:|ref:|vault:)/i.test(value) &&
    !/\s.*\s/.test(value),
  secret: (value) =>
    value.length >= 12 &&
    value.length <= 400 &&
    !/\s/.test(value) &&
    !isPlaceholder(value) &&
    /\d/.test(value) &&
    entropyOf(value) >= 3 &&
    !/^(?:https?:|\$|%|\{|<|urn:|arn:)/.test(value),
};

/** Names of value checks that detector files may use. */
export const VALUE_CHECKS: readonly string[] = Object.keys(CHECKS);

/** Reports the whole value of a field whose name says what it is (a name, an address, a date of birth, a password). */
export function findByKey(compiled: Compiled, segment: Segment, findings: Findings): void {
  const { hint, bytes, start, end } = segment;
  if (hint === undefined || hint.byKey.length === 0 || end - start > VALUE_BYTES_MAX || end === start) return;
  const value = asBuffer(bytes).toString('utf8', start, end).trim();
  if (EMPTY.test(value) || /^https?:\/\//i.test(value)) return;
  for (const index of hint.byKey) {
    const detector = compiled.detectors[index];
    if (detector?.value === undefined || CHECKS[detector.value]?.(value) !== true) continue;
    if (detector.allowRegexes.some((regex) => regex.test(value))) continue;
    findings.add(segment, {
      detector: index,
      start,
      end,
      confidence: detector.confirmed,
      reasons: [`key:${hint.name}`],
    });
    return;
  }
}
