import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createToolClient,
  type Entity,
  type HttpPort,
  loadManifests,
  performAction,
  readStream,
} from '@cordon/connectors';
import { createTestLogger } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Estate, startEstate } from './estate.ts';
import type { AppName } from './vendors.ts';

const manifests = await loadManifests(fileURLToPath(new URL('../../content/connectors', import.meta.url)));
const pause = (ms: number): Promise<void> => setTimeout(Math.min(ms, 20)).then(() => undefined);
const clock = { now: () => Date.now() };

const http: HttpPort = {
  async send({ method, url, headers, body }) {
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }), redirect: 'manual' });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  },
};

const CONFIG: Readonly<Partial<Record<AppName, Record<string, string>>>> = {
  github: { org: 'meridian' },
  slack: {},
  okta: { domain: 'meridian.okta.com' },
  microsoft: { tenant: 'meridian' },
  google: { customer: 'my_customer', admin: 'admin@meridian.example' },
  stripe: {},
};

let estate: Estate;
beforeAll(async () => {
  estate = await startEstate({ logger: createTestLogger(), seed: 'connectors' });
});
afterAll(() => estate.stop());

function connect(app: AppName) {
  const loaded = manifests.find(app);
  if (!loaded) throw new Error(`no manifest for ${app}`);
  const { baseUrl, credential } = estate.app(app);
  const config = CONFIG[app] ?? {};
  const secret = { kind: 'bearer' as const, token: credential.secret };
  const fast = {
    ...loaded,
    manifest: { ...loaded.manifest, rateLimit: { ...loaded.manifest.rateLimit, requestsPerMinute: 60_000 } },
  };
  const client = (mode: 'read' | 'write') =>
    createToolClient(fast, { config, secret, baseUrl }, { http, clock, pause }, mode);
  const read = async (stream: string, since?: number): Promise<Entity[]> => {
    const entities: Entity[] = [];
    const options = { config, baseUrl, now: clock.now(), ...(since === undefined ? {} : { since }) };
    for await (const page of readStream(fast, stream, client('read'), options)) {
      expect(page.problems).toEqual([]);
      entities.push(...page.entities);
    }
    return entities;
  };
  const act = (
    action: string,
    input: Record<string, unknown>,
    mode: 'dry-run' | 'run' | 'verify' | 'undo',
    captured = {},
  ) =>
    performAction(
      {
        loaded: fast,
        reader: client('read'),
        writer: () => client('write'),
        config,
        pause,
        onCaptured: async () => undefined,
      },
      { action, input, mode, captured },
    );
  return { read, act };
}

const of = <Type extends Entity['type']>(entities: readonly Entity[], type: Type) =>
  entities.filter((one): one is Extract<Entity, { type: Type }> => one.type === type);

describe('GitHub', () => {
  test.each([
    ['members', 'account', 12],
    ['owners', 'grant', 1],
    ['teams', 'group', 1],
    ['organisation', 'setting', 1],
    ['repositories', 'setting', 1],
    ['issues', 'record', 130],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('github').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });

  test('a member is removed, seen gone, and a dry run changes nothing', async () => {
    const { read, act } = connect('github');
    const [member] = of(await read('members'), 'account').slice(-1);
    const input = { user: member?.login ?? '' };
    expect(await act('remove-member', input, 'dry-run')).toMatchObject({ outcome: 'would_run' });
    expect(await act('remove-member', input, 'verify')).toMatchObject({ outcome: 'not_done' });
    expect(await act('remove-member', input, 'run')).toMatchObject({ outcome: 'done' });
    expect(await act('remove-member', input, 'run')).toMatchObject({ outcome: 'already' });
    expect(of(await read('members'), 'account').map(({ id }) => id)).not.toContain(member?.id);
  });
});

describe('Okta', () => {
  test.each([
    ['users', 'account', 12],
    ['groups', 'group', 2],
    ['applications', 'grant', 1],
    ['api-tokens', 'credential', 1],
    ['system-log', 'audit_event', 5],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('okta').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });

  test('the log is read since a moment', async () => {
    const events = await connect('okta').read('system-log', clock.now() - 12 * 3_600_000);
    expect(events).toHaveLength(2);
  });

  test('a user is suspended and restored, and an old token revoked', async () => {
    const { read, act } = connect('okta');
    const [user] = of(await read('users'), 'account').filter(({ status }) => status === 'active');
    const input = { user: user?.id ?? '' };
    const run = await act('suspend-user', input, 'run');
    expect(run).toMatchObject({ outcome: 'done', state: { status: 'SUSPENDED' }, captured: { status: 'ACTIVE' } });
    expect(await act('suspend-user', input, 'undo', run.captured)).toMatchObject({ outcome: 'undone' });
    expect(await act('end-sessions', input, 'run')).toMatchObject({ outcome: 'unverified' });
    expect(await act('revoke-token', { token: '00Tmeridianold000000' }, 'run')).toMatchObject({ outcome: 'done' });
    expect(of(await read('api-tokens'), 'credential')).toEqual([]);
  });
});

