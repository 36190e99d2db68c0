import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';
import { startVulnerableApi } from './test-vulnerable-api.ts';

/**
 * Debian's sqlmap against an API that pastes what it gets into SQL: straight, where it must find the hole, else the
 * test would show nothing; and through Cordon, where it must find none, whatever its tamper scripts do.
 */

const SQLMAP = '/usr/bin/sqlmap';
const RUN_MS_MAX = 100_000;
const FOUND =
  /parameter '[^']*' (?:is vulnerable|appears to be '[^']*' injectable|is '[^']*' injectable)|identified the following injection point/;
const run = promisify(execFile);

interface Way {
  readonly name: string;
  readonly target: readonly string[];
}

const MULTIPART = ['--abc', 'Content-Disposition: form-data; name="id"', '', '1*', '--abc--', ''].join('\r\n');
const WAYS: readonly Way[] = [
  { name: 'a number in the query', target: ['/items?id=1', '-p', 'id'] },
  { name: 'a text in the query', target: ['/named?id=lamp', '-p', 'id'] },
  { name: 'a form', target: ['/items', '--data', 'id=1', '-p', 'id'] },
  { name: 'JSON', target: ['/items', '--data', '{"id":"1*"}', '--headers', 'Content-Type: application/json'] },
  {
    name: 'a form with files',
    target: ['/items', '--data', MULTIPART, '--headers', 'Content-Type: multipart/form-data; boundary=abc'],
  },
];
/** Each changes how the attack is written; those that need another database are left out. */
const TAMPERS = [
  'space2comment,randomcase',
  'between,equaltolike',
  'charencode',
  'chardoubleencode',
  'charunicodeescape',
  'apostrophemask',
  'space2plus,randomcomments',
  'multiplespaces,symboliclogical',
];

let vulnerable: UpstreamStub;
let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-sqlmap-'));
  vulnerable = await startVulnerableApi();
  gateway = await startTestGateway({
    upstream: vulnerable.url,
    app: { injection: 'refuse' },
    limits: { failuresPerSource: 1_000_000 },
  });
});
afterAll(async () => {
  await gateway.stop();
  await vulnerable.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function sqlmap(base: string, { target }: Way, more: readonly string[] = []): Promise<string> {
  const [address = '', ...rest] = target;
  const headers = rest.indexOf('--headers');
  const authorization = `Authorization: Bearer ${TEST_TOKEN}`;
  if (headers === -1) rest.push('--headers', authorization);
  else rest[headers + 1] = `${rest[headers + 1]}\n${authorization}`;
  const words = ['-u', base + address, ...rest, '--batch', '--disable-coloring', '--flush-session', '--dbms=sqlite'];
  const bounded = ['--technique=BEU', '--threads=1', '--timeout=10', '--retries=0', `--output-dir=${folder}`, ...more];
  const { stdout } = await run(SQLMAP, [...words, ...bounded], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, TERM: 'dumb' },
    timeout: RUN_MS_MAX,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

const isMissing = !fs.existsSync(SQLMAP);

describe.skipIf(isMissing)('sqlmap', () => {
  test.each(WAYS)(
    '$name: finds the hole straight, and none through Cordon',
    { timeout: 2 * RUN_MS_MAX },
    async (way) => {
      expect(await sqlmap(vulnerable.url, way)).toMatch(FOUND);
      const before = vulnerable.requests.length;
      const through = await sqlmap(`${gateway.url}/github`, way);
      expect(through).not.toMatch(FOUND);
      // It did try, and ordinary calls got through.
      expect(through).toMatch(/all tested parameters do not appear to be injectable|does not seem to be injectable/);
      expect(vulnerable.requests.length).toBeGreaterThan(before);
    },
  );

  test('everything that it knows, on one field: none through Cordon', { timeout: RUN_MS_MAX }, async () => {
    const before = vulnerable.requests.length;
    const more = ['--level=5', '--risk=3', '--technique=BEUSTQ', '--time-sec=1'];
    const through = await sqlmap(`${gateway.url}/github`, WAYS[0]!, more);
    expect(through).not.toMatch(FOUND);
    // What got as far as the API could not have asked it for anything.
    const reached = vulnerable.requests.slice(before).map(({ url }) => decodeURIComponent(url.replaceAll('+', ' ')));
    expect(reached.filter((url) => /\b(?:select|union|sleep|randomblob|case when)\b/i.test(url))).toEqual([]);
  });

  test.each(TAMPERS)('written as %s: none through Cordon', { timeout: RUN_MS_MAX }, async (tamper) => {
    const through = await sqlmap(`${gateway.url}/github`, WAYS[0]!, ['--tamper', tamper, '--level=2']);
    expect(through).not.toMatch(FOUND);
    expect(through).toMatch(/do not appear to be injectable|does not seem to be injectable/);
  });
});

test.runIf(isMissing)('skipped: sqlmap is not installed', () => {
  expect(isMissing).toBe(true);
});
