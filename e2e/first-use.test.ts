import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeVendor, startVendor, VENDOR_SECRET } from './harness/fake-vendor.ts';
import { eventually } from './harness/notes-integration.ts';
import { runCordon } from './harness/role-process.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** The first hour of someone who installed Cordon, in the order in which they do it, with the command line alone. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS_MAX = 60_000;

let cordon: RunningCordon;
let vendor: FakeVendor;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  [cordon, vendor] = [await startCordon({ processes: 1 }), await startVendor()];
  folder = await mkdtemp(join(tmpdir(), 'cordon-first-use-'));
  await writeFile(join(folder, 'notes.json'), vendor.description);
  env = {
    CORDON_DATA_DIR: cordon.dataDir,
    CORDON_CONTROL_PORT: String(cordon.ports.control),
    NOTES_KEY: VENDOR_SECRET,
  };
});
afterAll(async () => {
  await cordon?.stop();
  await vendor?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], more: Record<string, string> = {}) {
  return runCordon(args, { ...env, ...more }, folder);
}

/** Runs what must succeed and returns what it printed. */
async function good(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(args, more);
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout.trim();
}

async function callWith(token: string, note = '7'): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${cordon.gateway}/notes/notes/${note}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const credentials = { clientId: '', secret: '' };

test('an app, an integration and a grant', async () => {
  const upstream = ['--upstream', vendor.url, '--allow-plaintext', '--allow-address', '127.0.0.1'];
  const added = await run(
    ['app', 'add', 'notes', '--description', 'notes.json', '--credential-env', 'NOTES_KEY'].concat(upstream),
  );
  expect(added.code, `app add said: ${added.stderr}`).toBe(0);
  expect(added.stderr).toContain('2 operations known');
  expect(await good(['app', 'list'])).toMatch(/notes +http:\/\/127\.0\.0\.1:\d+ +2 +bearer/);
  expect(await good(['app', 'operations', 'notes'])).toMatch(/notes\.get +read +GET \/notes\/\{id\}/);
  await good(['integration', 'add', 'reader', '--purpose', 'shows notes on the intranet', '--days', '90']);
  await good(['grant', 'add', 'reader', 'notes', '--operation', 'notes.get']);
  expect(await good(['integration', 'list'])).toMatch(/reader +active/);
  expect(await good(['grant', 'list', '--integration', 'reader'])).toContain('notes.get');
});

test('mistakes are answered with words that help and a status that scripts can use', async () => {
  const table: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['app', 'add', 'crm'], 64, /--upstream/],
    [['app', 'add', 'notes', '--upstream', vendor.url], 1, /notes/],
    [['app', 'add', 'crm', '--upstream', vendor.url, '--credential-env', 'NOT_SET'], 64, /NOT_SET/],
    [['app', 'add', 'crm', '--upstream', vendor.url, '--description', 'absent.json'], 66, /absent\.json/],
    [['integration', 'add', 'x', '--purpose', 'y', '--kind', 'robot'], 1, /kind/],
    [['grant', 'add', 'nobody', 'notes', '--access', 'read'], 64, /There is no integration nobody\. Known: reader/],
    [['grant', 'add', 'reader', 'notes'], 64, /Say what to grant/],
    [['events', 'search', 'no_such_field:1'], 1, /no_such_field/],
    [['token', '--client-id', 'x'], 64, /--key FILE/],
    [['plan', 'absent.yaml'], 66, /absent\.yaml/],
    [['nonsense'], 64, /unknown command 'nonsense'/],
  ];
  const results = await Promise.all(table.map(([args]) => run(args)));
  for (const [index, [args, code, message]] of table.entries()) {
    const result = results[index];
    expect(result?.stderr, `cordon ${args.join(' ')}`).toMatch(message);
    expect(result?.stderr, `cordon ${args.join(' ')}`).not.toMatch(/\n\s+at .*\.ts:\d+/);
    expect(result?.code, `${args.join(' ')}\n${result?.stderr}`).toBe(code);
  }
});