describe('Slack', () => {
  test.each([
    ['users', 'account', 12],
    ['channels', 'group', 3],
    ['channel-members', 'grant', 1],
    ['workspace', 'setting', 1],
    ['messages', 'record', 30],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('slack').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });

  test('a message is deleted, seen gone, and deleting it again does nothing', async () => {
    const { read, act } = connect('slack');
    const [message] = of(await read('messages'), 'record');
    const [channel = '', ts = ''] = (message?.id ?? '').split(':');
    expect(await act('delete-message', { channel, ts }, 'dry-run')).toMatchObject({
      outcome: 'would_run',
      state: { found: 1 },
    });
    expect(await act('delete-message', { channel, ts }, 'run')).toMatchObject({ outcome: 'done' });
    expect(await act('delete-message', { channel, ts }, 'run')).toMatchObject({ outcome: 'already' });
    expect(of(await read('messages'), 'record').map(({ id }) => id)).not.toContain(message?.id);
  });
});

describe('Google Workspace', () => {
  test.each([
    ['files', 'record', 10],
    ['calendar-events', 'record', 8],
    ['mail', 'record', 10],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('google').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });

  test('a mail goes to the bin, is seen gone, and comes back', async () => {
    const { read, act } = connect('google');
    const [mail] = of(await read('mail'), 'record');
    const input = { message: mail?.id ?? '' };
    expect(await act('trash-mail', input, 'dry-run')).toMatchObject({ outcome: 'would_run' });
    const run = await act('trash-mail', input, 'run');
    expect(run).toMatchObject({ outcome: 'done', captured: { trashed: false } });
    expect(await act('trash-mail', input, 'run')).toMatchObject({ outcome: 'already' });
    expect(of(await read('mail'), 'record').map(({ id }) => id)).not.toContain(mail?.id);
    expect(await act('trash-mail', input, 'undo', run.captured)).toMatchObject({ outcome: 'undone' });
    expect(of(await read('mail'), 'record').map(({ id }) => id)).toContain(mail?.id);
  });
});

describe('Google Drive', () => {
  const file = 'drv_payroll';
  const share = async (): Promise<void> => {
    const { baseUrl, credential } = estate.app('google');
    const answer = await fetch(`${baseUrl}/drive/v3/files/${file}/permissions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'anyone', role: 'reader' }),
    });
    expect(answer.status).toBe(200);
  };
  const shown = async () => of(await connect('google').read('files'), 'record').find(({ id }) => id === file);

  test('a link for anyone is taken back, and comes back', async () => {
    const { act } = connect('google');
    await share();
    expect(await shown()).toMatchObject({ sharing: 'public' });
    expect(await act('unshare-file', { file }, 'dry-run')).toMatchObject({
      outcome: 'would_run',
      state: { anyone: 'reader' },
    });
    const run = await act('unshare-file', { file }, 'run');
    expect(run).toMatchObject({ outcome: 'done', captured: { role: 'reader' } });
    expect(await act('unshare-file', { file }, 'verify')).toMatchObject({ outcome: 'done' });
    expect(await shown()).toMatchObject({ sharing: 'private' });
    expect(await act('unshare-file', { file }, 'undo', run.captured)).toMatchObject({ outcome: 'undone' });
    expect(await shown()).toMatchObject({ sharing: 'public' });
  });

  test('a label is put on, shown with the file, and taken off', async () => {
    const { act } = connect('google');
    const input = { file, label: 'lblRestricted' };
    expect(await act('label-file', input, 'run')).toMatchObject({ outcome: 'done' });
    expect(await shown()).toMatchObject({ label: 'lblRestricted' });
    expect(await act('label-file', input, 'undo')).toMatchObject({ outcome: 'undone' });
  });

  test('a file goes to the bin, is seen gone, and comes back', async () => {
    const { act } = connect('google');
    const run = await act('trash-file', { file }, 'run');
    expect(run).toMatchObject({ outcome: 'done', captured: { trashed: false } });
    expect(await shown()).toBeUndefined();
    expect(await act('trash-file', { file }, 'undo', run.captured)).toMatchObject({ outcome: 'undone' });
    expect(await shown()).toBeDefined();
  });
});

describe('Microsoft 365', () => {
  test.each([
    ['users', 'account', 12],
    ['mail', 'record', 1],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('microsoft').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });
});

describe('Stripe', () => {
  test.each([
    ['customers', 'record', 10],
    ['charges', 'record', 1],
  ] as const)('%s', async (stream, type, least) => {
    expect(of(await connect('stripe').read(stream), type).length).toBeGreaterThanOrEqual(least);
  });

  test('a customer is deleted, seen gone, and made again from a backup under a new id', async () => {
    const { read, act } = connect('stripe');
    const [customer] = of(await read('customers'), 'record');
    const input = { customer: customer?.id ?? '' };
    expect(await act('delete-customer', input, 'dry-run')).toMatchObject({ outcome: 'would_run' });
    expect(await act('delete-customer', input, 'run')).toMatchObject({ outcome: 'done' });
    expect(await act('delete-customer', input, 'run')).toMatchObject({ outcome: 'already' });
    const made = await act('restore-customer', { name: customer?.title ?? '' }, 'run');
    expect(made).toMatchObject({ outcome: 'unverified' });
    const now = of(await read('customers'), 'record');
    expect(now.map(({ id }) => id)).not.toContain(customer?.id);
    expect(now.map(({ title }) => title)).toContain(customer?.title);
  });
});
