import { generateKeyPairSync } from 'node:crypto';
import {
  AccessDenied,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  readAudit,
  type WorkflowClient,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { appSnapshotEntry } from '../app-store.ts';
import { ConnectionInvalid, InputInvalid, StateConflict, VendorRefused } from '../errors.ts';
import { createEstate, type Estate } from '../estate.ts';
import { estateMigrations } from '../migrations.ts';
import { tablesOf } from '../tables.ts';
import { createRenewals, type Renewals } from './renewal.ts';
import { loadCredential } from './vault-store.ts';
import type { VendorClient, VendorRequest } from './vendor-client.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const OTHER = { ...OWNER, id: '018f0000-0000-7000-8000-000000000002', name: 'Bob' } as const;
const AUDITOR = { ...OWNER, name: 'Aud', roles: ['auditor'] } as const;
const REFRESH = {
  kind: 'oauth2-refresh-token',
  clientId: 'cordon',
  clientSecret: 'client-secret-1',
  tokenUrl: 'https://vendor.example/token',
  refreshToken: 'refresh-0',
} as const;
const CONSENT = {
  kind: 'oauth2-authorization-code',
  clientId: 'cordon',
  clientSecret: 'client-secret-1',
  authorizeUrl: 'https://vendor.example/authorize?team=1',
  tokenUrl: 'https://vendor.example/token',
  issuer: 'https://vendor.example',
  scopes: ['read', 'write'],
} as const;

/** A token endpoint whose refresh tokens are good once, as RFC 9700 wants it: a second use would end the family. */
class FakeVendor implements VendorClient {
  refreshToken = 'refresh-0';
  minted = 0;
  reused = 0;
  refusal: { status: number; body: string } | undefined;
  probes: Record<string, number> = {};
  gate: Promise<void> = Promise.resolve();
  expiresIn: number | undefined = 3600;
  readonly requests: VendorRequest[] = [];

  async send(request: VendorRequest) {
    this.requests.push(request);
    await this.gate;
    if (this.refusal) return this.refusal;
    const fields = new URLSearchParams(request.body);
    if (fields.get('grant_type') === 'refresh_token') {
      if (fields.get('refresh_token') !== this.refreshToken) {
        this.reused += 1;
        return { status: 400, body: '{"error":"invalid_grant"}' };
      }
    }
    this.minted += 1;
    this.refreshToken = `refresh-${this.minted}`;
    return {
      status: 200,
      body: JSON.stringify({
        access_token: `access-${this.minted}`,
        expires_in: this.expiresIn,
        refresh_token: this.refreshToken,
      }),
    };
  }

  async probe(_app: unknown, _credential: unknown, path: string) {
    return this.probes[path] ?? 200;
  }
}

let test1: TestDatabase;
let estate: Estate;
let vendor: FakeVendor;
let appId: string;
let count = 0;
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });

beforeAll(async () => {
  test1 = await createTestDatabase();
  await migrate(test1.db, [kernelMigrations, estateMigrations]);
});
// What is due in one test must not be renewed by the next.
afterEach(() => estate.apps.remove(OWNER, appId));
afterAll(() => test1.drop());

beforeEach(async () => {
  vendor = new FakeVendor();
  estate = createEstate(
    {
      db: test1.db,
      clock,
      envelope,
      logger: createTestLogger(),
      workflows: { enqueue: async () => undefined } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient,
      endAccess: async () => undefined,
      restoreAccess: async () => undefined,
      vendor,
      publicUrl: 'https://cordon.example',
    },
    () => undefined,
  );
  count += 1;
  appId = (await estate.apps.create(OWNER, { name: `vault-${count}`, upstream: 'https://api.vendor.example' })).id;
});

function renewals(): Renewals {
  return createRenewals({ db: test1.db, clock, vendor, envelope, logger: createTestLogger() });
}

async function published(): Promise<Record<string, unknown> | null> {
  const [, entry] = await appSnapshotEntry(test1.db, appId);
  return (entry as { credential: Record<string, unknown> | null }).credential;
}

