import {
  type Correlation,
  createCorrelator,
  createMatcher,
  type ParserSet,
  normaliseRecords,
  type Rule,
} from '@cordon/detection';
import { renderRecords } from './render-events.ts';
import type { Scenario } from './scenario.ts';
import { tagRecord } from './tag.ts';

const LATENESS_MS = 120_000;
const REHEARSAL = '00000000-0000-7000-8000-000000000000';
const KEY = Buffer.alloc(32);

export interface Rehearsal {
  /** Records that no event could be made of, with the reason. */
  readonly failed: readonly { readonly file: string; readonly place: number; readonly reason: string }[];
  readonly events: number;
  /** Rules and correlations that came true. */
  readonly fired: readonly string[];
  /** Expected detections that did not. */
  readonly silent: readonly string[];
  /** Expected detections that Cordon doesn't have. */
  readonly unknown: readonly string[];
}

/**
 * Plays a scenario's records through parsers, rules and correlations as they are, with nothing stored. What its calls
 * at the gateway lead to needs a gateway: those detections are looked at only for whether they exist.
 */
export function rehearse(
  scenario: Scenario,
  content: {
    readonly parsers: ParserSet;
    readonly rules: readonly Rule[];
    readonly correlations: readonly Correlation[];
  },
  now: number,
): Rehearsal {
  const matcher = createMatcher([...content.rules], [...content.correlations]);
  const correlator = createCorrelator({ correlations: [...content.correlations], latenessMs: LATENESS_MS });
  const failed: { file: string; place: number; reason: string }[] = [];
  const fired = new Set<string>();
  const products = new Set<string>();
  let count = 0;
  const hear = (outputs: ReturnType<typeof correlator.add>): void => {
    for (const one of outputs) if (one.kind === 'raised' || one.kind === 'updated') fired.add(one.correlationId);
  };
  for (const inject of scenario.injects.toSorted((a, b) => a.at - b.at)) {
    if (!inject.events) continue;
    const { file, product } = inject.events;
    const rendered = renderRecords(scenario.records[file] ?? [], { drillId: REHEARSAL, now: now + inject.at });
    for (const [place, record] of rendered.entries()) {
      const text = JSON.stringify(tagRecord(KEY, REHEARSAL, place, record));
      const made = normaliseRecords([{ text }], { parsers: content.parsers, sourceId: 'rehearsal', product });
      for (const { reason } of made.failed) failed.push({ file, place, reason });
      for (const event of made.events) {
        count += 1;
        for (const signal of matcher.match(event)) {
          fired.add(signal.ruleId);
          products.add(signal.product);
          hear(correlator.add(signal));
        }
      }
    }
  }
  for (const product of products) hear(correlator.advance(product, now + scenario.limit + 7 * 86_400_000));
  const ids = new Set([...content.rules, ...content.correlations].map(({ id }) => id));
  const byCalls = new Set(scenario.injects.filter(({ calls }) => calls).map(({ id }) => id));
  return {
    failed,
    events: count,
    fired: [...fired].sort(),
    silent: scenario.detections
      .filter(({ rule, after }) => !fired.has(rule) && !byCalls.has(after))
      .map(({ rule }) => rule),
    unknown: scenario.detections.filter(({ rule }) => !ids.has(rule)).map(({ rule }) => rule),
  };
}
