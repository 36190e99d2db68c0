import { execFileSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { InputInvalid } from '../errors.ts';
import { createFileReader } from '../files/file-reader.ts';
import { signedPdf, verifyPdf } from './pdf.ts';
import { makeSigningKey } from './signature.ts';

const at = Date.UTC(2026, 5, 1);
const key = makeSigningKey('Cordon test', at, randomBytes);
const pdf = signedPdf(
  {
    title: 'Vendor file',
    reason: 'export',
    at,
    lines: [
      { text: 'Grüße – “quoted” (in brackets) \\ 日本', style: 'title' },
      ...Array.from({ length: 200 }, (_, line) => ({ text: `Line ${line} `.repeat(30) })),
    ],
    files: [{ name: 'vendor.json', type: 'application/json', bytes: Buffer.from('{"name":"日本"}') }],
  },
  key,
);
const folder = mkdtempSync(join(tmpdir(), 'cordon-pdf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the signature holds, and names the certificate', () => {
  const { certificate, fingerprint } = verifyPdf(pdf);
  expect(certificate.subject).toBe('CN=Cordon test');
  expect(fingerprint).toBe(new X509Certificate(key.certificate).fingerprint256.replaceAll(':', '').toLowerCase());
});

test('every byte of the file is covered', () => {
  const [, from, to] = /\/ByteRange \[0 (\d+) (\d+)/.exec(pdf.toString('latin1'))?.map(Number) ?? [];
  const holds = (at_: number): boolean => {
    const changed = Buffer.from(pdf);
    changed[at_] = (changed[at_] ?? 0) ^ 1;
    try {
      verifyPdf(changed);
      return true;
    } catch (error) {
      return !(error instanceof InputInvalid || error instanceof Error);
    }
  };
  const step = Math.max(1, Math.floor(pdf.length / 400));
  const places = Array.from({ length: 400 }, (_, index) => index * step).filter(
    (one) => one < (from ?? 0) || one >= (to ?? 0),
  );
  expect(places.filter(holds)).toEqual([]);
  expect(places.length).toBeGreaterThan(50);
});

test.each([
  ['something appended', Buffer.concat([pdf, Buffer.from('\n%%EOF\n')])],
  ['another signature', Buffer.concat([pdf, Buffer.from('/ByteRange [0 1 2 3]')])],
  ['no signature', Buffer.from('%PDF-1.7')],
  [
    'another certificate',
    Buffer.from(pdf.toString('latin1').replaceAll('/Contents <3082', '/Contents <3081'), 'latin1'),
  ],
])('%s is refused', (_, changed) => {
  expect(() => verifyPdf(changed)).toThrow(InputInvalid);
});

test('an ordinary reader reads its pages', async () => {
  const document = await createFileReader().read(pdf);
  expect(document.kind).toBe('pdf');
  const text = document.kind === 'workbook' ? '' : document.pages.join('\n');
  expect(text).toContain('Grüße – “quoted” (in brackets) \\');
  expect(text).toContain('Line 199');
});

test('OpenSSL finds the signature good, and refuses it over other content', () => {
  const [, from = 0, to = 0] = /\/ByteRange \[0 (\d+) (\d+)/.exec(pdf.toString('latin1'))?.map(Number) ?? [];
  const hex = pdf.subarray(from + 1, to - 1).toString('latin1');
  const raw = Buffer.from(hex, 'hex');
  const paths = Object.fromEntries(['cms', 'content', 'cert'].map((name) => [name, join(folder, name)]));
  writeFileSync(paths['cms'] ?? '', raw.subarray(0, raw.readUInt16BE(2) + 4));
  writeFileSync(paths['content'] ?? '', Buffer.concat([pdf.subarray(0, from), pdf.subarray(to)]));
  writeFileSync(paths['cert'] ?? '', key.certificate);
  const check = (): string =>
    execFileSync(
      'openssl',
      // cades: the attribute that binds the certificate must be there and fit (RFC 5035).
      ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-purpose', 'any', '-out', '/dev/null'].concat(
        ['-in', paths['cms'] ?? '', '-content', paths['content'] ?? ''],
        ['-CAfile', paths['cert'] ?? '', '-attime', String(at / 1000)],
      ),
      { stdio: 'pipe', encoding: 'utf8' },
    );
  expect(check).not.toThrow();
  writeFileSync(paths['content'] ?? '', 'other');
  expect(check).toThrow(/verif|digest/i);
});