/** The secret that gateways would attach. */
async function attached(): Promise<string> {
  const sealed = (await published())?.['sealed'];
  return envelope.open(String(sealed), `credential:${appId}`).toString('utf8');
}

async function currentId(): Promise<string> {
  return (await estate.vault.current(appId, null)) ?? '';
}

describe('minted credentials', () => {
  test('a token is minted at once; the refresh token and the client’s secret stay behind', async () => {
    const app = await estate.apps.setCredential(OWNER, appId, REFRESH);
    expect(app.credential).toMatchObject({ kind: 'oauth2-refresh-token', state: 'ready', renews: true, problem: null });
    expect(await published()).toMatchObject({ kind: 'bearer', scheme: 'Bearer', renewal: { generation: 0 } });
    expect(await attached()).toBe('access-1');
    const row = await loadCredential(test1.db, app.credential?.id ?? '');
    const stored = JSON.stringify([row, await published(), app]);
    for (const secret of ['client-secret-1', 'refresh-0', 'refresh-1', 'access-1'])
      expect(stored).not.toContain(secret);
  });

  test('what is due is renewed ahead of its end, once, however many try', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    clock.advance(3_000_001);
    const gate = Promise.withResolvers<void>();
    vendor.gate = gate.promise;
    const all = Promise.all(Array.from({ length: 6 }, () => renewals().renewDue()));
    while (vendor.requests.length < 2) await new Promise((done) => void setImmediate(done));
    gate.resolve();
    expect((await all).reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(await attached()).toBe('access-2');
    expect([vendor.minted, vendor.reused]).toEqual([2, 0]);
    expect(await renewals().renewDue()).toBe(0);
  });

  test('gateways that were all refused the same token cause one renewal', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    const id = await currentId();
    clock.advance(60_000);
    const results = await Promise.all(Array.from({ length: 8 }, () => renewals().renewRefused(id, 0)));
    expect(new Set(results)).toEqual(new Set(['renewed']));
    expect([vendor.minted, vendor.reused]).toEqual([2, 0]);
    // Whoever comes late learns of it; whoever is refused the newest one right away gets no further one.
    expect(await renewals().renewRefused(id, 0)).toBe('renewed');
    expect(await renewals().renewRefused(id, 1)).toBe('young');
    expect(vendor.minted).toBe(2);
  });

  test('a refusal for good is shown, recorded and not repeated; the end makes it unusable', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    clock.advance(3_000_001);
    vendor.refusal = { status: 400, body: '{"error":"invalid_grant","error_description":"revoked"}' };
    expect(await renewals().renewDue()).toBe(1);
    expect(await renewals().renewDue()).toBe(0);
    const [status] = await estate.vault.list(OWNER, appId);
    expect(status).toMatchObject({ state: 'failing', refreshAt: null });
    expect(status?.problem).toContain('invalid_grant: revoked');
    expect(await attached()).toBe('access-1');
    clock.advance(600_000);
    await renewals().sweep();
    expect((await estate.vault.list(OWNER, appId))[0]).toMatchObject({ state: 'expired' });
    expect(await published()).toEqual({ kind: 'unavailable', reason: 'expired' });
    const actions = (await readAudit(test1.db, { after: 0, limit: 1_000 }))
      .filter(({ target }) => target.id === appId)
      .map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining(['app.credential_renewal_failed', 'app.credential_expired', 'app.credential_replaced']),
    );
  });

  test('a vendor that is away is asked again, later each time', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    clock.advance(3_000_001);
    vendor.refusal = { status: 503, body: 'busy' };
    await renewals().renewDue();
    const first = (await estate.vault.list(OWNER, appId))[0]?.refreshAt ?? 0;
    expect(first - clock.now()).toBe(2_000);
    clock.advance(2_000);
    await renewals().renewDue();
    expect(((await estate.vault.list(OWNER, appId))[0]?.refreshAt ?? 0) - clock.now()).toBe(4_000);
    vendor.refusal = undefined;
    clock.advance(4_000);
    await renewals().renewDue();
    expect((await estate.vault.list(OWNER, appId))[0]).toMatchObject({ state: 'ready', problem: null });
    expect(await attached()).toBe('access-2');
  });

  test('a lease that its holder left behind is taken over when it ends', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    const id = await currentId();
    clock.advance(3_000_001);
    await tablesOf(test1.db)
      .updateTable('credentials')
      .set({ lease_id: id, lease_until: new Date(clock.now() + 30_000) })
      .where('id', '=', id)
      .execute();
    expect(await renewals().renewDue()).toBe(0);
    clock.advance(30_000);
    expect(await renewals().renewDue()).toBe(1);
    expect(await attached()).toBe('access-2');
  });

  test('a renewal that a replacement overtook is thrown away', async () => {
    await estate.apps.setCredential(OWNER, appId, REFRESH);
    const id = await currentId();
    clock.advance(60_000);
    const gate = Promise.withResolvers<void>();
    vendor.gate = gate.promise;
    const late = renewals().renewRefused(id, 0);
    while (vendor.requests.length < 2) await new Promise((done) => void setImmediate(done));
    await estate.apps.setCredential(OWNER, appId, { kind: 'bearer', secret: 'static-token-1' });
    gate.resolve();
    expect(await late).toBe('failed');
    expect(await attached()).toBe('static-token-1');
  });

  test('a credential that the vendor refuses is not taken', async () => {
    vendor.refusal = { status: 401, body: '{"error":"invalid_client"}' };
    await expect(estate.apps.setCredential(OWNER, appId, REFRESH)).rejects.toThrow(VendorRefused);
    expect(await published()).toBeNull();
  });
});

