import { digitsOf, isRepetitive } from './checksums.ts';
import { WEAK, type AnchorRole, type Compiled, type CompiledDetector } from './compile.ts';
import { NearWords } from './context.ts';
import { kindOfEmail } from './email.ts';
import { isCoordinatePair } from './place.ts';
import { isDeviceMac, isIpv6, isPublicIp } from './network.ts';
import { ibanLengthOf, isIban, isTestCard } from './payment.ts';
import type { PhoneJudge } from './phone.ts';
import type { PhoneRuns } from './phone-runs.ts';
import { latin1, type Findings, type Segment } from './segment.ts';
import { isBitcoinAddress } from './wallet.ts';
import { wholeFormsOf } from './whole-forms.ts';
import { bytesOf, DIGIT, KINDS, OTHER } from './shapes.ts';

export interface JudgeOptions {
  /** Report candidates that stand alone as a whole value even when only context could tell what they are. */
  readonly exhaustive: boolean;
  /** Whether providers' published test cards count. */
  readonly testCards: 'report' | 'ignore';
}

/** Confidence of a checksum that fits a form that no shape describes. */
const FORM_CHECKED = 0.4;

/** Confidence of a bare value whose checksum fits, and of one that only has the right form. */
const WHOLE_CHECKED = 0.55;
const WHOLE_UNCHECKED = 0.3;

/** Letters and digits of a Vault token before `hvs.`, after its `s.`. */
const VAULT_LEGACY_BYTES = 24;

const COORDINATES_BYTES_MAX = 64;
/** Longest value that is tried against every checksum there is. */
const FORM_BYTES_MAX = 48;
const COORDINATE_STARTS = new Set(bytesOf('(-+['));

/** ITU-T E.164, section 6.2.1. */
const DIAL_CODE_DIGITS_MAX = 3;

const PLUS = 0x2b;
const COLON = 0x3a;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COMMA = 0x2c;
const AT = 0x40;
const UNDERSCORE = 0x5f;
const DOLLAR = 0x24;
const PERCENT = 0x25;
const EQUALS = 0x3d;

/** Longest text that is looked at for being a list of bare values. */
const BARE_BYTES_MAX = 128;
const BARE_VALUE_BYTES_MIN = 9;

/** No word of prose in it: at most three letters in a row beside digits and signs, or one run of letters alone. */
function isBare(segment: Segment): boolean {
  if (segment.end - segment.start > BARE_BYTES_MAX) return false;
  const text = latin1(segment.bytes, segment.start, segment.end);
  return /\d/.test(text) ? !/[a-z\x80-\xff]{4}/i.test(text.replaceAll(/\b[A-Z]*\d[A-Z\d]*\b/gi, '')) : false;
}

/** `10.0.0.0/8`: what follows an address's slash is its prefix length and not a path. */
function isPrefixLength(bytes: Uint8Array, start: number, end: number, to: number): boolean {
  const tail = latin1(bytes, end, Math.min(to, end + 4));
  return /^\/\d{1,2}(?![\w/])/.test(tail) && /^\d{1,3}\./.test(latin1(bytes, start, end));
}

/** `+1 212 555 0105`: what follows a country's code is the rest of a telephone number, whatever checksum it happens to fit. */
function followsDialCode(bytes: Uint8Array, start: number, from: number): boolean {
  const gap = bytes[start - 1] ?? 0;
  if (gap !== 0x20 && gap !== HYPHEN && gap !== DOT) return false;
  let at = start - 2;
  while (at > from && start - 2 - at < DIAL_CODE_DIGITS_MAX && KINDS[bytes[at] ?? 0] === DIGIT) at--;
  return at < start - 2 && at >= from && bytes[at] === PLUS;
}

/** The word among these that is context for a detector. */
function wordFor(near: readonly AnchorRole[], detector: number): string | undefined {
  for (const role of near) if (role.context?.has(detector) === true) return role.text;
  return undefined;
}

