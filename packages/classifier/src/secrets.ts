import { entropyOf } from './checksums.ts';
import type { AnchorRole, Compiled, CompiledDetector } from './compile.ts';
import { latin1, type Findings, type Segment } from './segment.ts';
import { bytesOf, DIGIT, KINDS, LOWER, OTHER, UPPER } from './shapes.ts';

/** Longest secret that a prefix starts, in bytes; PEM blocks and service accounts are longer. */
const SECRET_BYTES_MAX = 1024;
const LONG_SECRET_BYTES_MAX = 8192;
/** Bytes looked at after a keyword for an assignment and its value. */
const ASSIGNMENT_BYTES_MAX = 320;
/** Between the keyword and the operator: rest of the name and quotes. */
const NAME_REST_BYTES_MAX = 28;

const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;
const DOT = 0x2e;

/** A word may start here: after no letter or digit, after an escape such as `\n`, or after `%3D`. */
function startsWord(bytes: Uint8Array, start: number, from: number): boolean {
  if (start <= from) return true;
  const before = bytes[start - 1] ?? 0;
  if (KINDS[before] === OTHER) return before !== UNDERSCORE;
  const earlier = start - 2 >= from ? (bytes[start - 2] ?? 0) : 0;
  if (earlier === BACKSLASH) return before === 0x6e || before === 0x72 || before === 0x74;
  return start - 3 >= from && bytes[start - 3] === 0x25;
}

function endsWord(bytes: Uint8Array, end: number, to: number): boolean {
  if (end >= to) return true;
  const after = bytes[end] ?? 0;
  if (KINDS[after] !== OTHER || after === UNDERSCORE) return false;
  // `ico-….png` is a file's name.
  return after !== DOT || end + 1 >= to || KINDS[bytes[end + 1] ?? 0] === OTHER;
}

/** Stand-ins: a run of the signs that people write for "something", or the words of documentation. */
export function isPlaceholder(value: string): boolean {
  return /example$|[x*#.]{6}|X{6}|changeme|placeholder|redacted|your[_-]?(?:api|secret|token|key)|\*{3}|<[^>]*>|\$\{|\{\{/i.test(
    value,
  );
}

function acceptable(detector: CompiledDetector, value: string): boolean {
  if (detector.entropy !== undefined && entropyOf(value) < detector.entropy) return false;
  if (detector.allowRegexes.some((regex) => regex.test(value))) return false;
  if (detector.check && !detector.check(value)) return false;
  return detector.standIn === true || !isPlaceholder(value);
}

function matchesAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** Tries the secrets that a literal stands for, at the place where it was found. */
export function findAnchored(
  compiled: Compiled,
  role: AnchorRole,
  segment: Segment,
  literalEnd: number,
  findings: Findings,
): void {
  const { bytes } = segment;
  const anchor = literalEnd - role.length;
  for (const { detector: index, exact } of role.secrets) {
    if (exact !== undefined && !matchesAt(bytes, anchor, exact)) continue;
    const detector = compiled.detectors[index];
    if (detector?.patternRegex === undefined) continue;
    const back = detector.back ?? 0;
    if (back === 0 && detector.loose !== true && !startsWord(bytes, anchor, segment.start)) continue;
    const from = Math.max(segment.start, anchor - back);
    const limit = detector.long ? LONG_SECRET_BYTES_MAX : SECRET_BYTES_MAX;
    const to = Math.min(segment.end, anchor + limit);
    const window = latin1(bytes, from, to);
    const regex = detector.patternRegex;
    regex.lastIndex = 0;
    const match = regex.exec(window);
    if (!match?.indices) continue;
    const [matchStart = 0, matchEnd = 0] = match.indices[0] ?? [];
    if (back === 0 ? matchStart !== 0 : from + matchStart > anchor || from + matchEnd < literalEnd) continue;
    const [start = 0, end = 0] = match.indices.slice(1).find((group) => group !== undefined) ?? match.indices[0] ?? [];
    if (back > 0 && detector.loose !== true && !startsWord(bytes, from + start, segment.start)) continue;
    if (detector.long !== true && detector.loose !== true && !endsWord(bytes, from + end, segment.end)) continue;
    if (!acceptable(detector, window.slice(start, end))) continue;
    findings.add(segment, {
      detector: index,
      start: from + start,
      end: from + end,
      confidence: detector.confirmed,
      reasons: [`prefix:${role.text}`],
    });
  }
}

const OPERATORS = new Set(bytesOf('=:>,|?('));
const QUOTES = new Set(bytesOf('\'"` \t\\\n\r'));

const HYPHEN = 0x2d;

/** Where the value of a command line's option begins (`--api-key VALUE`), or 0 when the keyword is in no option. */
function optionValue(bytes: Uint8Array, keywordStart: number, keywordEnd: number, from: number, to: number): number {
  let start = keywordStart;
  while (start > from && keywordStart - start < NAME_REST_BYTES_MAX && isNameByte(bytes[start - 1] ?? 0)) start--;
  if (bytes[start] !== HYPHEN || bytes[start + 1] !== HYPHEN) return 0;
  let position = keywordEnd;
  while (position < to && isNameByte(bytes[position] ?? 0)) position++;
  if (bytes[position] !== 0x20) return 0;
  while (position < to && QUOTES.has(bytes[position] ?? 0)) position++;
  return position;
}