describe('connecting by consent', () => {
  async function begin() {
    await estate.apps.setCredential(OWNER, appId, CONSENT);
    const { authorizeUrl, redirectUri } = await estate.vault.connect(OWNER, appId, await currentId());
    return { url: new URL(authorizeUrl), redirectUri };
  }

  test('until somebody connects it, calls are refused', async () => {
    await estate.apps.setCredential(OWNER, appId, CONSENT);
    expect(await published()).toEqual({ kind: 'unavailable', reason: 'not-connected' });
  });

  test('goes out with state and S256, comes back to one exact address, and is renewed from then on', async () => {
    const { url, redirectUri } = await begin();
    const sent = Object.fromEntries(url.searchParams);
    expect(sent).toMatchObject({ team: '1', response_type: 'code', client_id: 'cordon', scope: 'read write' });
    expect(sent).toMatchObject({
      code_challenge_method: 'S256',
      redirect_uri: `https://cordon.example/connect/${appId}`,
    });
    expect(redirectUri).toBe(sent['redirect_uri']);
    const state = sent['state'] ?? '';
    await estate.vault.finishConnection(OWNER, { appId, state, code: 'code-1', iss: 'https://vendor.example' });
    const body = new URLSearchParams(vendor.requests.at(-1)?.body);
    expect(body.get('redirect_uri')).toBe(redirectUri);
    const { createHash } = await import('node:crypto');
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    expect(challenge).toBe(sent['code_challenge']);
    expect(await attached()).toBe('access-1');
    clock.advance(3_000_001);
    await renewals().renewDue();
    expect(await attached()).toBe('access-2');
    // An answer counts once.
    await expect(
      estate.vault.finishConnection(OWNER, { appId, state, code: 'code-1', iss: 'https://vendor.example' }),
    ).rejects.toThrow(ConnectionInvalid);
  });

  test.each([
    ['another issuer (mix-up)', { iss: 'https://evil.example' }, OWNER, 0],
    ['no issuer where one is expected', {}, OWNER, 0],
    ['another person', { iss: 'https://vendor.example' }, OTHER, 0],
    ['eleven minutes later', { iss: 'https://vendor.example' }, OWNER, 660_000],
    [
      'another app’s address',
      { iss: 'https://vendor.example', appId: '018f0000-0000-7000-8000-00000000000f' },
      OWNER,
      0,
    ],
    ['an invented state', { iss: 'https://vendor.example', state: 'x'.repeat(43) }, OWNER, 0],
  ] as const)('refuses %s', async (_what, answer, actor, later) => {
    const { url } = await begin();
    clock.advance(later);
    const state = url.searchParams.get('state') ?? '';
    const finish = estate.vault.finishConnection(actor, { appId, state, code: 'code-1', ...answer });
    await expect(finish).rejects.toThrow(ConnectionInvalid);
    expect(vendor.requests).toEqual([]);
    expect(await published()).toEqual({ kind: 'unavailable', reason: 'not-connected' });
  });

  test('what the page refuses is told', async () => {
    const { url } = await begin();
    const state = url.searchParams.get('state') ?? '';
    const answer = { appId, state, error: 'access_denied', iss: 'https://vendor.example' };
    await expect(estate.vault.finishConnection(OWNER, answer)).rejects.toThrow('access_denied');
  });
});

