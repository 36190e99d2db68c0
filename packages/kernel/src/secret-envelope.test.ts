import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { SecretUnreadable } from './errors.ts';
import { addKeyToFile, createSecretEnvelope, keyRingFromText, loadKeyFile } from './secret-envelope.ts';

const ring = { keys: [randomBytes(32)] };
const envelope = createSecretEnvelope(ring);

test('a secret opens under its own context only', () => {
  const sealed = envelope.seal('vendor secret', 'credential:1');
  expect(sealed).not.toContain('vendor');
  expect(envelope.open(sealed, 'credential:1').toString()).toBe('vendor secret');
  expect(() => envelope.open(sealed, 'credential:2')).toThrow(SecretUnreadable);
});

test('every changed byte is noticed', () => {
  const sealed = envelope.seal('vendor secret', 'c');
  const [version, kek, wrapped = '', body = ''] = sealed.split('.');
  for (const [part, rebuild] of [
    [wrapped, (text: string) => [version, kek, text, body].join('.')],
    [body, (text: string) => [version, kek, wrapped, text].join('.')],
  ] as const) {
    const bytes = Buffer.from(part, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index]! ^= 1;
      expect(() => envelope.open(rebuild(changed.toString('base64url')), 'c')).toThrow(SecretUnreadable);
    }
  }
});

test.each([['nonsense'], ['cse1.a.b'], ['cse2.a.b.c'], ['']])('%j is refused as a sealed value', (text) => {
  expect(() => envelope.open(text, 'c')).toThrow(SecretUnreadable);
});

test('rotation: old values open under the new ring and are rewrapped once', () => {
  const sealed = envelope.seal('s', 'c');
  const rotated = createSecretEnvelope({ keys: [randomBytes(32), ...ring.keys] });
  expect(rotated.open(sealed, 'c').toString()).toBe('s');
  const rewrapped = rotated.rewrap(sealed, 'c');
  expect(rewrapped).not.toBeNull();
  expect(rotated.rewrap(rewrapped ?? '', 'c')).toBeNull();
  expect(() => envelope.open(rewrapped ?? '', 'c')).toThrow('is not in the key file');
});

test('the key file is made once with mode 0600, refused when others can read it, and rotates', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cordon-kek-'));
  const path = join(folder, 'kek');
  await expect(loadKeyFile(path, { create: false })).rejects.toThrow('ENOENT');
  const first = await loadKeyFile(path, { create: true });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await loadKeyFile(path, { create: true })).toEqual(first);
  await addKeyToFile(path);
  const second = await loadKeyFile(path, { create: false });
  expect(second.keys.slice(1)).toEqual(first.keys);
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
  await chmod(path, 0o644);
  await expect(loadKeyFile(path, { create: false })).rejects.toThrow('chmod 600');
  await rm(folder, { recursive: true });
});

test('keys from text must have 32 bytes', () => {
  expect(() => keyRingFromText('c2hvcnQ=')).toThrow(SecretUnreadable);
  expect(
    keyRingFromText(`${randomBytes(32).toString('base64')},${randomBytes(32).toString('base64')}`).keys,
  ).toHaveLength(2);
});
