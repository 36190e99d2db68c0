import type { CandidateJudge } from './candidate.ts';
import type { Compiled } from './compile.ts';
import type { CustomScan } from './custom.ts';
import { emailAround } from './email.ts';
import { colonRun, macEnd } from './network.ts';
import { PhoneRuns } from './phone-runs.ts';
import { findAnchored, findAssigned, findByFieldName } from './secrets.ts';
import type { Findings, Segment } from './segment.ts';
import {
  bytesOf,
  DIGIT,
  GROUPS_MAX,
  HIGH,
  JOINERS,
  joinShapes,
  KINDS,
  LOWER,
  OTHER,
  shapeOfGroup,
  UPPER,
} from './shapes.ts';

/** Shortest part of a token of several parts that is recognised by its form alone. */
const DOTTED_TOKEN_BYTES_MIN = 23;

/** First signs of Bitcoin addresses: `1`, `3`, `bc1`. */
const WALLET_STARTS = new Set(bytesOf('13bB'));

const AT = 0x40;
const COLON = 0x3a;

/** A group of letters alone can only begin or end an identifier when it is this short (country and series letters). */
const LETTER_GROUP_BYTES_MAX = 6;

/** Letters that may begin an IBAN and its two check digits, checked before anything costlier. */
const IBAN_BYTES_MIN = 15;

/**
 * Scans a segment in two loops over its bytes. The first runs the anchor machine: literals of secrets, keywords,
 * and words that are context. The second walks groups of letters and digits, joins them into shapes, and hands every
 * shape that a detector knows to the judge. What remains of digits may be a phone number.
 */
export class TextScanner {
  private readonly compiled: Compiled;
  private readonly judge: CandidateJudge;
  private readonly findings: Findings;
  private readonly custom: CustomScan | undefined;
  private readonly phones: PhoneRuns;
  // Identifiers still open: where each began and its shape so far.
  private readonly openStarts = new Int32Array(GROUPS_MAX);
  private readonly openShapes = new Int32Array(GROUPS_MAX);
  private open = 0;

  constructor(compiled: Compiled, judge: CandidateJudge, findings: Findings, custom: CustomScan | undefined) {
    this.custom = custom;
    this.compiled = compiled;
    this.judge = judge;
    this.findings = findings;
    this.phones = new PhoneRuns();
  }

  scan(segment: Segment): void {
    this.judge.begin(segment);
    this.runAnchors(segment);
    if (segment.hint !== undefined && segment.complete) findByFieldName(this.compiled, segment, this.findings);
    this.walkGroups(segment);
    if (this.phones.starts.length > 0) this.judge.judgePhones(this.phones);
    this.judge.judgeWhole();
    this.custom?.scan(segment, this.findings);
  }

  /** Looks for secrets alone, by their prefixes and the words they are assigned to. */
  scanForSecrets(segment: Segment): void {
    this.judge.begin(segment);
    this.runAnchors(segment);
  }

  private runAnchors(segment: Segment): void {
    const { bytes, start, end } = segment;
    const { classes, next, firstAccepting } = this.compiled.anchors;
    let state = this.compiled.anchors.start;
    for (let i = start; i < end; i++) {
      state = next[(state << 7) | (classes[bytes[i]!] as number)]!;
      if (state >= firstAccepting) this.acceptAnchors(segment, state - firstAccepting, i + 1);
    }
  }

  private acceptAnchors(segment: Segment, output: number, end: number): void {
    for (const id of this.compiled.anchors.outputs[output] ?? []) {
      const role = this.compiled.roles[id];
      if (role === undefined) continue;
      if (role.context && (end === segment.end || !isWordByte(segment.bytes[end] ?? 0))) this.judge.near.add(role, end);
      if (role.secrets.length > 0) findAnchored(this.compiled, role, segment, end, this.findings);
      if (role.assigned.length > 0) findAssigned(this.compiled, role, segment, end, this.findings);
    }
  }

  private walkGroups(segment: Segment): void {
    const { bytes, end } = segment;
    this.open = 0;
    this.phones.clear();
    let previousEnd = -1;
    let colonsUntil = 0;
    let i = segment.start;
    while (i < end) {
      const kind = KINDS[bytes[i]!];
      if (kind === OTHER) {
        const byte = bytes[i];
        if (byte === AT) this.takeEmail(segment, i);
        else if (byte === COLON && i >= colonsUntil) colonsUntil = this.takeColons(segment, i);
        i++;
        continue;
      }
      const groupStart = i;
      let kinds = 0;
      let current: number = kind ?? 0;
      do {
        kinds |= 1 << current;
        i++;
        current = i < end ? KINDS[bytes[i]!]! : OTHER;
      } while (current !== OTHER);
      previousEnd = this.takeGroup(segment, groupStart, i, kinds, previousEnd);
    }
    this.phones.close();
  }

