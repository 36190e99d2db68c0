import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Every check and test suite in order; the closing line counts them all. */

const SUITE_MS_MAX = 45 * 60_000;
/** Running products beside each other: each mostly waits for a browser. */
const E2E_WORKERS = 2;

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface Suite {
  readonly name: string;
  readonly command: readonly string[];
  /** A vitest project counts its tests; any other command counts as one. */
  readonly project?: string;
}

const CHECKS: readonly Suite[] = [
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'types of the console', command: ['tsc', '--noEmit', '-p', 'apps/console/tsconfig.json'] },
  { name: 'unused dependencies', command: ['knip', '--include', 'dependencies,unlisted,unresolved'] },
  { name: 'generated files', command: ['node', 'tools/generate.ts', '--check'] },
  { name: 'build of the console', command: ['vite', 'build', 'apps/console', '--logLevel', 'warn'] },
];

const PROJECTS = ['unit', 'db', 'console', 'timed', 'e2e'] as const;

function vitest(project: string): Suite {
  const workers = project === 'e2e' ? [`--maxWorkers=${E2E_WORKERS}`] : [];
  return { name: project, project, command: ['vitest', 'run', '--project', project, '--passWithNoTests', ...workers] };
}

async function run(command: readonly string[]): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), SUITE_MS_MAX);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return code ?? 1;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

async function runVitest(suite: Suite): Promise<Count> {
  const folder = await mkdtemp(join(tmpdir(), 'cordon-report-'));
  const file = join(folder, 'report.json');
  const code = await run([...suite.command, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  const text = await readFile(file, 'utf8').catch(() => null);
  await rm(folder, { recursive: true, force: true });
  if (text === null) return { passed: 0, failed: 1 };
  const report = JSON.parse(text) as VitestReport; // vitest's JSON reporter wrote it
  const failed = report.numFailedTests + (report.numFailedTests === 0 ? report.numFailedTestSuites : 0);
  // A run that fails without a failed test (an unhandled error) still fails.
  return { passed: report.numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
}

const wanted = new Set(process.argv.slice(2));
const isWanted = (name: string): boolean => wanted.size === 0 || wanted.has(name);
let [passed, failed] = [0, 0];
const failures: string[] = [];

if (isWanted('static')) {
  for (const check of CHECKS) {
    console.log(`\n== ${check.name}`);
    const good = (await run(check.command)) === 0;
    passed += good ? 1 : 0;
    failed += good ? 0 : 1;
    if (!good) failures.push(check.name);
  }
}
for (const project of PROJECTS) {
  if (!isWanted(project)) continue;
  console.log(`\n== tests: ${project}`);
  const count = await runVitest(vitest(project));
  passed += count.passed;
  failed += count.failed;
  if (count.failed > 0) failures.push(`${project} (${count.failed})`);
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
