import { buildAnchorMachine, type AnchorMachine } from './anchors.ts';
import type { Detector } from './detector.ts';
import { DetectorInvalid } from './errors.ts';
import { KeyRules } from './keys.ts';
import { expandFormat, ShapeTable, shapeOfFormat } from './shapes.ts';
import { validatorNamed, type Validator } from './validators.ts';

/** A secret that a literal begins; the machine is blind to case and signs, so the literal's own bytes are kept. */
export interface AnchoredSecret {
  readonly detector: number;
  /** Undefined where the pattern itself doesn't mind case. */
  readonly exact: Uint8Array | undefined;
}

/** What a literal that was found in text is there for. */
export interface AnchorRole {
  readonly text: string;
  /** Bytes of the literal, without the boundary it may begin with. */
  readonly length: number;
  /** Secrets that begin with (or hold) the literal. */
  readonly secrets: readonly AnchoredSecret[];
  /** Secrets that are assigned to a name with the literal in it. */
  readonly assigned: readonly number[];
  /** Detectors that the literal is context for; the literal must be a whole word. */
  readonly context: ReadonlySet<number> | undefined;
}

export interface CompiledDetector extends Detector {
  readonly index: number;
  readonly patternRegex: RegExp | undefined;
  readonly valueRegex: RegExp | undefined;
  readonly allowRegexes: readonly RegExp[];
  readonly check: Validator | undefined;
}

/** Detectors made ready to scan with; immutable, shared by every scan. */
export interface Compiled {
  readonly detectors: readonly CompiledDetector[];
  readonly anchors: AnchorMachine;
  readonly roles: readonly AnchorRole[];
  readonly shapes: ShapeTable;
  readonly mixed: readonly (readonly number[])[];
  readonly keyRules: KeyRules;
  /** Index of the detector that a scanner in code reports as, by the scanner's name; -1 when it is not loaded. */
  scanner(name: string): number;
}

/** Shape lists hold `index * 2`, plus one for shapes that need context. */
export const WEAK = 1;

/** Text words shorter than this are everywhere; they count as context in keys only. */
const CONTEXT_CHARACTERS_MIN = 2;

function compileRegex(source: string, flags: string, where: string): RegExp {
  // V8 applies `(?i:a|b)` to the first alternative only, so a pattern with the modifier is compiled without regard to
  // case altogether.
  const folded = source.includes('(?i:');
  try {
    return new RegExp(
      folded ? source.replaceAll('(?i:', '(?:') : source,
      folded && !flags.includes('i') ? `${flags}i` : flags,
    );
  } catch (error) {
    throw new DetectorInvalid(`${where}: pattern does not compile`, { where }, error);
  }
}

/** What may follow an assigned value: a quote, a separator, an escape, or nothing. */
const VALUE_END = '(?=[\'"`;,)}\\]<&\\\\|\\s]|$)';

function compileDetector(detector: Detector, index: number): CompiledDetector {
  const pattern = detector.pattern;
  const sticky = detector.anchors.length > 0;
  // A detector by key names a value check in code; only secrets assigned to a keyword give a regular expression.
  const value = detector.keywords.length > 0 ? detector.value : undefined;
  return {
    ...detector,
    index,
    patternRegex:
      pattern === undefined
        ? undefined
        : compileRegex(
            sticky ? pattern : `^(?:${pattern})$`,
            sticky ? (detector.back ? 'dg' : 'dy') : '',
            detector.type,
          ),
    valueRegex: value === undefined ? undefined : compileRegex(`(?:${value})${VALUE_END}`, 'yd', detector.type),
    allowRegexes: detector.allow.map((source) => compileRegex(source, 'i', detector.type)),
    check: detector.validator === undefined ? undefined : validatorNamed(detector.validator),
  };
}

interface RoleDraft {
  /** What the machine looks for. */
  literal: string;
  /** The literal begins with a boundary that is no part of the word. */
  led: boolean;
  secrets: AnchoredSecret[];
  assigned: number[];
  context: Set<number>;
}

