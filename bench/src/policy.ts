import { existsSync, readFileSync } from 'node:fs';
import { checkJson, compileDescription, createOperations, type Operations } from '@cordon/openapi';
import {
  applyDelta,
  changeSnapshot,
  createAuthorizer,
  createDelta,
  createSnapshot,
  readBuiltIn,
  type Snapshot,
} from '@cordon/policy';

export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly ratio?: number;
}

const RUNS = 7;
const MICROSECONDS = 1000;
const GITHUB = new URL('../../node_modules/@octokit/openapi/generated/api.github.com.json', import.meta.url);

/** What a decision, a look-up and a check cost; one core, warm, medians of seven runs. */
export async function run(): Promise<{ rows: Row[] }> {
  const rows = [...authorization(), ...snapshots()];
  if (existsSync(GITHUB)) rows.push(...descriptions(readFileSync(GITHUB)));
  else console.log('skipped: @octokit/openapi absent');
  return { rows };
}

function authorization(): Row[] {
  const entries = createSnapshot({
    version: 1,
    epoch: 1,
    createdAt: 0,
    entries: Object.entries({
      'app:a': { id: 'a', name: 'github', title: 'GitHub', upstream: 'https://api.github.com' },
      'integration:i': { id: 'i', name: 'Sync', ownerId: 'p', status: 'active', clientId: 'c' },
      'grant:g': {
        id: 'g',
        name: 'Reads',
        integrationId: 'i',
        appId: 'a',
        select: [{ kind: 'access', access: 'read' }],
      },
      'policy:p': {
        id: 'p',
        name: 'No writes at night',
        text: 'forbid (principal, action == Action::"write", resource) when { context.hour < 6 };',
      },
    }),
  }).entries;
  const operation = {
    id: 'repos/get',
    method: 'GET',
    path: '/repos/{owner}/{repo}',
    tags: ['repos'],
    access: 'read',
    deprecated: false,
  } as const;
  const authorizer = createAuthorizer({ entries, operations: () => operation, builtIn: readBuiltIn() });
  const context = {
    time: 1.79e12,
    sourceAddress: '203.0.113.7',
    assurance: 'm0',
    listener: 'path',
    parameters: { owner: 'o', repo: 'r' },
  } as const;
  const request = { integrationId: 'i', appId: 'a', operationId: 'repos/get', context };
  const rows = [
    measure('decision, remembered', 200_000, () => authorizer.decide(request)),
    measure('decision, Cedar evaluated', 100, () => {
      authorizer.update(entries, ['integration:i']);
      authorizer.decide(request);
    }),
  ];
  authorizer.close();
  return rows;
}

function snapshots(): Row[] {
  const token = { integrationId: 'i', clientId: 'c', expiresAt: 2e12 };
  const tokens = Array.from(
    { length: 100_000 },
    (_, n) => [`token:${n.toString(16).padStart(64, '0')}`, token] as const,
  );
  const before = createSnapshot({ version: 1, epoch: 1, createdAt: 0, entries: tokens });
  const revoke = (): Snapshot => {
    const hash = '0'.repeat(64);
    const set = [[`revoked:${hash}`, { expiresAt: 2e12 }]] as const;
    return changeSnapshot(before, { version: 2, epoch: 2, createdAt: 1, set, remove: [`token:${hash}`] });
  };
  const delta = createDelta(before, revoke());
  return [
    measure('revocation, made in 100,000 tokens', 5, revoke),
    measure('revocation, applied to 100,000 tokens', 5, () => applyDelta(before, delta)),
  ];
}

function descriptions(bytes: Buffer): Row[] {
  const { blob } = compileDescription(bytes);
  const open = (): Operations => createOperations(blob, { upstream: 'https://api.github.com' });
  const operations = open();
  const create = operations.get('issues/create');
  if (!create) throw new Error('GitHub no longer describes issues/create');
  const small = issue(1900);
  const large = Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ id: n, title: 'x'.repeat(100) }))));
  const query = new URLSearchParams('per_page=100');
  const path = { owner: 'octocat', repo: 'hello-world' };
  return [
    measure('GitHub description compiled', 1, () => compileDescription(bytes)),
    value('GitHub operation table', 'size', 'bytes', blob.length),
    measure('GitHub operation table opened', 5, open),
    value('GitHub operation table opened', 'heap', 'bytes', heapOf(open)),
    measure('operation found', 100_000, () => operations.resolve('POST', '/repos/octocat/hello-world/issues')),
    measure('operation found, escaped path', 50_000, () =>
      operations.resolve('GET', '/repos/octocat/hello-world/contents/docs%2Fr%C3%A9sum%C3%A9.md'),
    ),
    measure('2 KiB body checked', 5000, () => operations.checkBody(create, 'application/json', small)),
    measure('parameters checked', 20_000, () =>
      operations.checkParameters(create, { path, query, header: () => undefined }),
    ),
    measure('2 KiB JSON scanned', 20_000, () => checkJson(small)),
    measure(`${Math.round(large.length / 1024)} KiB JSON scanned`, 200, () => checkJson(large)),
  ];
}

function issue(length: number): Buffer {
  return Buffer.from(
    JSON.stringify({ title: 'Bench', body: 'x'.repeat(length), labels: ['a', 'b', 'c'], assignees: ['octocat'] }),
  );
}

function heapOf(create: () => unknown): number {
  // Without --expose-gc the figure includes garbage, so it is an upper bound.
  const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = create();
  collect();
  const used = process.memoryUsage().heapUsed - before;
  return kept === undefined ? 0 : Math.max(0, used);
}

function measure(name: string, times: number, work: () => unknown): Row {
  for (let n = 0; n < Math.min(times, 1000); n += 1) work();
  const samples = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    for (let n = 0; n < times; n += 1) work();
    return ((performance.now() - start) / times) * MICROSECONDS;
  }).sort((a, b) => a - b);
  return {
    name,
    metric: 'time',
    unit: 'us',
    median: samples[RUNS >> 1] ?? 0,
    min: samples[0] ?? 0,
    max: samples.at(-1) ?? 0,
    runs: RUNS,
  };
}

function value(name: string, metric: string, unit: string, amount: number): Row {
  return { name, metric, unit, median: amount, min: amount, max: amount, runs: 1 };
}