  /** Joins a group to the open identifiers before it; returns where the next group may join on, or -1. */
  private takeGroup(segment: Segment, start: number, end: number, kinds: number, previousEnd: number): number {
    const { bytes } = segment;
    const hasDigits = (kinds & (1 << DIGIT)) !== 0;
    const joins = previousEnd >= 0 && start - previousEnd === 1 && JOINERS[bytes[previousEnd] ?? 0] === 1;
    if (!joins) this.open = 0;
    if (!hasDigits && (end - start > LETTER_GROUP_BYTES_MAX || (kinds & (1 << HIGH)) !== 0)) {
      this.open = 0;
      this.phones.close();
      return -1;
    }
    if (!hasDigits && end - start === 2 && (bytes[end] === 0x2d || bytes[end] === COLON)) this.takeMac(segment, start);
    if (hasDigits) this.phones.take(bytes, start, end, kinds === 1 << DIGIT, segment.start);
    else this.phones.close();
    const shape = shapeOfGroup(bytes, start, end);
    if (hasDigits) this.takeSpecial(segment, start, end, kinds);
    if (shape === 0) {
      this.open = 0;
      return -1;
    }
    this.extendOpen(bytes[previousEnd] ?? 0, shape, end);
    const lettersOnly = !hasDigits;
    if (lettersOnly && (kinds & (1 << LOWER)) !== 0 && (kinds & (1 << UPPER)) !== 0) return end;
    this.openGroup(shape, start, end);
    return end;
  }

  private extendOpen(separator: number, shape: number, end: number): void {
    for (let w = 0; w < this.open; w++) {
      const joined = joinShapes(this.openShapes[w] ?? 0, separator, shape);
      this.openShapes[w] = joined;
      const wanted = this.compiled.shapes.find(joined);
      if (wanted) this.judge.take(this.openStarts[w] ?? 0, end, wanted);
    }
  }

  private openGroup(shape: number, start: number, end: number): void {
    if (this.open === GROUPS_MAX) {
      this.openStarts.copyWithin(0, 1);
      this.openShapes.copyWithin(0, 1);
      this.open--;
    }
    this.openStarts[this.open] = start;
    this.openShapes[this.open] = shape;
    this.open++;
    const wanted = this.compiled.shapes.find(shape);
    if (wanted) this.judge.take(start, end, wanted);
  }

  /** Identifiers that no shape describes: IBANs, MAC addresses, and unbroken mixtures by their length. */
  private takeSpecial(segment: Segment, start: number, end: number, kinds: number): void {
    const { bytes } = segment;
    const mixture = (kinds & ((1 << UPPER) | (1 << LOWER))) !== 0;
    if (mixture) {
      const length = end - start;
      if (length <= 40) {
        const wanted = this.compiled.mixed[length];
        if (wanted !== undefined && wanted.length > 0) this.judge.take(start, end, wanted);
      }
      if (length >= DOTTED_TOKEN_BYTES_MIN) {
        this.judge.takeDottedToken(start, end);
        if (length <= 74 && WALLET_STARTS.has(bytes[start] ?? 0)) this.judge.takeWallet(start, end);
      }
      if (
        KINDS[bytes[start + 2] ?? 0] === DIGIT &&
        KINDS[bytes[start + 3] ?? 0] === DIGIT &&
        segment.end - start >= IBAN_BYTES_MIN
      ) {
        this.judge.takeIban(start);
      }
    }
    const hex = end - start === 2 || end - start === 4;
    if (hex) this.takeMac(segment, start);
  }

  private takeMac(segment: Segment, start: number): void {
    const mac = macEnd(segment.bytes, start, segment.end);
    if (mac > 0) this.judge.takeMac(start, mac);
  }

  private takeEmail(segment: Segment, at: number): void {
    if (this.judge.takeUrlCredential(at)) return;
    const span = emailAround(segment.bytes, at, segment.start, segment.end);
    if (span) this.judge.takeEmail(span.start, span.end);
  }

  /** IPv6 and, in letters, MAC addresses; returns where looking for the next colon makes sense again. */
  private takeColons(segment: Segment, colon: number): number {
    const { bytes } = segment;
    const run = colonRun(bytes, colon, segment.start, segment.end);
    if (run === undefined) return colon + 1;
    const mac = macEnd(bytes, run.start, segment.end);
    if (mac === run.end) this.judge.takeMac(run.start, mac);
    else this.judge.takeIpv6(run.start, run.end);
    return run.end;
  }
}

function isWordByte(byte: number): boolean {
  return KINDS[byte] !== OTHER;
}
