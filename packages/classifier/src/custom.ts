import { RE2JS } from 're2js';
import { buildAnchorMachine, type AnchorMachine } from './anchors.ts';
import type { Detector, Label } from './detector.ts';
import { CustomInvalid } from './errors.ts';
import type { ExactList } from './exact-list.ts';
import { matchFingerprints, type DocumentFingerprint } from './fingerprint.ts';
import { asBuffer, latin1, type Findings, type Segment } from './segment.ts';
import { KINDS, OTHER } from './shapes.ts';

interface CustomBase {
  /** Short name; findings have the type `custom:<name>`. */
  readonly name: string;
  readonly label: Label;
  readonly title?: string;
  /** fideslang category; `user` when absent. */
  readonly category?: string;
  /** 0.9 when absent. */
  readonly confidence?: number;
}

/** Words and phrases, matched whole and without regard to case or signs between words. */
export interface CustomDictionary extends CustomBase {
  readonly kind: 'dictionary';
  readonly terms: readonly string[];
}

/** A regular expression in RE2 syntax, which runs in time linear in the input whatever the expression. */
export interface CustomRegex extends CustomBase {
  readonly kind: 'regex';
  readonly pattern: string;
}

/** Values of the organisation's own records, known only by their keyed hashes. */
export interface CustomExact extends CustomBase {
  readonly kind: 'exact';
  readonly list: ExactList;
}

/** A document of which parts are recognised; see `fingerprintDocument`. */
export interface CustomDocument extends CustomBase {
  readonly kind: 'document';
  readonly fingerprint: DocumentFingerprint;
  readonly key: Uint8Array;
  /** Smallest share of the document that counts, above 0 to 1; 0.3 when absent. */
  readonly least?: number;
}

export type CustomRule = CustomDictionary | CustomRegex | CustomExact | CustomDocument;

const PATTERN_CHARACTERS_MAX = 1000;
const RULES_MAX = 200;
/** Matches that one expression may give in one value. */
const MATCHES_MAX = 1000;

type CustomScanner = (segment: Segment, report: (start: number, end: number, reason: string) => void) => void;

/** The detector row that findings of a custom rule are published under. */
export function customDetector(rule: CustomRule): Detector {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(rule.name)) {
    throw new CustomInvalid('a custom rule is named in lower-case letters, digits and hyphens', { name: rule.name });
  }
  return {
    type: `custom:${rule.name}`,
    class: `custom.${rule.name}`,
    category: rule.category ?? 'user',
    label: rule.label,
    title: rule.title ?? rule.name,
    aliases: [],
    formats: [],
    weak: [],
    keys: [],
    near: [],
    not: [],
    anchors: [],
    keywords: [],
    allow: [],
    confirmed: rule.confidence ?? 0.9,
    samples: { hit: [], miss: [] },
  };
}

function dictionaryScanner(rule: CustomDictionary): CustomScanner {
  const terms = rule.terms.map((term) => term.trim()).filter((term) => term !== '');
  if (terms.length === 0) throw new CustomInvalid('a dictionary needs terms', { name: rule.name });
  const encoder = new TextEncoder();
  const folded = terms.map((term) => ` ${term.toLowerCase()}`);
  const machine: AnchorMachine = buildAnchorMachine(folded);
  const lengths = terms.map((term) => encoder.encode(term.toLowerCase()).length);
  return (segment, report) => {
    const { bytes, end } = segment;
    let state = machine.start;
    for (let i = segment.start; i < end; i++) {
      state = machine.next[(state << 7) | (machine.classes[bytes[i] ?? 0] ?? 0)] ?? 0;
      if (state < machine.firstAccepting || (i + 1 < end && KINDS[bytes[i + 1] ?? 0] !== OTHER)) continue;
      for (const id of machine.outputs[state - machine.firstAccepting] ?? [])
        report(i + 1 - (lengths[id] ?? 0), i + 1, 'dictionary');
    }
  };
}

function regexScanner(rule: CustomRegex): CustomScanner {
  if (rule.pattern.length > PATTERN_CHARACTERS_MAX) {
    throw new CustomInvalid('the expression is too long', { name: rule.name, limit: PATTERN_CHARACTERS_MAX });
  }
  let compiled: RE2JS;
  try {
    // Text is read as one character for each byte; so is the expression, so that letters beyond ASCII match.
    compiled = RE2JS.compile(Buffer.from(rule.pattern, 'utf8').toString('latin1'));
  } catch (error) {
    throw new CustomInvalid('the expression is not in RE2 syntax', { name: rule.name }, error);
  }
  return (segment, report) => {
    const matcher = compiled.matcher(latin1(segment.bytes, segment.start, segment.end));
    for (let count = 0; count < MATCHES_MAX && matcher.find(); count++) {
      const start = matcher.start();
      const end = matcher.end();
      if (end > start) report(segment.start + start, segment.start + end, 'regex');
    }
  };
}

/** Reports the whole text that quotes the document: where a quotation begins can't be told from selected phrases. */
function documentScanner(rule: CustomDocument): CustomScanner {
  return (segment, report) => {
    const text = asBuffer(segment.bytes).toString('utf8', segment.start, segment.end);
    const [match] = matchFingerprints(text, [rule.fingerprint], rule.key, rule.least);
    if (match) report(segment.start, segment.end, `document:${Math.round(match.containment * 100)}%`);
  };
}

function scannerFor(rule: CustomRule): CustomScanner {
  if (rule.kind === 'dictionary') return dictionaryScanner(rule);
  if (rule.kind === 'document') return documentScanner(rule);
  if (rule.kind === 'regex') return regexScanner(rule);
  return (segment, report) =>
    rule.list.scan(segment.bytes, segment.start, segment.end, (start, end) => report(start, end, 'exact-match'));
}

/** Runs an organisation's own rules over segments, after the built-in ones. */
export class CustomScan {
  private readonly rules: readonly {
    readonly scan: CustomScanner;
    readonly detector: number;
    readonly confidence: number;
  }[];

  /** `firstDetector` is the index of the first rule's row among the compiled detectors. */
  constructor(rules: readonly CustomRule[], firstDetector: number) {
    if (rules.length > RULES_MAX) throw new CustomInvalid('too many custom rules', { limit: RULES_MAX });
    this.rules = rules.map((rule, index) => ({
      scan: scannerFor(rule),
      detector: firstDetector + index,
      confidence: rule.confidence ?? 0.9,
    }));
  }

  scan(segment: Segment, findings: Findings): void {
    for (const { scan, detector, confidence } of this.rules) {
      scan(segment, (start, end, reason) =>
        findings.add(segment, { detector, start, end, confidence, reasons: [reason] }),
      );
    }
  }
}