function hasComma(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === COMMA) return true;
  return false;
}

/** Signs that no user name or password of a URL holds; a slash ends the search. */
const NOT_USERINFO = new Set(bytesOf(' \t\r\n?#@"\'<>'));

/** Whether `//` comes before the `@` at `at` with only signs of a user name and password between them. */
function mayFollowAuthority(bytes: Uint8Array, at: number, from: number): boolean {
  const limit = Math.max(from, at - 258);
  for (let i = at - 1; i >= limit; i--) {
    const byte = bytes[i] ?? 0;
    if (byte === SLASH) return i > from + 1 && bytes[i - 1] === SLASH && bytes[i - 2] === COLON;
    if (NOT_USERINFO.has(byte)) return false;
  }
  return false;
}

/** Decides about candidates: form, surroundings, context, checksum, in the order of what each costs. */
export class CandidateJudge {
  readonly near = new NearWords();
  private readonly compiled: Compiled;
  private readonly findings: Findings;
  private readonly options: JudgeOptions;
  private readonly phone: PhoneJudge;
  private segment!: Segment;
  private firstFinding = 0;
  /** Text without prose: values on their own, whatever they are. */
  private bare = false;

  constructor(compiled: Compiled, findings: Findings, options: JudgeOptions, phone: PhoneJudge) {
    this.compiled = compiled;
    this.findings = findings;
    this.options = options;
    this.phone = phone;
  }

  begin(segment: Segment): void {
    this.segment = segment;
    this.near.clear();
    this.firstFinding = this.findings.list.length;
    this.bare = this.options.exhaustive && segment.complete && segment.hint === undefined && isBare(segment);
  }

  /** A span whose shape the listed detectors want; entries are `index * 2`, plus `WEAK`. */
  take(start: number, end: number, wanted: readonly number[]): void {
    if (this.isFragment(start, end)) return;
    let value: string | undefined;
    const near = this.near.around(start, end);
    const { hint } = this.segment;
    const named = hint !== undefined && hint.context.size > 0 ? hint : undefined;
    const bare = near.length === 0 && named === undefined && !this.options.exhaustive;
    const alone = this.mayStandAlone(start, end);
    const whole = this.options.exhaustive && hint === undefined && alone && this.isWhole(start, end);
    // Dozens of detectors may want one shape: nothing is allocated for those that a name, a word or a form rules out.
    for (const entry of wanted) {
      // Without any word or name that is context for something, only what stands alone is worth weighing.
      if (bare && (entry & WEAK) !== 0) continue;
      const detector = this.compiled.detectors[entry >> 1];
      if (detector === undefined) continue;
      let { confirmed: confidence } = detector;
      let reason: string | undefined;
      if (named?.context.has(detector.index) === true) reason = `key:${named.name}`;
      else {
        const word = near.length === 0 ? undefined : wordFor(near, detector.index);
        if (word !== undefined) reason = `near:${word}`;
        else if (!alone) continue;
        else if ((entry & WEAK) === 0 && detector.alone !== undefined) confidence = detector.alone;
        else if (!whole) continue;
        else {
          reason = 'whole-value';
          confidence = detector.whole ?? (detector.check ? WHOLE_CHECKED : WHOLE_UNCHECKED);
        }
      }
      if (confidence === 0) continue;
      value ??= latin1(this.segment.bytes, start, end);
      const reasons = this.confirm(detector, value, reason);
      if (reasons) this.findings.add(this.segment, { detector: detector.index, start, end, confidence, reasons });
    }
  }

  /** Whether the candidate may be reported for its form, without a name or a word for it. */
  private mayStandAlone(start: number, end: number): boolean {
    const { hint, encoding } = this.segment;
    if (encoding === 'json-number') return false;
    // A field that is named for something else and holds nothing but this: the name wins over the form.
    if (hint === undefined || hint.freeText || !this.isWhole(start, end)) return true;
    return !hint.aside && !this.isPlainNumber(start, end);
  }

