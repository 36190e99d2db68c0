import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { guardedLookup, checkLiteralHost } from '@cordon/gateway';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ProbeReach, probeHost, problemsOf } from '@cordon/vendors';

/** Real TLS servers on loopback, reached because the test allows exactly that address. */

const DAY_MS = 86_400_000;
/** A little ahead: certificates that the test makes have begun by then. */
const now = Date.now() + 60_000;
const servers: https.Server[] = [];
let folder = '';
let authority = { cert: '', key: '' };
const allowed = (addresses: readonly string[] = ['127.0.0.1']): ProbeReach => ({
  lookup: guardedLookup(addresses, (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])),
  checkHost: (host) => checkLiteralHost(host, addresses),
  authorities: [authority.cert],
});
const noCaa = async () => null;

async function serve(options: https.ServerOptions, securityTxt: string | null = null): Promise<number> {
  const server = https.createServer(options, (request, response) => {
    if (securityTxt !== null && request.url === '/.well-known/security.txt') response.end(securityTxt);
    else response.writeHead(404).end();
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port; // it listens on a port
}
const look = (port: number, host = 'api.vendor.example', reach = allowed()) =>
  probeHost({ host, port, isPlain: false }, reach, { lookupCaa: noCaa, now });
const codes = (seen: Awaited<ReturnType<typeof probeHost>>): string[] => problemsOf(seen, now).map(({ code }) => code);

/** A certificate by OpenSSL, for what the kernel's own authority rightly never issues. */
function bad(name: string, ...options: string[]): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const common = ['req', '-x509', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=api.vendor.example'];
  execFileSync('openssl', [...common, ...options], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cordon-probe-'));
  authority = await createAuthority('Test', now);
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = (dns = ['api.vendor.example']) => issueServerCertificate(authority, { dns, ip: [] }, now);
const VALID = `Contact: mailto:security@vendor.example\nExpires: ${new Date(now + 90 * DAY_MS).toISOString()}\n`;

describe('a look at a host', () => {
  test('finds nothing wrong with a good one', async () => {
    const port = await serve({ ...(await good()), minVersion: 'TLSv1.2' }, VALID);
    const seen = await look(port);
    expect(seen).toMatchObject({
      problem: null,
      addresses: ['127.0.0.1'],
      versions: { TLSv1: false, 'TLSv1.1': false, 'TLSv1.2': true, 'TLSv1.3': true },
      certificate: { matchesHost: true, distrust: null, keyType: 'ec', keyBits: 256 },
      securityTxt: { state: 'valid', contacts: ['mailto:security@vendor.example'] },
    });
    expect(codes(seen)).toEqual([]);
  });

  test('sees TLS 1.0 and 1.1', async () => {
    const port = await serve({ ...(await good()), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, VALID);
    const seen = await look(port);
    expect(seen.versions).toEqual({ TLSv1: true, 'TLSv1.1': true, 'TLSv1.2': true, 'TLSv1.3': true });
    expect(problemsOf(seen, now)).toMatchObject([{ code: 'tls_old', severity: 'high', contradicts: 'tls_old' }]);
  });

  test('sees a certificate that ended', async () => {
    const names = { dns: ['api.vendor.example'], ip: [] };
    const port = await serve(await issueServerCertificate(authority, names, now - 400 * DAY_MS), VALID);
    expect(codes(await look(port))).toEqual(['certificate_expired']);
  });

  test('sees a certificate for another name', async () => {
    const port = await serve(await good(['other.example']), VALID);
    expect(codes(await look(port))).toContain('certificate_name');
  });

  test.each([
    ['a small key', ['-newkey', 'rsa:1024', '-days', '100'], 'certificate_key'],
    ['SHA-1', ['-newkey', 'rsa:2048', '-sha1', '-days', '100'], 'certificate_signature'],
    ['one that nobody trusts', ['-newkey', 'rsa:2048', '-days', '100'], 'certificate_untrusted'],
    ['one that ends soon', ['-newkey', 'rsa:2048', '-days', '3'], 'certificate_expires'],
  ])('sees %s', async (name, options, code) => {
    const san = ['-addext', 'subjectAltName=DNS:api.vendor.example'];
    const port = await serve(
      { ...bad(name.replaceAll(' ', '-'), ...options, ...san), ciphers: 'DEFAULT@SECLEVEL=0' },
      VALID,
    );
    const seen = await look(port);
    expect(codes(seen)).toContain(code);
    expect(seen.securityTxt).toBeNull();
  });

  test.each([
    ['absent', null, 'security_txt_absent'],
    ['out of date', 'Contact: mailto:a@b.example\nExpires: 2020-01-01T00:00:00Z\n', 'security_txt_expired'],
    ['without a date', 'Contact: mailto:a@b.example\n', 'security_txt_invalid'],
    ['without a contact', 'Expires: 2030-01-01T00:00:00Z\n', 'security_txt_invalid'],
    ['a web page', '<!doctype html><p>Contact: mailto:a@b.example', 'security_txt_absent'],
  ])('sees a security.txt that is %s', async (_, text, code) => {
    expect(codes(await look(await serve(await good(), text)))).toEqual([code]);
  });

  test('never goes to an address that nobody allowed', async () => {
    const port = await serve(await good(), VALID);
    let connections = 0;
    servers[0]?.on('connection', () => (connections += 1));
    const byName = await look(port, 'api.vendor.example', allowed([]));
    const byAddress = await look(port, '127.0.0.1', allowed([]));
    expect([byName.problem, byAddress.problem]).toEqual([
      expect.stringContaining('private, loopback'),
      expect.stringContaining('private, loopback'),
    ]);
    expect(connections).toBe(0);
  });

  test('a host that hangs up is not visible, which is no problem', async () => {
    const port = await serve(await good());
    servers[0]?.on('connection', (socket) => socket.destroy());
    const seen = await look(port);
    expect([seen.problem === null, codes(seen)]).toEqual([false, []]);
  });

  test.each([
    ['its own', { 'api.vendor.example': ['a'] }, []],
    ["its parent's", { 'vendor.example': ['b'] }, []],
    ['none', {}, ['caa_absent']],
  ])('CAA: %s', async (_, zone: Readonly<Record<string, readonly string[]>>, expected) => {
    const port = await serve(await good(), VALID);
    const lookupCaa = async (name: string) => zone[name] ?? [];
    const seen = await probeHost({ host: 'api.vendor.example', port, isPlain: false }, allowed(), { lookupCaa, now });
    expect(codes(seen)).toEqual(expected);
  });
});
