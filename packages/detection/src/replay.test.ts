import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { detectReplay } from './replay.ts';

// All of the content is loaded for each run, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const contentFolder = fileURLToPath(new URL('../../../content/', import.meta.url));

async function replay(product: string, text: string): Promise<unknown[]> {
  async function* input(): AsyncGenerator<string> {
    yield text;
  }
  const lines = await Array.fromAsync(detectReplay(input(), { product, contentFolder }));
  return lines.map((line): unknown => JSON.parse(line));
}

const revoke = {
  uuid: 'e1',
  published: '2026-05-04T08:15:00Z',
  eventType: 'system.api_token.revoke',
  outcome: { result: 'SUCCESS' },
};
const logout = {
  uuid: 'e2',
  published: '2026-05-04T08:16:00Z',
  eventType: 'user.session.end',
  outcome: { result: 'SUCCESS' },
};

test.each([['okta'], ['okta/system'], ['Okta.SystemLog']])(
  'names the rules that fire, by event (%s)',
  async (product) => {
    const rule = {
      id: 'okta.api-token-revoked',
      title: 'Okta API token was revoked',
      severity: 'informational',
      covers: ['Okta.APIKeyRevoked'],
    };
    const expected = [
      { index: 0, event_id: 'e1', product: 'okta', rules: [rule] },
      { index: 1, event_id: 'e2', product: 'okta', rules: [] },
    ];
    expect(await replay(product, `${JSON.stringify(revoke)}\n${JSON.stringify(logout)}\n`)).toEqual(expected);
    expect(await replay(product, JSON.stringify([revoke, logout]))).toEqual(expected);
  },
);

test('a line that is no JSON gets a line of its own', async () => {
  expect(await replay('okta', `oops\n${JSON.stringify(logout)}`)).toMatchObject([
    { index: 0, rules: [], error: 'not JSON' },
    { index: 1, event_id: 'e2', rules: [] },
  ]);
});

test('an unknown product is refused', async () => {
  await expect(replay('nobody', '{}')).rejects.toThrow('nobody');
});

test("Google's own envelope gives one line for all of its events", async () => {
  const record = {
    id: { time: '2026-05-04T08:15:00.000Z', uniqueQualifier: '7', applicationName: 'admin', customerId: 'C0' },
    actor: { email: 'ada@example.com' },
    events: [
      { type: 'DELEGATED_ADMIN_SETTINGS', name: 'CREATE_ROLE', parameters: [{ name: 'ROLE_NAME', value: 'Helpdesk' }] },
      { type: 'USER_SETTINGS', name: 'CHANGE_FIRST_NAME', parameters: [] },
    ],
  };
  expect(await replay('google_workspace', JSON.stringify(record))).toMatchObject([
    { index: 0, event_id: '7', rules: [{ id: 'google-workspace.admin-role-created' }] },
  ]);
});
