import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createClassifier, loadDetectors, type Detector } from '@cordon/classifier';
import { RE2JS } from 're2js';
import type { Row } from './run.ts';

/**
 * The classifier beside the ways people usually do it: one RegExp for each detector, and the same expressions in a
 * linear-time engine. The peers only look for secrets by prefix (about half of the detectors, without context,
 * checksums or names), which favours them. Rates are bytes by CPU time, so that a busy machine says the same.
 */

const RUNS = 9;
const MIB = 1024 * 1024;

interface Timed {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function cpuMicroseconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return Math.max(1, used.user + used.system);
}

/** Runs `work` often enough to be measured, `RUNS` times after two to warm up; microseconds for one call. */
function time(work: () => unknown): Timed {
  work();
  const once = cpuMicroseconds(work);
  const repeat = Math.max(1, Math.min(2000, Math.ceil(50_000 / once)));
  const samples = Array.from({ length: RUNS }, () =>
    cpuMicroseconds(() => {
      for (let i = 0; i < repeat; i++) work();
    }),
  ).map((total) => total / repeat);
  samples.sort((a, b) => a - b);
  return { median: samples[RUNS >> 1] ?? 0, min: samples[0] ?? 0, max: samples[RUNS - 1] ?? 0 };
}

/** Every example of a response in GitHub's published description: what its API sends, and nothing planted. */
function apiResponses(bytes: number): Buffer {
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/package.json');
  const text = readFileSync(new URL('generated/api.github.com.deref.json', `file://${path}`), 'utf8');
  const found: string[] = [];
  const collect = (node: unknown, inExamples: boolean): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (inExamples && key === 'value') found.push(JSON.stringify(value));
      else collect(value, key === 'examples' || (inExamples && key !== 'value'));
    }
  };
  collect((JSON.parse(text) as { paths: unknown }).paths, false); // an OpenAPI document has paths
  const once = Buffer.from(found.join('\n'));
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / once.length) }, () => once)).subarray(0, bytes);
}

/** Personal data on every line. */
function denseRecords(bytes: number): Buffer {
  const lines: string[] = [];
  for (let i = 0, size = 0; size < bytes; i++) {
    const line = JSON.stringify({
      first_name: 'Ada',
      last_name: 'Quill',
      email: `ada.quill${i}@acme-widgets.io`,
      phone: `+49 30 9018${1000 + (i % 9000)}`,
      ssn: '536-90-4399',
      note: `card 4111 1111 1111 1111, account DE89370400440532013000, from 185.199.108.${i % 200}`,
    });
    lines.push(line);
    size += line.length + 1;
  }
  return Buffer.from(lines.join('\n')).subarray(0, bytes);
}

function prefixPatterns(detectors: readonly Detector[]): string[] {
  return detectors
    .filter((one) => one.anchors.length > 0 && one.pattern !== undefined && one.back === undefined && one.long !== true)
    .map((one) => one.pattern ?? '');
}

function linearPatterns(patterns: readonly string[]): RE2JS[] {
  return patterns.flatMap((pattern) => {
    try {
      return [RE2JS.compile(pattern)];
    } catch {
      // Look-around is not in RE2 syntax; the peer does without those.
      return [];
    }
  });
}

function rateRow(name: string, bytes: number, timed: Timed, peer?: Timed): Row {
  const rate = (microseconds: number): number => bytes / microseconds;
  return {
    name,
    metric: 'bytes by CPU time',
    unit: 'MB/s',
    median: rate(timed.median),
    min: rate(timed.max),
    max: rate(timed.min),
    runs: RUNS,
    ...(peer === undefined ? {} : { ratio: peer.median / timed.median }),
  };
}

function throughput(name: string, payload: Buffer, detectors: readonly Detector[]): Row[] {
  const classifier = createClassifier({ detectors });
  const patterns = prefixPatterns(detectors);
  const regexes = patterns.map((pattern) => new RegExp(pattern, 'g'));
  const linear = linearPatterns(patterns);
  const slice = payload.subarray(0, 32 * 1024).toString('latin1');
  const text = payload.subarray(0, MIB).toString('latin1');
  const ours = time(() => classifier.scan(payload, { contentType: 'application/json' }));
  const each = time(() => regexes.reduce((sum, regex) => sum + (text.match(regex)?.length ?? 0), 0));
  const re2 = time(() => linear.filter((regex) => regex.matcher(slice).find()).length);
  const perByte = (timed: Timed, bytes: number): Timed => ({
    median: (timed.median / bytes) * payload.length,
    min: (timed.min / bytes) * payload.length,
    max: (timed.max / bytes) * payload.length,
  });
  const peer = perByte(each, text.length);
  return [
    rateRow(`${name}: classifier, ${detectors.length} detectors`, payload.length, ours, peer),
    rateRow(`${name}: RegExp for each of ${regexes.length} secrets`, payload.length, peer),
    rateRow(`${name}: re2js for each of ${linear.length} secrets`, payload.length, perByte(re2, slice.length)),
  ];
}

function latency(payload: Buffer, size: number, detectors: readonly Detector[]): Row {
  const classifier = createClassifier({ detectors });
  const body = payload.subarray(0, size);
  const timed = time(() => classifier.scan(body, { contentType: 'application/json' }));
  return { name: `scan of ${size / 1024} KiB`, metric: 'CPU time', unit: 'µs', ...timed, runs: RUNS };
}

function growth(name: string, make: (size: number) => string, detectors: readonly Detector[]): Row {
  const classifier = createClassifier({ detectors });
  const [once, twice] = [64 * 1024, 128 * 1024].map((size) => {
    const bytes = Buffer.from(make(size));
    return time(() => classifier.scan(bytes, { contentType: 'text/plain' }));
  });
  const ratio = (twice?.median ?? 0) / (once?.median ?? 1);
  return {
    name: `hostile: ${name}`,
    metric: 'time of twice the bytes',
    unit: '×',
    median: ratio,
    min: ratio,
    max: ratio,
    runs: RUNS,
  };
}

export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const detectors = loadDetectors();
  const clean = apiResponses(4 * MIB);
  const dense = denseRecords(MIB);
  return {
    rows: [
      ...throughput('API responses', clean, detectors),
      ...throughput('dense personal data', dense, detectors),
      ...[1024, 64 * 1024, 1024 * 1024].map((size) => latency(clean, size, detectors)),
      growth('at signs', (size) => '@'.repeat(size), detectors),
      growth('prefixes', (size) => 'ghp_'.repeat(size / 4), detectors),
      growth('keywords', (size) => 'twitter = '.repeat(size / 10), detectors),
      growth('grouped digits', (size) => '4111 '.repeat(size / 5), detectors),
    ],
  };
}