describe('rotation', () => {
  const NEXT = { kind: 'bearer', secret: 'static-token-2', verifyPath: '/user' } as const;

  beforeEach(async () => {
    await estate.apps.setCredential(OWNER, appId, { kind: 'bearer', secret: 'static-token-1' });
  });

  test('at once: verified, switched, the old one kept for a while and gone to on demand', async () => {
    await estate.vault.rotate(OWNER, appId, { credential: NEXT });
    expect(await attached()).toBe('static-token-2');
    const stages = (await estate.vault.list(OWNER, appId)).map(({ stage, verifiedAt }) => [stage, verifiedAt !== null]);
    expect(new Map(stages as [string, boolean][])).toEqual(
      new Map([
        ['current', true],
        ['overlap', false],
      ]),
    );
    await estate.vault.rollBack(OWNER, appId, null);
    expect(await attached()).toBe('static-token-1');
    await estate.vault.rollBack(OWNER, appId, null);
    expect(await attached()).toBe('static-token-2');
    clock.advance(86_400_001);
    await renewals().sweep();
    expect((await estate.vault.list(OWNER, appId)).map(({ stage }) => stage)).toEqual(['current']);
    await expect(estate.vault.rollBack(OWNER, appId, null)).rejects.toThrow(StateConflict);
    const erased = await tablesOf(test1.db)
      .selectFrom('credentials')
      .select('sealed')
      .where('app_id', '=', appId)
      .where('retired_at', 'is not', null)
      .execute();
    expect(erased).toEqual([{ sealed: '' }]);
  });

  test('a successor that the vendor refuses changes nothing', async () => {
    vendor.probes['/user'] = 401;
    await expect(estate.vault.rotate(OWNER, appId, { credential: NEXT })).rejects.toThrow('with 401');
    expect(await attached()).toBe('static-token-1');
    expect((await estate.vault.list(OWNER, appId)).map(({ stage }) => stage)).toEqual(['current']);
  });

  test('on schedule: nothing happens before its time, and a late refusal keeps the old one', async () => {
    await estate.vault.rotate(OWNER, appId, { credential: NEXT, switchAt: clock.now() + 60_000 });
    await estate.vault.rotation.switchDue();
    expect(await attached()).toBe('static-token-1');
    clock.advance(60_000);
    vendor.probes['/user'] = 403;
    await estate.vault.rotation.switchDue();
    expect(await attached()).toBe('static-token-1');
    const staged = (await estate.vault.list(OWNER, appId)).find(({ stage }) => stage === 'staged');
    expect(staged).toMatchObject({ state: 'failing', switchAt: null });
    vendor.probes['/user'] = 200;
    await estate.vault.rotate(OWNER, appId, { credential: NEXT, switchAt: clock.now() + 1_000 });
    clock.advance(1_000);
    await Promise.all([estate.vault.rotation.switchDue(), estate.vault.rotation.switchDue()]);
    expect(await attached()).toBe('static-token-2');
  });

  test('a consent page’s successor is staged, connected, then switched to', async () => {
    await estate.vault.rotate(OWNER, appId, { credential: CONSENT });
    expect(await attached()).toBe('static-token-1');
    const staged = (await estate.vault.list(OWNER, appId)).find(({ stage }) => stage === 'staged');
    const { authorizeUrl } = await estate.vault.connect(OWNER, appId, staged?.id ?? '');
    const state = new URL(authorizeUrl).searchParams.get('state') ?? '';
    await estate.vault.finishConnection(OWNER, { appId, state, code: 'code-1', iss: 'https://vendor.example' });
    expect(await attached()).toBe('access-1');
  });
});