test('a token by client secret, and by a key that never leaves the integration', async () => {
  const made = JSON.parse(await good(['integration', 'credential', 'reader'])) as Record<string, string>;
  credentials.clientId = made['client_id'] ?? '';
  credentials.secret = made['client_secret'] ?? '';
  expect(made['token_endpoint']).toBe(`${cordon.url}/oauth/token`);
  const weaker = await good(['token', '--client-id', credentials.clientId, '--secret-env', 'READER_SECRET'], {
    READER_SECRET: credentials.secret,
  });

  await good(['client-key', 'reader.key']);
  expect((await stat(join(folder, 'reader.key'))).mode & 0o777).toBe(0o600);
  const registered = await good(['integration', 'credential', 'reader', '--jwks', 'reader.key.jwks']);
  const { client_id: keyClient, client_secret: none } = JSON.parse(registered) as Record<string, string>;
  expect(none).toBeUndefined();
  const stronger = await good(['token', '--client-id', keyClient ?? '', '--key', 'reader.key']);

  for (const token of [weaker, stronger]) {
    await eventually(async () => expect((await callWith(token)).status).toBe(200), WAIT_MS_MAX);
  }
  expect(await callWith(stronger)).toEqual({ status: 200, body: { id: '7', text: 'note 7' } });

  const wrong = await run(['token', '--client-id', credentials.clientId, '--secret-env', 'READER_SECRET'], {
    READER_SECRET: 'guessed',
  });
  expect(wrong).toMatchObject({ code: 64, stdout: '' });
  expect(wrong.stderr).toContain('invalid_client');
  const publicPart = await run(['token', '--client-id', keyClient ?? '', '--key', 'reader.key.jwks']);
  expect(publicPart.stderr).toContain('holds no private key');
  expect((await run(['client-key', 'reader.key'])).stderr).toContain('never overwritten');
});

test('tail shows calls live, search finds them, and revoke ends them', async () => {
  const secretEnv = { READER_SECRET: credentials.secret };
  const token = await good(['token', '--client-id', credentials.clientId, '--secret-env', 'READER_SECRET'], secretEnv);
  const tail = spawn(process.execPath, [PROGRAM, 'events', 'tail', 'integration:reader', 'decision:deny'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let seen = '';
  tail.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  try {
    await eventually(async () => {
      // An allowed call, which the filter must hide, and one that was never granted.
      expect((await callWith(token)).status).toBe(200);
      const refused = await fetch(`${cordon.gateway}/notes/notes`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"text":"x"}',
      });
      expect(refused.status).toBe(403);
      expect(await refused.text()).toContain('notes.create');
      expect(seen).toContain('notes.create');
    }, WAIT_MS_MAX);
    expect(seen).not.toContain('notes.get');
  } finally {
    const ended = once(tail, 'close');
    tail.kill('SIGINT');
    await ended;
  }
  await eventually(async () => {
    const found = await good(['events', 'search', 'app:notes', 'operation:notes.get', '--since', '1h']);
    expect(found).toMatch(/allow +reader +notes +notes\.get/);
  }, WAIT_MS_MAX);

  await good(['integration', 'revoke', 'reader', '--reason', 'the intranet server was broken into']);
  await eventually(async () => expect((await callWith(token)).status).toBe(401), WAIT_MS_MAX);
  const again = await run(['token', '--client-id', credentials.clientId, '--secret-env', 'READER_SECRET'], secretEnv);
  expect(again.stderr).toContain('invalid_client');
  await eventually(async () => {
    expect(await good(['integration', 'cut-offs', 'reader'])).toMatch(/\d+ ms/);
  }, WAIT_MS_MAX);
  expect(await good(['audit', 'list'])).toContain('integration.revoked');
  expect(await good(['audit', 'verify'])).toMatch(/records, unbroken/);
});