function collectRoles(detectors: readonly CompiledDetector[]): RoleDraft[] {
  const drafts = new Map<string, RoleDraft>();
  const encoder = new TextEncoder();
  const at = (word: string, led: boolean): RoleDraft => {
    const literal = led ? ` ${foldLiteral(word)}` : foldLiteral(word);
    const key = `${led}${literal}`;
    const found = drafts.get(key);
    if (found) return found;
    const made: RoleDraft = { literal, led, secrets: [], assigned: [], context: new Set() };
    drafts.set(key, made);
    return made;
  };
  for (const detector of detectors) {
    for (const anchor of detector.anchors) {
      const exact = detector.pattern?.includes('(?i') === true ? undefined : encoder.encode(anchor);
      at(anchor, detector.back === undefined && isShort(anchor)).secrets.push({ detector: detector.index, exact });
    }
    for (const keyword of detector.keywords) at(keyword, false).assigned.push(detector.index);
    const byKeyOnly = detector.value !== undefined && detector.keywords.length === 0;
    for (const phrase of byKeyOnly ? detector.near : [...detector.keys, ...detector.near]) {
      if (phrase.length < CONTEXT_CHARACTERS_MIN) continue;
      for (const variant of variantsOf(phrase)) at(variant, true).context.add(detector.index);
    }
  }
  return [...drafts.values()];
}

/** Literals with so few letters are in every other word; they count at a word's beginning only. */
const SHORT_LETTERS_MAX = 3;

function isShort(anchor: string): boolean {
  return /^[A-Za-z0-9]/.test(anchor) && anchor.replaceAll(/[^A-Za-z0-9]/g, '').length <= SHORT_LETTERS_MAX;
}

/** Lower case, every ASCII sign a space: the machine does not tell them apart. */
function foldLiteral(text: string): string {
  return text.toLowerCase().replaceAll(/\p{ASCII}/gu, (sign) => (/[a-z0-9]/.test(sign) ? sign : ' '));
}

/** A phrase as words, run together, and for letters beyond ASCII in capitals, which the machine does not fold. */
function variantsOf(phrase: string): Set<string> {
  const lower = phrase.toLowerCase();
  const variants = new Set([lower]);
  if (lower.includes(' ')) variants.add(lower.replaceAll(' ', ''));
  if (/\P{ASCII}/u.test(lower)) {
    variants.add(lower.toUpperCase());
    variants.add(lower.slice(0, 1).toUpperCase() + lower.slice(1));
  }
  return variants;
}

function collectShapes(detectors: readonly CompiledDetector[]): ShapeTable {
  const entries = new Map<number, number[]>();
  for (const detector of detectors) {
    const seen = new Set<number>();
    for (const [formats, flag] of [
      [detector.formats, 0],
      [detector.weak, WEAK],
    ] as const) {
      for (const format of formats.flatMap((format) => expandFormat(format))) {
        const shape = shapeOfFormat(format);
        if (seen.has(shape)) continue;
        seen.add(shape);
        const list = entries.get(shape);
        if (list) list.push(detector.index * 2 + flag);
        else entries.set(shape, [detector.index * 2 + flag]);
      }
    }
  }
  return new ShapeTable(entries);
}

function collectMixed(detectors: readonly CompiledDetector[]): number[][] {
  const mixed: number[][] = Array.from({ length: 41 }, () => []);
  for (const detector of detectors) {
    if (!detector.mixed) continue;
    const flag = detector.alone === undefined ? WEAK : 0;
    for (let length = detector.mixed[0]; length <= detector.mixed[1]; length++)
      mixed[length]?.push(detector.index * 2 + flag);
  }
  return mixed;
}

/** Compiles detectors; throws `DetectorInvalid` naming the one that can't be. */
export function compileDetectors(input: readonly Detector[]): Compiled {
  const detectors = input.map((detector, index) => compileDetector(detector, index));
  const drafts = collectRoles(detectors);
  const scanners = new Map<string, number>();
  for (const detector of detectors) if (detector.scanner !== undefined) scanners.set(detector.scanner, detector.index);
  const encoder = new TextEncoder();
  return {
    detectors,
    anchors: buildAnchorMachine(drafts.map((draft) => draft.literal)),
    roles: drafts.map((draft) => ({
      text: draft.literal.trim(),
      length: encoder.encode(draft.literal).length - (draft.led ? 1 : 0),
      secrets: draft.secrets,
      assigned: draft.assigned,
      context: draft.context.size > 0 ? draft.context : undefined,
    })),
    shapes: collectShapes(detectors),
    mixed: collectMixed(detectors),
    keyRules: new KeyRules(detectors),
    scanner: (name) => scanners.get(name) ?? -1,
  };
}

/**
 * The same with more detectors behind, which have no literals, shapes or names of their own: what an organisation's
 * rules are published under. Costs next to nothing, where compiling everything again takes a good part of a second.
 */
export function extendCompiled(compiled: Compiled, more: readonly Detector[]): Compiled {
  const first = compiled.detectors.length;
  return {
    ...compiled,
    detectors: [...compiled.detectors, ...more.map((detector, index) => compileDetector(detector, first + index))],
  };
}