describe('places and people', () => {
  test('an integration’s own credential is published beside the app’s, and goes with it', async () => {
    const { id: integrationId } = await estate.integrations.create(OWNER, {
      name: `own-${count}`,
      purpose: 'has its own',
      kind: 'service',
      assurance: 'm0',
    });
    await estate.apps.setCredential(OWNER, appId, { kind: 'bearer', secret: 'static-token-1' });
    await estate.vault.set(OWNER, appId, { kind: 'basic', secret: 'u:password-1', integrationId });
    const key = `credential:${appId}.${integrationId}`;
    const entry = async () =>
      (await tablesOf(test1.db).selectFrom('snapshot_entries').select('value').where('key', '=', key).execute())[0]
        ?.value;
    expect(await entry()).toMatchObject({ credential: { kind: 'basic' } });
    expect(await attached()).toBe('static-token-1');
    await estate.apps.update(OWNER, appId, { upstream: 'https://elsewhere.example' });
    expect(await entry()).toBeNull();
    expect(await published()).toBeNull();
  });

  test.each([
    ['set', () => estate.vault.set(AUDITOR, appId, REFRESH)],
    ['rotate', () => estate.vault.rotate(AUDITOR, appId, { credential: REFRESH })],
    ['roll back', () => estate.vault.rollBack(AUDITOR, appId, null)],
    ['erase', () => estate.vault.remove(AUDITOR, appId, null)],
    ['finish', () => estate.vault.finishConnection(AUDITOR, { appId, state: 'x'.repeat(43), code: 'c' })],
  ])('an auditor may not %s', async (_what, act) => {
    await expect(act()).rejects.toThrow(AccessDenied);
  });

  test.each([
    ['a secret that the client needs', { ...REFRESH, clientSecret: undefined }, 'clientSecret'],
    ['a key that is none', { ...REFRESH, clientAuth: 'private_key_jwt', privateKey: 'no' }, 'privateKey'],
    ['a token URL that is no web address', { ...REFRESH, tokenUrl: 'file:///etc/passwd' }, 'tokenUrl'],
  ])('input without %s is refused', async (_what, credential, field) => {
    const set = estate.vault.set(OWNER, appId, credential);
    await expect(set).rejects.toThrow(InputInvalid);
    await expect(set).rejects.toThrow(field);
  });

  test('keys of service accounts and apps mint without anybody’s consent', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    await estate.vault.set(OWNER, appId, {
      kind: 'google-service-account',
      clientEmail: 'robot@project.iam.gserviceaccount.example',
      privateKey,
      subject: 'ada@example.com',
      scopes: ['https://www.googleapis.com/auth/drive.readonly'],
    });
    const assertion = new URLSearchParams(vendor.requests.at(-1)?.body).get('assertion') ?? '';
    const claims: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(claims).toMatchObject({ sub: 'ada@example.com', aud: 'https://oauth2.googleapis.com/token' });
    await estate.vault.set(OWNER, appId, { kind: 'github-app', appId: '12', installationId: '34', privateKey });
    expect(vendor.requests.at(-1)?.url).toBe('https://api.github.com/app/installations/34/access_tokens');
    expect(await attached()).toBe('access-2');
  });
});
