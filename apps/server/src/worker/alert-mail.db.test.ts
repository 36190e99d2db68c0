import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  createTargetCommands,
  detectionMigrations,
  listDeliveries,
  raiseAlerts,
  type RaisedSignal,
  targetInput,
} from '@cordon/detection';
import {
  type Actor,
  createAuthority,
  createSecretEnvelope,
  issueServerCertificate,
  kernelMigrations,
  migrate,
  systemClock,
} from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sendNotifications } from './alert-notifier.ts';
import { alertWays } from './alert-ways.ts';

/** A mail server of somebody else's making, that takes mail by STARTTLS alone and from those who sign in. */
const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 1)] });
let data: TestDatabase;
let server: SMTPServer;
let authority = '';
let mails: { text: string; secure: boolean; user: string }[] = [];

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
  const now = systemClock.now();
  const ca = await createAuthority('Mail', now);
  const { cert, key } = await issueServerCertificate(ca, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  authority = ca.cert;
  server = new SMTPServer({
    cert,
    key,
    onAuth({ username, password }, _session, done) {
      if (username === 'cordon' && password === 'pass word') done(null, { user: username });
      else done(new Error('no'));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({ text: Buffer.concat(chunks).toString(), secure: session.secure, user: String(session.user) });
        done();
      });
    },
  });
  server.on('error', () => undefined); // a client that ends the handshake, as the second test has it
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const targets = createTargetCommands({ db: data.db, clock: systemClock, envelope });
  await targets.add(ADA, targetInput.parse({ name: 'soc', kind: 'mail', to: ['soc@example.com'], levelMin: 'low' }));
});
afterAll(async () => {
  await new Promise<void>((resolve) => server.close(resolve));
  await data.drop();
});
beforeEach(() => {
  mails = [];
});

async function tell(id: string, query: string): Promise<void> {
  const at = systemClock.now();
  const signal: RaisedSignal = {
    id,
    ruleId: id,
    ruleKind: 'rule',
    title: 'Stolen token\r\nBcc: x@example.com',
    level: 'high',
    entity: { type: 'person', id: 'bo@example.com', name: 'Bo' },
    product: 'okta',
    at,
    eventIds: [],
    receivedAt: at,
  };
  await data.db.transaction((tx) => raiseAlerts(tx, [signal], at));
  const { port } = server.server.address() as AddressInfo; // listening on a port
  const smtpUrl = `smtp://cordon:pass%20word@localhost:${port}/?requireTLS=true${query}`;
  const ways = alertWays({
    mail: { smtpUrl, from: 'Cordon <cordon@example.com>' },
    telemetry: { otlpUrl: null, otlpHeaders: {} },
  });
  const deps = {
    db: data.db,
    envelope,
    clock: systemClock,
    logger: createTestLogger(),
    publicUrl: 'https://c.example',
  };
  await sendNotifications({ ...deps, ...ways });
}

test('an alert is mailed over STARTTLS to somebody else’s server, once', async () => {
  await tell('mailed', `&tls.ca=${encodeURIComponent(authority)}`);
  expect(mails).toMatchObject([{ secure: true, user: 'cordon' }]);
  expect(mails[0]?.text).toMatch(/^To: soc@example\.com/m);
  expect(mails[0]?.text).toMatch(/^Subject: .*Stolen token Bcc: x@example\.com/m);
  expect(mails[0]?.text).not.toMatch(/^Bcc:/m);
  expect(mails[0]?.text).toContain('https://c.example/alerts/');
  await tell('mailed', `&tls.ca=${encodeURIComponent(authority)}`);
  expect(mails).toHaveLength(1);
});

test('a server whose certificate nobody vouches for gets nothing', async () => {
  await tell('unvouched', '');
  expect(mails).toEqual([]);
  const [last] = await listDeliveries(data.db, { limit: 1 });
  expect(last).toMatchObject({ state: 'waiting', settledAt: null });
  expect(last?.lastError).toMatch(/certificate|self.signed|issuer/i);
});