  /** The candidate is the complete value, or one of a bare list of values. */
  private isWhole(start: number, end: number): boolean {
    if (this.bare && end - start >= BARE_VALUE_BYTES_MIN && this.standsAlone(start, end)) return true;
    return this.segment.complete && start === this.segment.start && end === this.segment.end;
  }

  private standsAlone(start: number, end: number): boolean {
    const { bytes } = this.segment;
    const before = start === this.segment.start || (bytes[start - 1] ?? 0) <= 0x20;
    return before && (end === this.segment.end || (bytes[end] ?? 0) <= 0x20);
  }

  private isPlainNumber(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (KINDS[this.segment.bytes[i] ?? 0] !== DIGIT) return false;
    return true;
  }

  /** Why the value is what the detector looks for, after `reason`; undefined when it is not. */
  private confirm(detector: CompiledDetector, value: string, reason: string | undefined): string[] | undefined {
    if (detector.patternRegex && !detector.patternRegex.test(value)) return undefined;
    if (detector.check !== undefined && !detector.check(value)) return undefined;
    for (const regex of detector.allowRegexes) if (regex.test(value)) return undefined;
    const reasons = reason === undefined ? [] : [reason];
    if (detector.validator !== undefined) reasons.push(`checksum:${detector.validator}`);
    if (detector.class === 'payment.card' && isTestCard(digitsOf(value))) {
      if (this.options.testCards === 'ignore') return undefined;
      reasons.push('test-card');
    }
    return reasons;
  }

  /** Part of something longer: a decimal, a path, a version, a file name, an address. */
  private isFragment(start: number, end: number): boolean {
    const { bytes, start: from, end: to } = this.segment;
    if (start > from) {
      if (followsDialCode(bytes, start, from)) return true;
      const before = bytes[start - 1] ?? 0;
      if (before === AT || before === DOLLAR) return true;
      const joins = before === HYPHEN || before === DOT || before === SLASH || before === UNDERSCORE || before === 0x2c;
      if (joins && start - 1 > from && KINDS[bytes[start - 2] ?? 0] !== OTHER) {
        if (before !== 0x2c || KINDS[bytes[start - 2] ?? 0] === DIGIT) return true;
      }
      if (before === SLASH && this.segment.hint === undefined && start - 1 > from) return true;
    }
    if (end < to) {
      const after = bytes[end] ?? 0;
      if (after === AT || after === PERCENT) return true;
      const joins = after === HYPHEN || after === DOT || after === SLASH || after === UNDERSCORE;
      if (after === SLASH && isPrefixLength(bytes, start, end, to)) return false;
      if (joins && end + 1 < to && KINDS[bytes[end + 1] ?? 0] !== OTHER) return true;
      if (after === UNDERSCORE || (after === EQUALS && end - start > 16)) return true;
    }
    return false;
  }

  private contextOf(detector: number, start: number, end: number): string | undefined {
    const { hint } = this.segment;
    if (hint?.context.has(detector) === true) return `key:${hint.name}`;
    const word = this.near.find(detector, start, end);
    return word === undefined ? undefined : `near:${word}`;
  }

  /** A span found by code of its own; `base` is its confidence without context. */
  private report(scanner: string, start: number, end: number, base: number, reason: string): void {
    const detector = this.compiled.scanner(scanner);
    if (detector < 0) return;
    const context = this.contextOf(detector, start, end);
    const confidence = context === undefined ? base : Math.max(base + 0.2, 0.6);
    this.findings.add(this.segment, {
      detector,
      start,
      end,
      confidence: Math.min(confidence, 0.98),
      reasons: context === undefined ? [reason] : [reason, context],
    });
  }

  takeEmail(start: number, end: number): void {
    const kind = kindOfEmail(latin1(this.segment.bytes, start, end));
    if (kind === 'service') return;
    this.report('email', start, end, kind === 'person' ? 0.95 : 0.4, `address:${kind}`);
  }

