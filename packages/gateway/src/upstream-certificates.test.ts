import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { createFakeClock } from '@cordon/kernel/testing';
import { certificateProblems } from '@cordon/policy';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, TEST_TOKEN, type TestGateway } from './testing.ts';

/** Real TLS servers with the certificates that vendors forget; `openssl` makes what Cordon's own authority never would. */

const OPENSSL = '/usr/bin/openssl';
const bearer = { authorization: `Bearer ${TEST_TOKEN}` };
const clock = createFakeClock(Date.now());
let folder = '';
let server: https.Server | undefined;
let gw: TestGateway | undefined;

interface Made {
  readonly cert: string;
  readonly key: string;
  /** What an app trusts. */
  readonly ca: string;
}

const openssl = (...args: string[]): Buffer => execFileSync(OPENSSL, args, { cwd: folder, stdio: 'pipe' });
const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');

/** A certificate for localhost, issued by a test authority. */
function make(key: readonly string[], days: number, digest = '-sha256'): Made {
  openssl('req', '-new', '-nodes', ...key, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=localhost');
  const from = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names.ini'];
  openssl('x509', '-req', '-in', 'leaf.csr', ...from, '-days', String(days), digest, '-out', 'leaf.pem');
  return { cert: read('leaf.pem'), key: read('leaf.key'), ca: read('ca.pem') };
}

async function connect(made: Made, options: https.ServerOptions = {}, trust = made.ca) {
  const running = https.createServer({ cert: made.cert, key: made.key, ...options }, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{}');
  });
  server = running;
  await new Promise<void>((resolve) => {
    running.listen(0, '127.0.0.1', resolve);
  });
  const address = running.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  gw = await startTestGateway({
    upstream: `https://localhost:${port}`,
    app: { caCertificates: [trust], privateAddresses: ['127.0.0.1', '::1'] },
    deps: { clock },
    config: { stalenessMsMax: 0 },
  });
  const { url } = gw;
  const call = async (): Promise<number> => (await fetch(`${url}/github/x`, { headers: bearer })).status;
  return { call, reports: gw.control.certificateReports, host: `localhost:${port}` };
}

/** A server whose OpenSSL takes anything. */
const OLD: https.ServerOptions = { ciphers: 'ALL@SECLEVEL=0' };
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
const rsa = (bits: number): string[] => ['-newkey', `rsa:${bits}`];

describe.skipIf(!fs.existsSync(OPENSSL))(`certificates of upstreams (skipped: ${OPENSSL} absent, when skipped)`, () => {
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-upstream-tls-'));
    const subject = ['-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem'];
    openssl('req', '-x509', '-nodes', ...EC, '-days', '3650', ...subject);
    fs.writeFileSync(path.join(folder, 'names.ini'), 'subjectAltName=DNS:localhost\n');
  });
  afterEach(async () => {
    await gw?.stop();
    server?.closeAllConnections();
    server?.close();
    gw = undefined;
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test.each<[string, string[], number, https.ServerOptions, object, string[]]>([
    ['a good one', EC, 200, {}, { keyType: 'ec', keyBits: 256, signature: 'ecdsa-with-SHA256' }, []],
    ['one that ends in three days', EC, 3, {}, { keyBits: 256 }, ['expires-within-week']],
    ['one that ends in twenty days', EC, 20, {}, { keyBits: 256 }, []],
    ['RSA', rsa(2048), 200, {}, { keyType: 'rsa', keyBits: 2048 }, []],
    [
      'a static key exchange over TLS 1.2',
      rsa(2048),
      200,
      { ciphers: 'AES128-GCM-SHA256', maxVersion: 'TLSv1.2' },
      { keyBits: 2048 },
      ['no-forward-secrecy'],
    ],
  ])('%s is seen as it is', async (_what, key, days, options, leaf, problems) => {
    const { call, reports, host } = await connect(make(key, days), options);
    expect(await call()).toBe(200);
    await expect.poll(() => reports.length).toBe(1);
    const [{ seen, ...place }] = reports as [(typeof reports)[number]];
    expect(place).toEqual({ appId: 'app-1', host });
    expect(seen.chain).toEqual([
      expect.objectContaining({ subject: 'CN=localhost', issuer: 'CN=Test authority', ...leaf }),
    ]);
    expect([seen.protocol, seen.refused]).toEqual([options.maxVersion ?? 'TLSv1.3', null]);
    // One of twenty days made just now has two thirds of its life before it.
    const now = clock.now();
    expect(certificateProblems(seen, days === 3 ? now + 2.5 * 86_400_000 : now)).toEqual(problems);
    expect(Math.abs(seen.chain[0]!.notAfter - now - days * 86_400_000)).toBeLessThan(60_000);
  });

  test.each<[string, () => [Made, https.ServerOptions, string?], RegExp]>([
    ['one that ended', () => [make(EC, -1), {}], /^CERT_HAS_EXPIRED$/],
    ['one of an authority that nobody trusts', () => [make(EC, 200), {}, read('other.pem')], /^UNABLE_TO_/],
    ['a key of 1024 bits', () => [make(rsa(1024), 200), OLD], /^CERT_KEY_TOO_WEAK$/],
    ['one signed with SHA-1', () => [make(EC, 200, '-sha1'), OLD], /^CERT_SIGNATURE_TOO_WEAK$/],
    [
      'TLS 1.1 alone',
      () => [make(rsa(2048), 200), { ...OLD, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
      /^ERR_SSL_/,
    ],
  ])('%s is refused and reported', async (_what, given, code) => {
    openssl(
      'req',
      '-x509',
      '-nodes',
      ...EC,
      '-days',
      '9',
      '-subj',
      '/CN=Other',
      '-keyout',
      'x.key',
      '-out',
      'other.pem',
    );
    const { call, reports } = await connect(...given());
    expect(await call()).toBe(502);
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]!.seen).toMatchObject({ chain: [], protocol: null, refused: expect.stringMatching(code) });
  });

  test('a host is told of once a day, and when it shows another certificate', async () => {
    const { call, reports } = await connect(make(EC, 200));
    for (let count = 0; count < 3; count++) expect(await call()).toBe(200);
    await expect.poll(() => reports.length).toBe(1);
    const next = make(EC, 100);
    server?.setSecureContext({ cert: next.cert, key: next.key });
    server?.closeAllConnections();
    expect(await call()).toBe(200);
    await expect.poll(() => reports.length).toBe(2);
    clock.advance(86_400_000);
    server?.closeAllConnections();
    expect(await call()).toBe(200);
    await expect.poll(() => reports.length).toBe(3);
  });
});
