import { createPublicKey } from 'node:crypto';
import {
  AccessDenied,
  type Actor,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  readAudit,
  StepUpRequired,
  verifyAudit,
  type WorkflowClient,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { applyDelta, decodeSigned, getEntry, snapshotKeyId, verifyDelta, verifySnapshot } from '@cordon/policy';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AppPatch } from './app.ts';
import { appSnapshotEntry, findApp } from './app-store.ts';
import { createEstate, type Estate } from './estate.ts';
import { DeclarationInvalid, InputInvalid, NameTaken, NotFound, StateConflict } from './errors.ts';
import { estateMigrations } from './migrations.ts';
import { publish } from './publication.ts';
import { rewrapEstateSecrets } from './rewrap.ts';
import { type SnapshotService, startSnapshotService } from './snapshot-service.ts';
import { findIntegration } from './integration-store.ts';
import { listIntegrationsOf, ORPHAN_DAYS, succeed, suspendOrphans } from './succession.ts';
import { publishRevoked, publishTokens, sweepTokens } from './token-publication.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
/** Showed a factor a moment ago. */
const FRESH = { ...OWNER, strongAuthAt: Date.UTC(2026, 0, 1) } as const;
const AUDITOR = { ...OWNER, name: 'Aud', roles: ['auditor'] } as const;
const DESCRIPTION = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'T', version: '1' },
  paths: { '/a': { get: { operationId: 'a.get', responses: { 200: { description: 'ok' } } } } },
});

let test1: TestDatabase;
let estate: Estate;
let snapshots: SnapshotService;
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const enqueued: string[] = [];
const ended: string[] = [];

beforeAll(async () => {
  test1 = await createTestDatabase();
  await migrate(test1.db, [kernelMigrations, estateMigrations]);
  // The workflow engine has its own test in the kernel; here only what is enqueued matters.
  const workflows = {
    enqueue: async (_tx, definition, id) => void enqueued.push(`${definition.name} ${id}`),
  } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient;
  estate = createEstate(
    {
      db: test1.db,
      clock,
      envelope,
      logger: createTestLogger(),
      workflows,
      endAccess: async (tx, { integrationId }) => {
        ended.push(integrationId);
        await publishRevoked(tx, [], clock.now());
      },
      restoreAccess: async () => undefined,
    },
    (text) => {
      if (!text.includes('forbid')) throw new InputInvalid('not a policy');
    },
  );
  snapshots = await startSnapshotService({ db: test1.db, envelope, logger: createTestLogger(), now: clock.now() });
});
afterAll(async () => {
  await snapshots.stop();
  await test1.drop();
});

const addApp = (name: string) => estate.apps.create(OWNER, { name, upstream: `https://${name}.example.com` });
const addIntegration = (name: string) => estate.integrations.create(OWNER, { name, purpose: 'for a test' });
const keys = () => {
  const key = createPublicKey(snapshots.publicKey);
  return new Map([[snapshotKeyId(key), key]]);
};

test('what a command commits is in the snapshot, signed, and as a delta on the one before', async () => {
  await snapshots.refresh();
  const before = verifySnapshot(decodeSigned(snapshots.full()), { keys: keys() });
  const app = await addApp('delta');
  await snapshots.refresh();
  const after = snapshots
    .since(before.version)
    .reduce((snapshot, line) => applyDelta(snapshot, verifyDelta(decodeSigned(line), { keys: keys() })), before);
  expect(getEntry(after.entries, 'app', app.id)).toMatchObject({ name: 'delta', unknownOperations: 'refuse' });
  expect(after.digest).toBe(verifySnapshot(decodeSigned(snapshots.full()), { keys: keys() }).digest);
});

test('a second control builds the same snapshot and signs it with the same key', async () => {
  const other = await startSnapshotService({ db: test1.db, envelope, logger: createTestLogger(), now: clock.now() });
  await snapshots.refresh();
  expect(other.publicKey).toBe(snapshots.publicKey);
  expect(other.current().digest).toBe(snapshots.current().digest);
  await other.stop();
});