test('what is can be written as files, planned against and applied', async () => {
  await good(['integration', 'add', 'archiver', '--purpose', 'keeps notes for ten years']);
  await good(['grant', 'add', 'archiver', 'notes', '--access', 'read']);
  await writeFile(join(folder, 'printed.yaml'), await good(['export']));
  await good(['export', '--to', 'estate']);
  const file = join(folder, 'estate', 'cordon.yaml');
  const exported = await readFile(file, 'utf8');
  expect(exported).not.toContain(VENDOR_SECRET);
  expect(exported).toContain('description: descriptions/notes.openapi.json');
  expect((await run(['plan', 'printed.yaml'])).stderr).toContain('No difference');
  const same = await run(['plan', 'estate']);
  expect(same.code, `${same.stdout}${same.stderr}`).toBe(0);
  expect(same.stderr).toContain('No difference');

  await writeFile(file, exported.replace('for ten years', 'for two years'));
  const drift = await run(['plan', 'estate']);
  expect(drift.code, `plan said: ${drift.stderr}`).toBe(2);
  expect(drift.stdout).toMatch(/~ .*archiver[^]*purpose: "keeps notes for ten years" → "keeps notes for two years"/);
  await good(['apply', 'estate']);
  expect((await run(['plan', 'estate'])).code).toBe(0);
  expect(await good(['integration', 'list'])).toContain('for two years');

  // Someone changes it behind the files' back: the plan shows the drift.
  await good(['integration', 'add', 'by-hand', '--purpose', 'made outside the files']);
  const pruned = await run(['plan', 'estate', '--prune']);
  expect(pruned.code).toBe(2);
  expect(pruned.stdout).toMatch(/- .*by-hand/);
});

test('somebody who trusts only a key checks the trail offline', async () => {
  const key = await eventually(() => good(['proof', 'key']), WAIT_MS_MAX);
  const file = (name: string): string => join(folder, name);
  await eventually(() => good(['proof', 'checkpoint', '--out', 'kept.txt']), WAIT_MS_MAX);
  // The trail goes on; what was kept must still be its beginning.
  await good(['integration', 'add', 'after-the-checkpoint', '--purpose', 'one more record']);
  const records = Number((await good(['proof', 'check'])).split(' ')[0]);
  await eventually(async () => {
    const note = await good(['proof', 'checkpoint']);
    expect(Number(note.split('\n')[1])).toBeGreaterThanOrEqual(records);
  }, WAIT_MS_MAX);
  await good(['proof', 'export', '--out', 'trail.ndjson']);
  // No address, no token, no data directory: a machine that has never seen this Cordon.
  const offline = (...args: string[]) => runCordon(['proof', 'verify', ...args, '--key', key], {}, folder);
  const whole = await offline('trail.ndjson', '--kept', 'kept.txt');
  expect(whole.code, `verify said: ${whole.stderr}`).toBe(0);
  expect(whole.stdout).toMatch(/^Genuine: \d+ records of localhost:\d+\/audit, held by \d+ checkpoints/);

  const lines = (await readFile(file('trail.ndjson'), 'utf8')).split('\n');
  const at = lines.findIndex((line) => line.includes('integration.registered'));
  await writeFile(
    file('changed.ndjson'),
    lines.with(at, (lines[at] ?? '').replace('registered', 'imagined')).join('\n'),
  );
  const changed = await offline('changed.ndjson');
  expect(changed.code).not.toBe(0);
  expect(changed.stderr).toMatch(/signed other records from \d+ to \d+/);

  await good(['proof', 'record', '3', '--out', 'three.tlog-proof']);
  const three = await offline('three.tlog-proof', '--json');
  expect(JSON.parse(three.stdout)).toMatchObject({ index: 2, record: { seq: 3 } });
  const refused = await run(['proof', 'record', '999999']);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('not record 999999');
});

test('every command explains itself', async () => {
  const help = await good(['--help']);
  const names = [...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? '');
  expect(names).toEqual(
    expect.arrayContaining(['up', 'app', 'integration', 'grant', 'token', 'events', 'plan', 'apply']),
  );
  const pages = await Promise.all(names.map((name) => run([name, '--help'])));
  expect(pages.filter(({ code, stdout }) => code !== 0 || !stdout.includes('Usage: cordon'))).toEqual([]);
});
