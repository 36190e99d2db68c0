import type { Compiled } from './compile.ts';
import { maskValue, type Finding, type RawFinding } from './finding.ts';
import { latin1 } from './segment.ts';

export interface ResolveOptions {
  readonly minConfidence: number;
  /** Keep other readings of the very same span, each as a finding of its own. */
  readonly alternatives: boolean;
}

/** Longer wins only when it is about as sure: what this many points of confidence less still beats what it contains. */
const CONTAINS_MARGIN = 0.15;

/** Another reading of the same span is listed when it is not this much less sure. */
const ALTERNATIVE_MARGIN = 0.4;

/** Secrets with a name win over generic ones for the same span. */
function strengthOf(compiled: Compiled, found: RawFinding): number {
  const detector = compiled.detectors[found.detector];
  return found.confidence - (detector?.generic === true ? 0.3 : 0);
}

/** Whether `a` is to be kept rather than `b`, given that they overlap. */
function beats(compiled: Compiled, a: RawFinding, b: RawFinding): boolean {
  const strengthA = strengthOf(compiled, a);
  const strengthB = strengthOf(compiled, b);
  const lengthA = a.end - a.start;
  const lengthB = b.end - b.start;
  if (lengthA > lengthB && strengthA + CONTAINS_MARGIN >= strengthB) return true;
  if (lengthB > lengthA && strengthB + CONTAINS_MARGIN >= strengthA) return false;
  return strengthA >= strengthB;
}

/** Of overlapping findings keeps the best; sorts by position. Linear after the sort. */
export function resolveOverlaps(compiled: Compiled, raw: readonly RawFinding[], options: ResolveOptions): RawFinding[] {
  const sorted = raw
    .filter((found) => found.confidence >= options.minConfidence && found.end > found.start)
    .sort((a, b) => a.start - b.start || b.end - a.end || strengthOf(compiled, b) - strengthOf(compiled, a));
  const kept: RawFinding[] = [];
  for (const found of sorted) {
    const winner = kept.at(-1);
    if (winner === undefined || found.start >= winner.end) {
      kept.push(found);
      continue;
    }
    const sameSpan = found.start === winner.start && found.end === winner.end;
    const sameDetector = found.detector === winner.detector;
    if (
      sameSpan &&
      options.alternatives &&
      found.confidence + ALTERNATIVE_MARGIN >= winner.confidence &&
      !kept.some(
        (other, index) =>
          index >= kept.length - 64 &&
          other.detector === found.detector &&
          other.start === found.start &&
          other.end === found.end,
      )
    )
      kept.push(found);
    else if (sameSpan || sameDetector || !beats(compiled, found, winner)) continue;
    else if (options.alternatives && winner.reasons.includes('whole-value')) kept.push(found);
    else replaceLast(kept, found);
  }
  return kept;
}

/** Drops the last kept finding and its alternatives in favour of one that beats it. */
function replaceLast(kept: RawFinding[], found: RawFinding): void {
  const { start, end } = kept.at(-1) ?? found;
  while (kept.at(-1)?.start === start && kept.at(-1)?.end === end) kept.pop();
  kept.push(found);
}

/** Turns what a scanner reported into the published form; `base` is the offset of `bytes` in the whole input. */
export function publish(compiled: Compiled, found: RawFinding, bytes: Uint8Array, base: number): Finding | undefined {
  const detector = compiled.detectors[found.detector];
  if (detector === undefined) return undefined;
  const value = latin1(bytes, found.start, Math.min(found.end, found.start + 256));
  return {
    type: detector.type,
    class: detector.class,
    category: detector.category,
    label: detector.label,
    start: base + found.start,
    end: base + found.end,
    confidence: Math.round(found.confidence * 1000) / 1000,
    encoding: found.encoding,
    evidence:
      found.key === undefined
        ? { detector: detector.type, reasons: found.reasons, masked: maskValue(value) }
        : { detector: detector.type, reasons: found.reasons, key: found.key, masked: maskValue(value) },
  };
}