test('a change is served also when its notification was lost', async () => {
  // Written without any NOTIFY, as if the message had been lost on the way.
  const { sql } = await import('kysely');
  const tables = test1.db.tables<Record<string, never>>();
  await sql`update snapshot_state set version = version + 1, epoch = epoch + 1`.execute(tables);
  const { epoch } = (await sql<{ epoch: number }>`select epoch from snapshot_state`.execute(tables)).rows[0] ?? {
    epoch: 0,
  };
  await vi.waitFor(() => expect(snapshots.position().epoch).toBe(epoch), 5_000);
});

test('a rolled back change is nowhere', async () => {
  await snapshots.refresh();
  const before = snapshots.current();
  const failing = test1.db.transaction(async (tx) => {
    await publish(tx, { remove: ['app:none'], revokes: true, at: clock.now() });
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  await snapshots.refresh();
  expect(snapshots.current()).toBe(before);
});

test('the vendor secret is sealed for its app, can not be read back, and the old one is gone', async () => {
  const app = await addApp('sealed');
  const shown = await estate.apps.setCredential(OWNER, app.id, { kind: 'bearer', secret: 'first-secret' });
  expect(JSON.stringify(shown)).not.toContain('first-secret');
  const [, entry] = await appSnapshotEntry(test1.db, app.id);
  const { credential } = entry as { credential: { sealed: string; kind: string } };
  expect(envelope.open(credential.sealed, `credential:${app.id}`).toString()).toBe('first-secret');
  await estate.apps.setCredential(OWNER, app.id, { kind: 'bearer', secret: 'second-secret' });
  const { sql } = await import('kysely');
  const rows = await sql<{ sealed: string }>`select sealed from credentials where app_id = ${app.id}`.execute(
    test1.db.tables<Record<string, never>>(),
  );
  expect(rows.rows.filter((row) => row.sealed !== '')).toHaveLength(1);
  const audit = await readAudit(test1.db, { limit: 50, target: { type: 'app', id: app.id } });
  expect(JSON.stringify(audit)).not.toMatch(/first-secret|second-secret/);
});

test('after a rotation every secret comes under the new key, and the old key can go', async () => {
  const app = await addApp('rotated');
  await estate.apps.setCredential(OWNER, app.id, { kind: 'bearer', secret: 'kept-secret' });
  const both = createSecretEnvelope({ keys: [Buffer.alloc(32, 8), Buffer.alloc(32, 7)] });
  expect(await rewrapEstateSecrets({ db: test1.db, envelope: both, clock })).toBeGreaterThan(0);
  expect(await rewrapEstateSecrets({ db: test1.db, envelope: both, clock })).toBe(0);
  const newest = createSecretEnvelope({ keys: [Buffer.alloc(32, 8)] });
  await snapshots.refresh();
  const published = getEntry(snapshots.current().entries, 'app', app.id)?.credential;
  const sealed = published && 'sealed' in published ? published.sealed : '';
  expect(newest.open(sealed, `credential:${app.id}`).toString()).toBe('kept-secret');
  // Back again, so that the tests after this one find the key they know.
  const back = createSecretEnvelope({ keys: [Buffer.alloc(32, 7), Buffer.alloc(32, 8)] });
  await rewrapEstateSecrets({ db: test1.db, envelope: back, clock });
});

test('a patch changes what it names and nothing else', async () => {
  const app = await addApp('patched');
  const first = await estate.apps.update(OWNER, app.id, { strict: true, limits: { timeoutMs: 5_000 } });
  const second = await estate.apps.update(OWNER, app.id, { limits: { responseBytesMax: 1_000 } });
  expect(second.settings).toEqual({ ...first.settings, limits: { ...first.settings.limits, responseBytesMax: 1_000 } });
  expect(second.settings.strict).toBe(true);
  expect(second.settings.limits.timeoutMs).toBe(5_000);
});

describe('the vendor secret does not follow calls to where it was not given for', () => {
  test.each([
    ['another host', { upstream: 'https://elsewhere.example.net' }],
    ['another port', { upstream: 'https://leads-2.example.com:8443' }],
    ['one more host', { hosts: [{ role: 'files', upstream: 'https://files.example.net' }] }],
    ['an open connection', { plaintext: 'allow' }],
    ['an address inside', { privateAddresses: ['127.0.0.1'] }],
    ['an authority of their own', { caCertificates: ['-----BEGIN CERTIFICATE-----'] }],
  ] as const)('%s drops it', async (what, patch) => {
    const app = await addApp(`leads-${what.replaceAll(/[^a-z]/g, '-')}`);
    await estate.apps.setCredential(OWNER, app.id, { kind: 'bearer', secret: 'vendor-secret' });
    const changed = await estate.apps.update(OWNER, app.id, patch as AppPatch);
    expect(changed.credential).toBeNull();
    expect((await appSnapshotEntry(test1.db, app.id))[1]).toMatchObject({ credential: null });
    const [audit] = await readAudit(test1.db, { limit: 1, target: { type: 'app', id: app.id } });
    expect(audit?.detail).toMatchObject({ credential: 'dropped: calls go elsewhere' });
  });

  test('another path of the same host keeps it, and so does any other change', async () => {
    const app = await addApp('leads-nowhere');
    await estate.apps.setCredential(OWNER, app.id, { kind: 'bearer', secret: 'vendor-secret' });
    const changed = await estate.apps.update(OWNER, app.id, { upstream: `${app.settings.upstream}/v2`, strict: true });
    expect(changed.credential).toMatchObject({ kind: 'bearer' });
  });
});

test('of many who take one name at once one gets it, and the others are told why', async () => {
  for (const add of [addApp, addIntegration]) {
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => add('wanted')));
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused.map((reason) => reason instanceof NameTaken)).toEqual([true, true, true]);
  }
});

