import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { loadDetectors } from './detector-load.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/corpora/dlp/', import.meta.url));
const absent = !existsSync(FOLDER);
if (absent) process.stderr.write('skipped: corpora absent\n');

interface Row {
  readonly type: string;
  readonly text: string;
  readonly valid?: boolean;
  readonly args?: readonly unknown[];
  readonly expected_count?: number | null;
  readonly expected?: readonly { readonly type: string; readonly start?: number; readonly end?: number }[] | null;
}

const rowsOf = (file: string): Row[] =>
  readFileSync(`${FOLDER}${file}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row); // the corpora's own format, described in their README

const detectors = loadDetectors();
// As the command runs: everything listed, confidence says how sure.
const classifier = createClassifier({ detectors, exhaustive: true, minConfidence: 0.25 });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const typesByAlias = new Map<string, Set<string>>();
for (const detector of detectors) {
  for (const alias of [detector.type, ...detector.aliases]) {
    typesByAlias.set(alias, (typesByAlias.get(alias) ?? new Set()).add(detector.type));
  }
}
const secretTypes = new Set(detectors.filter((one) => one.class.startsWith('credential.')).map((one) => one.type));
const typesIn = (text: string): string[] => classifier.scan(encoder.encode(text)).map((found) => found.type);

interface Score {
  hits: number;
  misses: number;
  alarms: number;
  quiet: number;
  /** `MISS type` or `ALARM type` with how often, for the report of a failing run. */
  listed: Map<string, number>;
}

function scoreRows(rows: readonly Row[], kindOf: (row: Row) => string): Score {
  const score: Score = { hits: 0, misses: 0, alarms: 0, quiet: 0, listed: new Map() };
  const list = (what: string): void => void score.listed.set(what, (score.listed.get(what) ?? 0) + 1);
  for (const row of rows) {
    const kind = kindOf(row);
    const wanted = typesByAlias.get(kind);
    if (wanted === undefined) continue;
    const hit = typesIn(row.text).some((type) => wanted.has(type));
    if (row.valid === true) {
      if (hit) score.hits++;
      else {
        score.misses++;
        list(`MISS ${kind}`);
      }
    } else if (hit) {
      score.alarms++;
      list(`ALARM ${kind}`);
    } else score.quiet++;
  }
  return score;
}

/** Spans are in code points, as Python counts. */
function scoreSpans(rows: readonly Row[]): Score {
  const score: Score = { hits: 0, misses: 0, alarms: 0, quiet: 0, listed: new Map() };
  for (const row of rows) {
    const wanted = typesByAlias.get(row.type);
    if (wanted === undefined) continue;
    const bytes = encoder.encode(row.text);
    const toCharacters = (offset: number): number =>
      Array.from(new TextDecoder().decode(bytes.subarray(0, offset))).length;
    const found = classifier
      .scan(bytes)
      .filter((one) => wanted.has(one.type))
      .map((one) => [toCharacters(one.start), toCharacters(one.end)] as const);
    const expected = (row.expected ?? []).flatMap(({ type, start, end }) =>
      type === row.type && start !== undefined && end !== undefined ? [{ start, end }] : [],
    );
    for (const span of expected) {
      if (found.some(([start, end]) => start < span.end && end > span.start)) score.hits++;
      else {
        score.misses++;
        score.listed.set(`MISS ${row.type}`, (score.listed.get(`MISS ${row.type}`) ?? 0) + 1);
      }
    }
    if (row.expected_count === 0) {
      if (found.length > 0) {
        score.alarms++;
        score.listed.set(`ALARM ${row.type}`, (score.listed.get(`ALARM ${row.type}`) ?? 0) + 1);
      } else score.quiet++;
    }
  }
  return score;
}

interface Explained {
  readonly file: string;
  readonly what: string;
  readonly most: number;
  readonly reason: string;
}

/** Every miss and alarm that is known, with its reason; more than these fail. */
const explained = JSON.parse(
  readFileSync(fileURLToPath(new URL('../testdata/corpora-explained.json', import.meta.url)), 'utf8'),
) as readonly Explained[]; // our own file

function unexplained(file: string, score: Score): string[] {
  return [...score.listed].flatMap(([what, count]) => {
    const known = explained.find((one) => one.file === file && one.what === what);
    return known !== undefined && count <= known.most ? [] : [`${what} ×${count}`];
  });
}

const secretKind = (row: Row): string => row.type.replace('secret/', '');

describe.skipIf(absent)('given sets', { timeout: 60_000 }, () => {
  test.each([
    ['gitleaks', secretKind, 0.99, 0.05],
    ['detect-secrets', secretKind, 0.97, 0.05],
    ['stdnum', (row: Row) => row.type, 0.97, 0.02],
    ['presidio-checksums', (row: Row) => row.type, 0.9, 0.01],
  ] as const)(
    '%s: recall and false alarms are within the bars, and every miss is explained',
    (file, kindOf, recall, alarms) => {
      const score = scoreRows(rowsOf(file), kindOf);
      expect(unexplained(file, score)).toEqual([]);
      expect(score.hits / (score.hits + score.misses)).toBeGreaterThanOrEqual(recall);
      expect(score.alarms / (score.alarms + score.quiet)).toBeLessThanOrEqual(alarms);
    },
  );

  test('presidio-recognisers: spans are found, and every miss is explained', () => {
    const score = scoreSpans(rowsOf('presidio-recognisers'));
    expect(unexplained('presidio-recognisers', score)).toEqual([]);
    expect(score.hits / (score.hits + score.misses)).toBeGreaterThanOrEqual(0.97);
    expect(score.hits / (score.hits + score.alarms)).toBeGreaterThanOrEqual(0.97);
  });

  test('presidio-research-small: sentences hold what is expected of supported kinds, and nothing else of those', () => {
    const score = { hits: 0, misses: [] as string[], extra: [] as string[] };
    for (const row of rowsOf('presidio-research-small')) {
      const bytes = encoder.encode(row.text);
      const found = classifier.scan(bytes).map((one) => ({
        type: one.type,
        start: Array.from(decoder.decode(bytes.subarray(0, one.start))).length,
        end: Array.from(decoder.decode(bytes.subarray(0, one.end))).length,
      }));
      const expected = row.expected ?? [];
      for (const { type, start = 0, end = 0 } of expected) {
        const wanted = typesByAlias.get(type);
        if (wanted === undefined) continue;
        if (found.some((one) => wanted.has(one.type) && one.start < end && one.end > start)) score.hits++;
        else score.misses.push(`${type} ${start}-${end}`);
      }
      for (const one of found) {
        if (!expected.some(({ start = 0, end = 0 }) => one.start < end && one.end > start)) score.extra.push(one.type);
      }
    }
    expect(score.misses).toEqual([]);
    expect(score.extra).toEqual([]);
    expect(score.hits).toBeGreaterThan(20);
  });

  test('secrets of any kind: nearly all are found, and few of the harmless texts fire', () => {
    let found = 0;
    let quiet = 0;
    const rows = rowsOf('gitleaks');
    const inline = createClassifier({ detectors });
    for (const row of rows) {
      const fired = inline.scan(encoder.encode(row.text)).some((one) => secretTypes.has(one.type));
      if (row.valid === true && fired) found++;
      if (row.valid === false && !fired) quiet++;
    }
    expect(found / rows.filter((row) => row.valid === true).length).toBeGreaterThanOrEqual(0.98);
    expect(quiet / rows.filter((row) => row.valid === false).length).toBeGreaterThanOrEqual(0.9);
  });

  test('confidence means what it says: the surer, the more often right', () => {
    const bins = [0, 0, 0].map(() => ({ right: 0, all: 0 }));
    for (const row of [...rowsOf('gitleaks'), ...rowsOf('presidio-checksums')]) {
      const wanted = typesByAlias.get(secretKind(row));
      if (wanted === undefined) continue;
      for (const finding of classifier.scan(encoder.encode(row.text))) {
        if (!wanted.has(finding.type)) continue;
        const bin = bins[finding.confidence < 0.5 ? 0 : finding.confidence < 0.9 ? 1 : 2];
        if (bin === undefined) continue;
        bin.all++;
        if (row.valid === true) bin.right++;
      }
    }
    const [, middle = 0, high = 0] = bins.map(({ right, all }) => (all === 0 ? 0 : right / all));
    expect(middle).toBeGreaterThanOrEqual(0.85);
    expect(high).toBeGreaterThanOrEqual(0.95);
  });
});
