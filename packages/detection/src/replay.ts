import { join } from 'node:path';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';
import { loadParsers } from './parser/load-parsers.ts';
import { type Level } from './sigma/ast.ts';
import { splitJson } from './split-json.ts';

export interface ReplayOptions {
  /** A product (`okta`), a stream (`okta/system`) or a log type (`Okta.SystemLog`). */
  readonly product: string;
  /** The folder that holds `parsers/` and `detections/`. */
  readonly contentFolder: string;
}

/** One line of the replay's output. `error` stands where a line of the input was no JSON. */
export interface ReplayLine {
  readonly index: number;
  readonly event_id?: string;
  readonly product: string;
  readonly rules: readonly { id: string; title: string; severity: Level; covers: readonly string[] }[];
  readonly error?: string;
}

/**
 * Runs raw vendor events (NDJSON or one JSON array) through parser and rules and gives one JSON line for each, in
 * order: which rules fire on that event alone. Thresholds over several events are correlations and don't show here.
 */
export async function* detectReplay(input: AsyncIterable<string>, options: ReplayOptions): AsyncGenerator<string> {
  const parsers = await loadParsers(join(options.contentFolder, 'parsers'));
  const { rules } = await loadRules(join(options.contentFolder, 'detections'), parsers);
  const matcher = createMatcher(rules);
  let index = 0;
  for await (const text of splitJson(input)) {
    const line: ReplayLine = replayOne(text, index++);
    yield JSON.stringify(line);
  }

  function replayOne(text: string, at: number): ReplayLine {
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch {
      return { index: at, product: options.product, rules: [], error: 'not JSON' };
    }
    const events = parsers.normalise(options.product, record);
    const fired = new Map(events.flatMap((event) => matcher.match(event)).map((signal) => [signal.ruleId, signal]));
    return {
      index: at,
      ...(events[0] ? { event_id: events[0].id } : {}),
      product: events[0]?.product ?? options.product,
      rules: [...fired.values()].map((signal) => ({
        id: signal.ruleId,
        title: signal.title,
        severity: signal.level,
        covers: signal.covers,
      })),
    };
  }
}