test('changes of one app at the same time all hold', async () => {
  const app = await addApp('at-once');
  await Promise.all([
    estate.apps.update(OWNER, app.id, { strict: true }),
    estate.apps.update(OWNER, app.id, { rewriteBodies: false }),
    estate.apps.update(OWNER, app.id, { injection: 'refuse' }),
  ]);
  const { settings } = (await findApp(test1.db, { id: app.id })) ?? {};
  expect(settings).toMatchObject({ strict: true, rewriteBodies: false, injection: 'refuse' });
});

test('a developer changes own integrations, and nobody else’s', async () => {
  const dev = { ...OWNER, id: '018f0000-0000-7000-8000-00000000000d', name: 'Dev', roles: ['developer'] } as const;
  const own = await estate.integrations.create(dev, { name: 'own-one', purpose: 'for a test' });
  const foreign = await addIntegration('foreign-one');
  expect((await estate.integrations.update(dev, own.id, { purpose: 'for another' })).purpose).toBe('for another');
  await expect(estate.integrations.update(dev, foreign.id, { assurance: 'm0' })).rejects.toBeInstanceOf(AccessDenied);
  await expect(estate.integrations.checkCredentials(dev, own.id)).resolves.toBeUndefined();
  await expect(estate.integrations.checkCredentials(dev, foreign.id)).rejects.toBeInstanceOf(AccessDenied);
  await expect(estate.integrations.checkCredentials(OWNER, own.id)).resolves.toBeUndefined();
});

test('a declaration is no way around the fresh factor that policies ask for', async () => {
  const limit = { limits: { around: { concurrency: 5 } } };
  const apply = (actor: Actor) => estate.declarations.apply(actor, limit, { prune: false });
  await expect(apply(OWNER)).rejects.toBeInstanceOf(StepUpRequired);
  await expect(apply(FRESH)).resolves.toHaveLength(1);
});

test.each([
  ['a null character', { purpose: 'for\0test' }],
  ['a time that no clock tells', { purpose: 'for a test', expiresAt: Number.MAX_SAFE_INTEGER }],
])('%s is refused by name, not met as an error of the database', async (what, input) => {
  const name = `odd-${what.length}`;
  await expect(estate.integrations.create(OWNER, { name, ...input })).rejects.toBeInstanceOf(InputInvalid);
});

test('the off switch: one transaction, a higher epoch, tokens ended, a workflow to follow it', async () => {
  const integration = await addIntegration('off-switch');
  await snapshots.refresh();
  const { epoch } = snapshots.position();
  const result = await estate.integrations.revoke(OWNER, integration.id, 'its token was stolen');
  expect(result.epoch).toBeGreaterThan(epoch);
  expect(ended).toContain(integration.id);
  expect(enqueued).toContain(`estate.cut-off cut-off:${result.cutOffId}`);
  await snapshots.refresh();
  expect(getEntry(snapshots.current().entries, 'integration', integration.id)?.status).toBe('revoked');
  await expect(estate.integrations.revoke(OWNER, integration.id, 'once more')).rejects.toBeInstanceOf(StateConflict);
  const restored = await estate.integrations.restore(OWNER, integration.id, 'a false alarm');
  expect(restored.status).toBe('active');
});

