import { expect } from 'vitest';
import { type FakeVendor, VENDOR_SECRET } from './fake-vendor.ts';
import type { RunningCordon } from './running-cordon.ts';

/** Unwraps an answer of the typed client; a refusal fails the test with what the server said. */
export function taken<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  expect(answer.error, `HTTP ${answer.response.status}`).toBeUndefined();
  return answer.data as Data; // no error: the schema's data
}

export interface Integration {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  token(): Promise<string>;
}

export async function addNotesApp(cordon: RunningCordon, vendor: FakeVendor, name = 'notes'): Promise<string> {
  const { api } = cordon;
  const body = { name, upstream: vendor.url, plaintext: 'allow' as const, privateAddresses: ['127.0.0.1'] };
  const { id } = taken(await api.POST('/api/v1/apps', { body }));
  const params = { path: { id } };
  taken(await api.PUT('/api/v1/apps/{id}/description', { params, body: { document: vendor.description } }));
  const credential = { kind: 'bearer' as const, secret: VENDOR_SECRET, scheme: 'Bearer' };
  taken(await api.PUT('/api/v1/apps/{id}/credential', { params, body: credential }));
  return id;
}

export async function addIntegration(
  cordon: RunningCordon,
  appId: string,
  name: string,
  operations: readonly string[],
): Promise<Integration> {
  const { api } = cordon;
  const purpose = 'reads notes in a test';
  const { id } = taken(
    await api.POST('/api/v1/integrations', { body: { name, purpose, kind: 'service', assurance: 'm0' } }),
  );
  const select = [{ kind: 'operations' as const, ids: [...operations] }];
  const grant = { integrationId: id, appId, name: 'default', select, resourceScope: [], expiresAt: null };
  if (operations.length > 0) taken(await api.POST('/api/v1/grants', { body: grant }));
  const credentials = taken(
    await api.POST('/api/v1/integrations/{id}/credentials', {
      params: { path: { id } },
      body: { method: 'client_secret_basic' },
    }),
  );
  const { clientId } = credentials;
  const clientSecret = credentials.clientSecret ?? '';
  return { id, name, clientId, clientSecret, token: () => obtainToken(cordon, clientId, clientSecret) };
}

async function obtainToken(cordon: RunningCordon, clientId: string, clientSecret: string): Promise<string> {
  const response = await fetch(`${cordon.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const body = (await response.json()) as { access_token?: string };
  if (!body.access_token) throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

/** Tries again until the check holds; the last failure is the test's. */
export async function eventually<Result>(check: () => Promise<Result>, withinMs: number): Promise<Result> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => {
        setTimeout(done, 100);
      });
    }
  }
}
