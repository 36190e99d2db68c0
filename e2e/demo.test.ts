import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePorts } from './harness/free-ports.ts';

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));

/** What a newcomer sees after the README's first command. */
test('the demonstration plays every scenario with the real SDKs and ends well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cordon-demo-'));
  const first = await freePorts(110);
  const child = spawn(process.execPath, [PROGRAM, 'demo', '--exit', '--data', join(folder, 'data')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      CORDON_GATEWAY_PORT: String(first),
      CORDON_GATEWAY_PLAIN_PORT: String(first + 1),
      CORDON_CONTROL_PORT: String(first + 2),
      CORDON_WORKER_PORT: String(first + 3),
      CORDON_LAKE_PORT: String(first + 4),
      CORDON_GATEWAY_METRICS_PORT: String(first + 5),
      CORDON_CONTROL_MTLS_PORT: String(first + 9),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(output).toContain('Every scenario came out as it should.');
  expect(code).toBe(0);
  for (const [scenario, outcome] of [
    ['Ordinary sync', 'allowed'],
    ['Card and key in a message', 'redacted'],
    ['Operation never granted', 'refused'],
    ['Flood', 'limited'],
    ['Body against the schema', 'refused'],
    ['Stolen token', 'cut off'],
    ['Live-fire drill', 'cut off'],
  ] as const) {
    expect(output).toMatch(new RegExp(`ok ${scenario} .*${outcome}`));
  }
  // The numbers of this very run, for whoever reads the log.
  process.stdout.write(`${output.slice(output.indexOf('ok Live-fire drill')).split('\n').slice(0, 3).join('\n')}\n`);
  await rm(folder, { recursive: true, force: true });
});