test('commands of many people at once neither deadlock nor lose one', async () => {
  const made = await Promise.all(Array.from({ length: 12 }, (_, index) => addIntegration(`many-${index}`)));
  const app = await addApp('crowded');
  const select = [{ kind: 'access' as const, access: 'read' as const }];
  await Promise.all(
    made.flatMap((integration, index) => [
      estate.grants.put(OWNER, { integrationId: integration.id, appId: app.id, select }),
      index % 2 === 0
        ? estate.integrations.revoke(OWNER, integration.id, 'in the crowd')
        : estate.integrations.update(OWNER, integration.id, { purpose: 'changed in the crowd' }),
      estate.apps.update(OWNER, app.id, { strict: index % 2 === 0 }),
    ]),
  );
  await Promise.all(
    made.filter((_, index) => index % 2 === 0).map(({ id }) => estate.integrations.restore(OWNER, id, 'and back')),
  );
  await snapshots.refresh();
  const { entries } = snapshots.current();
  for (const { id } of made) expect(getEntry(entries, 'integration', id)?.status).toBe('active');
  await verifyAudit(test1.db);
});

test('tokens reach the snapshot, revoked ones leave it and are refused, and both are swept when their time is over', async () => {
  const integration = await addIntegration('token-holder');
  const [live, stolen] = ['a'.repeat(64), 'b'.repeat(64)];
  const base = { integrationId: integration.id, clientId: 'c', expiresAt: clock.now() + 60_000 };
  await publishTokens(
    test1.db,
    async () => [
      { ...base, hash: live },
      { ...base, hash: stolen },
    ],
    clock.now(),
  );
  await test1.db.transaction((tx) => publishRevoked(tx, [{ hash: stolen, expiresAt: base.expiresAt }], clock.now()));
  await snapshots.refresh();
  const has = (key: string) => snapshots.current().entries.has(key);
  expect([has(`token:${live}`), has(`token:${stolen}`), has(`revoked:${stolen}`)]).toEqual([true, false, true]);
  clock.advance(61_000);
  await sweepTokens(test1.db, clock.now(), 0);
  await snapshots.refresh();
  expect([has(`token:${live}`), has(`revoked:${stolen}`)]).toEqual([false, false]);
});

test('a control that slept through forgotten removals reads everything anew', async () => {
  const lagging = await startSnapshotService({ db: test1.db, envelope, logger: createTestLogger(), now: clock.now() });
  const app = await addApp('forgotten');
  await lagging.refresh();
  expect(lagging.current().entries.has(`app:${app.id}`)).toBe(true);
  const stopped = lagging.current();
  await lagging.stop();
  await estate.apps.remove(OWNER, app.id);
  await sweepTokens(test1.db, clock.now(), stopped.version + 1_000);
  await lagging.refresh();
  expect(lagging.current().entries.has(`app:${app.id}`)).toBe(false);
});

test.each([
  [
    'a name with a space',
    () => estate.apps.create(OWNER, { name: 'a b', upstream: 'https://x.example' }),
    InputInvalid,
  ],
  [
    'an upstream with a password',
    () => estate.apps.create(OWNER, { name: 'pw', upstream: 'https://u:p@x.example' }),
    InputInvalid,
  ],
  ['a taken name', () => addApp('delta'), NameTaken],
  [
    'a grant to nobody',
    () =>
      estate.grants.put(OWNER, {
        integrationId: OWNER.id,
        appId: OWNER.id,
        select: [{ kind: 'access', access: 'any' }],
      }),
    NotFound,
  ],
  ['a policy that is none', () => estate.rules.put(OWNER, 'policy', { name: 'p', text: 'permit all!' }), InputInvalid],
  ['a cut-off without a reason', () => estate.integrations.revoke(OWNER, OWNER.id, ''), StateConflict],
] as const)('%s is refused', async (_what, attempt, error) => {
  await expect((async () => attempt())()).rejects.toBeInstanceOf(error);
});

