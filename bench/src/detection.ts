import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMatcher, loadParsers, loadRules, type DetectionEvent } from '@cordon/detection';
import { parse } from 'yaml';
import type { Row } from './run.ts';

const RUNS = 7;
const EVENTS = 40_000;
const content = fileURLToPath(new URL('../../content/', import.meta.url));

/** A stream such as a tenant has: mostly quiet events of many products, here and there one that fires. */
const FIRING_SHARE = 0.02;

interface Sample {
  readonly product: string;
  readonly fires: readonly object[];
  readonly quiet: readonly object[];
}

async function samples(): Promise<Sample[]> {
  const folder = join(content, 'detections');
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.samples.yaml'));
  // The content's own samples, checked by the package's tests.
  return Promise.all(files.sort().map(async (file) => parse(await readFile(join(folder, file), 'utf8')) as Sample));
}

/** Median, least and most of a rate over several runs, per second of this process's CPU time: others share the machine. */
function measure(name: string, metric: string, count: number, work: () => void): Row {
  work();
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    rates.push(count / ((user + system) / 1e6));
  }
  rates.sort((a, b) => a - b);
  const at = (index: number): number => rates[index] ?? 0;
  return { name, metric, unit: '1/CPU s', median: at(RUNS >> 1), min: at(0), max: at(RUNS - 1), runs: RUNS };
}

export async function run(): Promise<{ rows: Row[] }> {
  const parsers = await loadParsers(join(content, 'parsers'));
  const { rules, correlations } = await loadRules(join(content, 'detections'), { alias: parsers.alias });
  const all = await samples();
  const records = Array.from({ length: EVENTS }, (_one, at) => {
    const sample = all[(at * 7919) % all.length];
    const firing = at % Math.round(1 / FIRING_SHARE) === 0;
    const record = firing ? sample?.fires[0] : sample?.quiet[0];
    return { product: sample?.product ?? '', text: JSON.stringify(record) };
  });
  const parsed = records.map(({ product, text }) => ({ product, record: JSON.parse(text) as object }));
  const events: DetectionEvent[] = parsed.flatMap(({ product, record }) => parsers.normalise(product, record));
  const matcher = createMatcher(rules, correlations);
  const suffix = `${rules.length} rules`;
  const rows = [
    measure(`match, ${suffix}`, 'events', events.length, () => {
      for (const event of events) matcher.match(event);
    }),
    measure('normalise to OCSF', 'events', parsed.length, () => {
      for (const { product, record } of parsed) parsers.normalise(product, record);
    }),
    measure(`JSON, normalise and match, ${suffix}`, 'events', records.length, () => {
      for (const { product, text } of records) {
        for (const event of parsers.normalise(product, JSON.parse(text))) matcher.match(event);
      }
    }),
  ];
  return { rows };
}