function isNameByte(byte: number): boolean {
  return KINDS[byte] !== OTHER || byte === UNDERSCORE || byte === HYPHEN;
}

/** Where the value begins that is assigned to the name around a keyword, or 0. */
function assignedValue(bytes: Uint8Array, keywordEnd: number, to: number): number {
  let position = keywordEnd;
  const nameLimit = Math.min(to, keywordEnd + NAME_REST_BYTES_MAX);
  while (position < nameLimit) {
    const byte = bytes[position] ?? 0;
    const inName =
      KINDS[byte] !== OTHER || byte === UNDERSCORE || byte === 0x2e || byte === 0x2d || byte === 0x20 || byte === 0x09;
    if (!inName) break;
    position++;
  }
  for (
    let quotes = 0;
    quotes < 4 &&
    position < to &&
    (QUOTES.has(bytes[position] ?? 0) || bytes[position] === 0x5d || bytes[position] === 0x29);
    quotes++
  )
    position++;
  if (!OPERATORS.has(bytes[position] ?? 0)) return 0;
  for (
    let signs = 0;
    signs < 4 && position < to && (OPERATORS.has(bytes[position] ?? 0) || bytes[position] === 0x3d);
    signs++
  )
    position++;
  for (
    let quotes = 0;
    quotes < 7 && position < to && (QUOTES.has(bytes[position] ?? 0) || bytes[position] === 0x3d);
    quotes++
  )
    position++;
  return position < to ? position : 0;
}

/** Short keywords turn up inside words (`sysctl.SetSysctl`, `sumOf`), so they must be written as one word. */
const SHORT_KEYWORD_BYTES_MAX = 5;

/** A keyword counts where a word of a name begins: `oktaKey`, `my_okta`, `MyOkta`, but not `rookTable`. */
function beginsName(bytes: Uint8Array, start: number, end: number, from: number): boolean {
  const first = KINDS[bytes[start] ?? 0];
  const before = start > from ? KINDS[bytes[start - 1] ?? 0] : OTHER;
  if (before === LOWER && first !== UPPER) return false;
  if (before === UPPER && (first !== UPPER || KINDS[bytes[start + 1] ?? 0] === UPPER)) return false;
  if (end - start > SHORT_KEYWORD_BYTES_MAX) return true;
  const rest = KINDS[bytes[start + 1] ?? 0];
  if (first === LOWER && rest === UPPER) return false;
  for (let i = start + 2; i < end; i++) {
    const kind = KINDS[bytes[i] ?? 0];
    if (kind !== rest && kind !== DIGIT && kind !== OTHER) return false;
  }
  return true;
}

/** Tries the secrets that have a keyword, on the value that is assigned to the name the keyword was found in. */
export function findAssigned(
  compiled: Compiled,
  role: AnchorRole,
  segment: Segment,
  keywordEnd: number,
  findings: Findings,
): void {
  if (!beginsName(segment.bytes, keywordEnd - role.length, keywordEnd, segment.start)) return;
  const to = Math.min(segment.end, keywordEnd + ASSIGNMENT_BYTES_MAX);
  const start =
    optionValue(segment.bytes, keywordEnd - role.length, keywordEnd, segment.start, to) ||
    assignedValue(segment.bytes, keywordEnd, to);
  if (start === 0) return;
  const window = latin1(segment.bytes, start, to);
  for (const index of role.assigned)
    testAssigned(compiled, index, segment, window, start, `keyword:${role.text}`, findings);
}

/** Tries the secrets that a field's name has a keyword of, on the field's whole value. */
export function findByFieldName(compiled: Compiled, segment: Segment, findings: Findings): void {
  const assigned = segment.hint?.assigned ?? [];
  if (assigned.length === 0 || segment.end - segment.start > ASSIGNMENT_BYTES_MAX) return;
  const window = latin1(segment.bytes, segment.start, segment.end);
  for (const index of assigned)
    testAssigned(compiled, index, segment, window, segment.start, 'keyword in field name', findings);
}

function testAssigned(
  compiled: Compiled,
  index: number,
  segment: Segment,
  window: string,
  start: number,
  reason: string,
  findings: Findings,
): void {
  const detector = compiled.detectors[index];
  if (detector?.valueRegex === undefined) return;
  detector.valueRegex.lastIndex = 0;
  const match = detector.valueRegex.exec(window);
  if (!match?.indices) return;
  const [from = 0, to = 0] = match.indices[1] ?? match.indices[0] ?? [];
  if (!acceptable(detector, window.slice(from, to))) return;
  findings.add(segment, {
    detector: index,
    start: start + from,
    end: start + to,
    confidence: detector.confirmed,
    reasons: [reason],
  });
}