describe('somebody who answers for one app', () => {
  const ANN = { ...OWNER, id: '018f0000-0000-7000-8000-0000000000a1', name: 'Ann', roles: ['app-owner'] } as const;
  const BEN = { ...ANN, id: '018f0000-0000-7000-8000-0000000000b2', name: 'Ben' } as const;
  const upstream = 'https://ledger.example.com';
  const secret = { kind: 'bearer', secret: 'k-1' };

  test('changes it, its credential and its grants, and nobody of the same role does', async () => {
    const app = await estate.apps.create(ANN, { name: 'ledger', upstream });
    expect(app.owner).toEqual({ id: ANN.id, name: 'Ann' });
    const integration = await estate.integrations.create(OWNER, { name: 'ledger-sync', purpose: 'books' });
    const grant = {
      integrationId: integration.id,
      appId: app.id,
      select: [{ kind: 'access', access: 'read' }],
    } as const;
    const attempts = [
      (actor: Actor) => estate.apps.update(actor, app.id, { title: 'Books' }),
      (actor: Actor) => estate.apps.setCredential(actor, app.id, secret),
      (actor: Actor) => estate.grants.put(actor, { ...grant, select: [...grant.select] }),
      (actor: Actor) => estate.apps.remove(actor, app.id),
    ];
    for (const attempt of attempts) {
      await expect(attempt(BEN)).rejects.toMatchObject({ code: 'kernel.access_denied' });
      await attempt(ANN);
    }
  });

  test('hands it on, and can change it no longer', async () => {
    const app = await estate.apps.create(ANN, { name: 'handed-on', upstream });
    const to = { id: BEN.id, name: BEN.name };
    expect((await estate.apps.update(ANN, app.id, { owner: to })).owner).toEqual(to);
    await expect(estate.apps.update(ANN, app.id, { title: 'Mine?' })).rejects.toMatchObject({
      code: 'kernel.access_denied',
    });
  });

  test.each([{ privateAddresses: ['10.0.0.5'] }, { plaintext: 'allow' as const }])(
    'can not let its calls into the private network or go out unencrypted: %j',
    async (reach) => {
      const name = `reach-${Object.keys(reach)[0]?.toLowerCase()}`;
      await expect(estate.apps.create(ANN, { name, upstream, ...reach })).rejects.toMatchObject({
        code: 'kernel.access_denied',
      });
      const app = await estate.apps.create(ANN, { name, upstream });
      await expect(estate.apps.update(ANN, app.id, reach)).rejects.toMatchObject({ code: 'kernel.access_denied' });
      await estate.apps.update(OWNER, app.id, reach);
      expect((await estate.apps.update(ANN, app.id, { title: 'Still mine' })).title).toBe('Still mine');
    },
  );
});

describe('when an owner leaves', () => {
  const [EVE, BOB] = [
    { id: '018f0000-0000-7000-8000-0000000000e1', name: 'Eve' },
    { id: '018f0000-0000-7000-8000-0000000000b3', name: 'Bob' },
  ];
  const LEAVER = { kind: 'system', name: 'leaver' } as const;
  const succeedTo = (integrationId: string, active: readonly string[]) =>
    succeed({ db: test1.db, clock }, LEAVER, {
      integrationId,
      leaver: EVE.id,
      isActive: async (id) => active.includes(id),
    });
  const load = (id: string) => findIntegration(test1.db, { id });

  test('the backup owner takes over, once', async () => {
    const input = { name: 'with-backup', purpose: 'payroll', owner: EVE, backupOwner: BOB };
    const { id } = await estate.integrations.create(OWNER, input);
    expect((await listIntegrationsOf(test1.db, BOB.id)).map(({ name }) => name)).toContain('with-backup');
    expect(await succeedTo(id, [BOB.id])).toEqual({ kind: 'promoted', to: BOB });
    expect(await load(id)).toMatchObject({ owner: BOB, backupOwner: null, orphanedUntil: null, status: 'active' });
    expect(await succeedTo(id, [BOB.id])).toMatchObject({ kind: 'none' });
  });

  test('without one it goes on for two weeks, then is suspended, unless somebody takes it', async () => {
    const ids = await Promise.all(
      ['orphan-left', 'orphan-taken'].map(async (name) => {
        const made = await estate.integrations.create(OWNER, { name, purpose: 'sync', owner: EVE, backupOwner: BOB });
        return made.id;
      }),
    );
    const [left = '', taken = ''] = ids;
    for (const id of ids) expect(await succeedTo(id, [])).toMatchObject({ kind: 'orphaned' });
    expect(await load(left)).toMatchObject({ status: 'active', owner: EVE, backupOwner: null });
    await estate.integrations.update(OWNER, taken, { owner: BOB });
    const suspend = vi.fn<(actor: unknown, id: string, reason: string) => Promise<void>>(async () => undefined);
    expect(await suspendOrphans(test1.db, clock, suspend)).toBe(0);
    const later = createFakeClock(clock.now() + (ORPHAN_DAYS + 1) * 86_400_000);
    expect(await suspendOrphans(test1.db, later, suspend)).toBe(1);
    expect(suspend.mock.calls[0]?.[1]).toBe(left);
    expect(suspend.mock.calls[0]?.[2]).toContain('Eve');
  });

  test('whoever was only the backup is taken out as that', async () => {
    const input = { name: 'backed-by-eve', purpose: 'sync', owner: BOB, backupOwner: EVE };
    const { id } = await estate.integrations.create(OWNER, input);
    expect(await succeedTo(id, [BOB.id])).toMatchObject({ kind: 'none', why: expect.stringContaining('backup owner') });
    expect(await load(id)).toMatchObject({ owner: BOB, backupOwner: null });
  });
});

