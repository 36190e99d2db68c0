import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import os from 'node:os';

/** `npm run bench NAME`: runs one benchmark beside its peers and writes bench/results/NAME.json. */

export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** To the peer of the same run; its name says which. */
  readonly ratio?: number;
}

interface Benchmark {
  /** What follows the name on the command line. */
  readonly run: (given: readonly string[]) => Promise<{ readonly rows: readonly Row[] }>;
}

const NAMES = ['classifier', 'detection', 'estate', 'gateway', 'identity', 'lake', 'policy'];

function machine(): Record<string, unknown> {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGib: Math.round(os.totalmem() / 1024 ** 3),
    node: process.version,
    kernel: os.release(),
    loadBefore: os.loadavg()[0],
  };
}

const name = process.argv[2] ?? '';
const present = (await readdir(new URL('.', import.meta.url))).map((file) => file.replace(/\.ts$/, ''));
if (!NAMES.includes(name) || !present.includes(name)) {
  console.error(`Which benchmark? One of: ${NAMES.filter((one) => present.includes(one)).join(', ')}.`);
  process.exit(64);
}
const about = machine();
const benchmark = (await import(`./${name}.ts`)) as Benchmark; // every name in the list exports run()
const { rows } = await benchmark.run(process.argv.slice(3));
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const result = { benchmark: name, at: new Date().toISOString(), commit, machine: about, rows };
await writeFile(new URL(`../results/${name}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
for (const row of rows) {
  const ratio = row.ratio === undefined ? '' : `  ×${row.ratio.toFixed(2)}`;
  console.log(
    `${row.name.padEnd(48)} ${row.metric.padEnd(24)} ${row.median.toPrecision(4).padStart(10)} ${row.unit}${ratio}`,
  );
}
