import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { lakeEvent, lakeMapping } from './lake-mapping.ts';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';
import { loadParsers } from './parser/load-parsers.ts';
import { textsAt } from './field-path.ts';
import { ChdbEngine } from './sigma/chdb-engine.ts';
import { compileToSql } from './sigma/sql.ts';
import { type DetectionEvent } from './signal.ts';

const content = fileURLToPath(new URL('../../../content/', import.meta.url));
const samples = z.looseObject({ product: z.string(), fires: z.array(z.unknown()), quiet: z.array(z.unknown()) });

const COLUMNS =
  'event_id String, source String, operation String, actor_email String, method String, user_agent String, class_uid UInt32, activity_id UInt16, raw String';

let engine: ChdbEngine;
beforeAll(() => {
  engine = new ChdbEngine();
});
afterAll(() => {
  engine.close();
});

/** The columns that the lake fills from an event. */
function row(event: DetectionEvent, at: number): Record<string, string | number> {
  const text = (...keys: string[]): string => textsAt(event.ocsf, keys)[0] ?? '';
  return {
    event_id: String(at).padStart(5, '0'),
    source: event.service,
    operation: text('api', 'operation'),
    actor_email: text('actor', 'user', 'email_addr'),
    method: text('http_request', 'http_method'),
    user_agent: text('http_request', 'user_agent'),
    class_uid: Number(text('class_uid')),
    activity_id: Number(text('activity_id')),
    raw: JSON.stringify(lakeEvent(event)),
  };
}

/** Each so many-th rule; 1 for all, which takes a minute of an idle core. */
const RULES_STEP = 8;

// Backtest and stream must give the same signals: real rules, on every sample, on a real engine.
test('rules of the content mean the same in SQL', { timeout: 300_000 }, async () => {
  const parsers = await loadParsers(join(content, 'parsers'));
  const { rules } = await loadRules(join(content, 'detections'), { alias: parsers.alias });
  const matcher = createMatcher(rules);
  const files = (await readdir(join(content, 'detections'), { recursive: true })).filter((name) =>
    name.endsWith('.samples.yaml'),
  );
  const events: DetectionEvent[] = [];
  for (const file of files) {
    const { product, fires, quiet } = samples.parse(parse(await readFile(join(content, 'detections', file), 'utf8')));
    events.push(...[...fires, ...quiet].flatMap((record) => parsers.normalise(product, record)));
  }
  await engine.load(COLUMNS, events.map(row));
  const fired = new Map<string, string[]>();
  for (const [at, event] of events.entries()) {
    for (const { ruleId } of matcher.match(event))
      fired.set(ruleId, [...(fired.get(ruleId) ?? []), String(at).padStart(5, '0')]);
  }
  const mapping = lakeMapping();
  const different: unknown[] = [];
  for (const rule of rules.filter((_rule, at) => at % RULES_STEP === 0)) {
    const bySql = await engine.idsWhere(compileToSql(rule, mapping), 'event_id');
    const byClosure = fired.get(rule.id) ?? [];
    if (bySql.join() !== byClosure.join()) different.push({ rule: rule.id, bySql, byClosure });
  }
  expect(different).toEqual([]);
});