test('an auditor changes nothing', async () => {
  const attempts = [
    () => estate.apps.create(AUDITOR, { name: 'no', upstream: 'https://x.example' }),
    () => estate.integrations.create(AUDITOR, { name: 'no', purpose: 'none' }),
    () => estate.integrations.revoke(AUDITOR, OWNER.id, 'because'),
    () => estate.rules.put(AUDITOR, 'policy', { name: 'p', text: 'forbid' }),
    () => estate.declarations.apply(AUDITOR, {}, { prune: true }),
  ];
  for (const attempt of attempts) {
    await expect((async () => attempt())()).rejects.toMatchObject({ code: 'kernel.access_denied' });
  }
});

test('plan, apply, export: applying twice changes nothing more, and drift is shown', async () => {
  const declared = {
    apps: { 'declared-app': { upstream: 'https://declared.example.com', description: DESCRIPTION } },
    integrations: {
      'declared-sync': {
        purpose: 'declared in a file',
        grants: { 'declared-app': { default: { select: [{ kind: 'operations', ids: ['a.get'] }] } } },
      },
    },
    policies: { 'no-deletes': { text: 'forbid (principal, action, resource);' } },
    inspection: { 'cards-out': { class: 'payment.card', action: 'redact', app: 'declared-app' } },
    limits: { slow: { app: 'declared-app', rate: { count: 5, periodMs: 1_000, burst: 5 } } },
    requirements: { payouts: { app: 'declared-app', assurance: 'm1', approval: { countMax: 2 } } },
  };
  const first = await estate.declarations.apply(FRESH, declared, { prune: false });
  expect(first.map(({ action, kind }) => `${action} ${kind}`)).toEqual([
    'create apps',
    'create integrations',
    'create policies',
    'create inspection',
    'create limits',
    'create requirements',
  ]);
  expect(await estate.declarations.plan(OWNER, declared, { prune: false })).toEqual([]);
  const app = (await estate.declarations.export(OWNER)).apps['declared-app'];
  expect(app).toMatchObject({ upstream: 'https://declared.example.com', description: DESCRIPTION });
  // Somebody changes it by hand: the next plan says so, and says what.
  const declaredApp = await findApp(test1.db, { name: 'declared-app' });
  await estate.apps.update(OWNER, declaredApp?.id ?? '', { strict: true });
  const drift = await estate.declarations.plan(OWNER, declared, { prune: false });
  expect(drift).toEqual([
    { action: 'update', kind: 'apps', name: 'declared-app', changes: [{ path: 'strict', from: true, to: false }] },
  ]);
  // What was exported, applied again, is no change either.
  const exported = await estate.declarations.export(OWNER);
  expect(await estate.declarations.plan(OWNER, exported, { prune: true })).toEqual([]);
});

test.each([
  ['an unknown key', { app: {} }],
  ['a limit without any limit', { limits: { empty: {} } }],
  ['a wrong upstream', { apps: { x: { upstream: 'ftp://x' } } }],
])('a declaration with %s is refused', async (_what, declared) => {
  await expect(estate.declarations.plan(OWNER, declared, { prune: false })).rejects.toBeInstanceOf(DeclarationInvalid);
});