  /** `scheme://user:password@host`: the password is what must not be there. */
  takeUrlCredential(at: number): boolean {
    const detector = this.compiled.scanner('url-credential');
    const { bytes, start: from } = this.segment;
    if (!mayFollowAuthority(bytes, at, from)) return false;
    const window = latin1(bytes, Math.max(from, at - 256), at);
    const match = /[a-z][a-z0-9+.-]{1,30}:\/\/([^\s:/?#@"'<>]{0,128}):([^\s/?#@"'<>]{3,128})$/i.exec(window);
    const password = match?.[2];
    if (password === undefined) return false;
    if (detector < 0 || /^[$%{<*]/.test(password)) return true;
    const standIn = /^x+$|^(?:password|pass|pwd|secret|token)$/i.test(password);
    this.findings.add(this.segment, {
      detector,
      start: at - password.length,
      end: at,
      confidence: standIn ? 0.3 : 0.9,
      reasons: standIn ? ['url-userinfo', 'stand-in'] : ['url-userinfo'],
    });
    return true;
  }

  /** Tokens whose parts are joined by dots and that have no prefix: a form and an alphabet are all there is. */
  takeDottedToken(start: number, end: number): void {
    const { bytes, start: from, end: to } = this.segment;
    if (end - start === VAULT_LEGACY_BYTES && bytes[start - 1] === DOT && start - 2 >= from) {
      const lead = latin1(bytes, Math.max(from, start - 3), end);
      if (/(?:^|[^\w.])s\.(?=[A-Za-z]*\d)[A-Za-z0-9]{24}$/.test(lead))
        this.report('vault-legacy', start - 2, end, 0.7, 'form:s.');
    }
    if (bytes[end] !== DOT || end - start > 28) return;
    const window = latin1(bytes, start, Math.min(to, start + 80));
    const match = /^[A-Za-z]{0,2}[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])/.exec(window);
    if (!match) return;
    // The number of an account in Base64 begins with one of three letters; glued to others it is less sure.
    const usual = /^[MNO]/.test(window);
    this.report('discord-token', start, start + match[0].length, usual ? 0.8 : 0.35, 'form:discord');
  }

  takeWallet(start: number, end: number): void {
    if (this.isFragment(start, end)) return;
    if (isBitcoinAddress(latin1(this.segment.bytes, start, end)))
      this.report('bitcoin', start, end, 0.95, 'checksum:bitcoin');
  }

  /** Values that are one thing from end to end: a pair of coordinates, or any identifier in a form no shape describes. */
  judgeWhole(): void {
    const { bytes, start, end, complete } = this.segment;
    if (this.options.exhaustive && complete && this.segment.hint === undefined) this.judgeForms();
    if (!complete || end - start > COORDINATES_BYTES_MAX || end - start < 7) return;
    const first = bytes[start] ?? 0;
    if (KINDS[first] !== DIGIT && !COORDINATE_STARTS.has(first)) return;
    if (!hasComma(bytes, start, end)) return;
    const text = latin1(bytes, start, end);
    if (isCoordinatePair(text))
      this.report('coordinates', start, end, this.options.exhaustive ? 0.55 : 0.45, 'form:lat-lng');
  }

  private judgeForms(): void {
    const { bytes, start, end } = this.segment;
    if (end - start > FORM_BYTES_MAX) return;
    const value = new TextDecoder().decode(bytes.subarray(start, end)).trim();
    for (const { scanner, confidence, reason } of wholeFormsOf(value)) {
      const known = this.compiled.scanner(scanner);
      const seen = this.findings.list.slice(this.firstFinding).some((finding) => finding.detector === known);
      if (!seen) this.report(scanner, start, end, confidence, reason);
    }
    if (!/\d/.test(value)) return;
    const found = new Set(this.findings.list.slice(this.firstFinding).map((finding) => finding.detector));
    for (const detector of this.compiled.detectors) {
      // The library's checks are strict about form; this package's own rely on the shapes that lead to them.
      if (detector.validator?.startsWith('stdnum:') !== true || found.has(detector.index)) continue;
      if (!this.confirm(detector, value, undefined)) continue;
      const confidence = Math.min(detector.whole ?? FORM_CHECKED, FORM_CHECKED);
      this.findings.add(this.segment, {
        detector: detector.index,
        start,
        end,
        confidence,
        reasons: ['whole-value', `checksum:${detector.validator}`],
      });
    }
  }

  takeIpv6(start: number, end: number): void {
    const text = latin1(this.segment.bytes, start, end);
    if (text.length < 3 && !this.segment.complete) return;
    if (!isIpv6(text)) return;
    this.report('ipv6', start, end, isPublicIp(text) ? 0.75 : 0.5, 'ipv6');
  }

  takeMac(start: number, end: number): void {
    if (start > this.segment.start && this.segment.bytes[start - 1] === COLON) return;
    if (isDeviceMac(latin1(this.segment.bytes, start, end))) this.report('mac', start, end, 0.7, 'mac');
  }

  /** An IBAN may begin here: two letters and two digits have been seen. Groups of four and one-sign gaps are read over. */
  takeIban(start: number): void {
    const detector = this.compiled.scanner('iban');
    if (detector < 0) return;
    const { bytes, end: to } = this.segment;
    const length = ibanLengthOf(bytes[start] ?? 0, bytes[start + 1] ?? 0);
    if (length === 0) return;
    let text = '';
    let position = start;
    while (position < to && text.length < length) {
      const byte = bytes[position] ?? 0;
      if (KINDS[byte] !== OTHER) text += String.fromCharCode(byte);
      else if (!(byte === 0x20 || byte === HYPHEN) || KINDS[bytes[position + 1] ?? 0] === OTHER) return;
      position++;
    }
    if (position < to && KINDS[bytes[position] ?? 0] !== OTHER) return;
    if (this.isFragment(start, position) || isRepetitive(text.slice(4))) return;
    if (text !== text.toUpperCase() && text !== text.toLowerCase()) return;
    if (!isIban(text.toUpperCase())) return;
    this.report('iban', start, position, 0.95, 'checksum:mod97');
  }

  /** What is left of digits after everything else: phone numbers, by region's rules. */
  judgePhones(runs: PhoneRuns): void {
    const detector = this.compiled.scanner('phone');
    if (detector < 0) return;
    for (const [index, start] of runs.starts.entries()) {
      const end = runs.ends[index] ?? start;
      if ((!this.options.exhaustive && this.overlapsFound(start, end)) || this.isFragment(start, end)) continue;
      const { hint } = this.segment;
      const context = this.contextOf(detector, start, end);
      const whole = this.isWhole(start, end);
      if (context === undefined && whole && hint !== undefined && !hint.freeText) {
        if (this.segment.bytes[start] !== 0x2b) continue;
      }
      const lone = this.options.exhaustive && whole && hint === undefined;
      if (this.segment.encoding === 'json-number' && context === undefined) continue;
      const found = this.phone.judge(latin1(this.segment.bytes, start, end), context !== undefined, lone);
      if (!found) continue;
      this.findings.add(this.segment, {
        detector,
        start: start + found.offset,
        end: start + found.offset + found.length,
        confidence: found.confidence,
        reasons: context === undefined ? [found.reason] : [found.reason, context],
      });
    }
  }

  private overlapsFound(start: number, end: number): boolean {
    const { list } = this.findings;
    const { map } = this.segment;
    const from = map ? (map[start] ?? 0) : start;
    const to = map ? (map[end] ?? 0) : end;
    for (let i = list.length - 1, steps = 0; i >= this.firstFinding && steps < 64; i--, steps++) {
      const found = list[i];
      if (found && found.confidence >= 0.5 && found.start < to && found.end > from) return true;
    }
    return false;
  }
}
