import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createLogger } from '@cordon/kernel';
import { Octokit } from '@octokit/rest';
import { WebClient } from '@slack/web-api';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { Stripe } from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedApp, type Estate, startEstate } from './estate.ts';
import { googleOptions } from './google-client.ts';
import { GITHUB_ISSUES_COUNT, GITHUB_ORG, GITHUB_REPO } from './seeds/github-seed.ts';
import { APP_NAMES } from './vendors.ts';
import { createWire } from './wire.ts';

const logger = createLogger({ role: 'demo', level: 'silent' });
let estate: Estate;

beforeAll(async () => {
  estate = await startEstate({ logger, seed: 'estate' });
}, 30_000);

afterAll(() => estate.stop());

const secretOf = (app: EmulatedApp): string => app.credential.secret;

describe("the vendors' SDKs straight at the emulators", () => {
  test('Octokit reads every planted issue, page by page', async () => {
    const app = estate.app('github');
    // The shim wants the word that Cordon writes; Octokit writes `token` before an opaque token.
    const octokit = new Octokit({ baseUrl: app.baseUrl });
    octokit.hook.before('request', (options) => {
      options.headers['authorization'] = `Bearer ${secretOf(app)}`;
    });
    const issues = await octokit.paginate(octokit.rest.issues.listForRepo, {
      owner: GITHUB_ORG,
      repo: GITHUB_REPO,
      per_page: 50,
    });
    expect(issues).toHaveLength(GITHUB_ISSUES_COUNT);
    const bodies = issues.map((issue) => issue.body ?? '').join('\n');
    expect(bodies).toMatch(/AKIA[A-Z2-7]{16}/);
    expect(bodies).toMatch(/card \d{16}/);
    expect(bodies).toMatch(/ghp_\w{36}/);
  });

  test('Slack lists channels and what was said in them', async () => {
    const app = estate.app('slack');
    const slack = new WebClient(secretOf(app), { slackApiUrl: `${app.baseUrl}/api/` });
    const { channels } = await slack.conversations.list();
    const payments = channels?.find((channel) => channel.name === 'payments');
    const { messages } = await slack.conversations.history({ channel: payments?.id ?? '', limit: 100 });
    expect(messages).toHaveLength(24);
  });

  test('Stripe lists customers and charges', async () => {
    const app = estate.app('stripe');
    const { hostname, port } = new URL(app.baseUrl);
    const stripe = new Stripe(secretOf(app), {
      host: hostname,
      port,
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    });
    expect((await stripe.customers.list({ limit: 100 })).data.length).toBeGreaterThanOrEqual(24);
    expect((await stripe.charges.list({ limit: 100 })).data).toHaveLength(20);
  });

  test('googleapis uploads through the gateway address although the SDK ignores rootUrl for uploads', async () => {
    const app = estate.app('google');
    const wire = createWire();
    const drive = new drive_v3.Drive(googleOptions(app.baseUrl, secretOf(app), wire));
    const { data } = await drive.files.create({
      requestBody: { name: 'upload.txt' },
      media: { mimeType: 'text/plain', body: 'content' },
    });
    expect(data.name).toBe('upload.txt');
    expect(wire.calls.map((call) => new URL(call.url).origin)).toEqual([app.baseUrl]);
    expect(wire.calls[0]?.url).toContain('/upload/drive/v3/files?uploadType=multipart');
  });

  test('Okta and Microsoft hold the same people', async () => {
    const count = async (app: EmulatedApp, path: string): Promise<string> => {
      const { scheme, secret } = app.credential;
      const response = await fetch(`${app.baseUrl}${path}`, { headers: { authorization: `${scheme} ${secret}` } });
      return response.text();
    };
    expect(await count(estate.app('okta'), '/api/v1/users')).toContain('ada.moreno@meridian-supply.example');
    expect(await count(estate.app('microsoft'), '/v1.0/users?$top=50')).toContain('ada.moreno@meridian-supply.example');
  });
});

test('every vendor counted its requests and saw nothing wrong', async () => {
  const reports = await estate.reports();
  expect(reports.map((report) => report.app)).toEqual([...APP_NAMES]);
  expect(reports.every((report) => report.requests > 0 && report.violationsCount === 0)).toBe(true);
});

test('another estate with the same seed has the same credentials, and a port that is taken is told', async () => {
  const { port } = new URL(estate.app('github').baseUrl);
  await expect(startEstate({ logger, portBase: Number(port) })).rejects.toThrow(/EADDRINUSE/);
  const twin = await startEstate({ logger, seed: 'estate' });
  try {
    expect(twin.apps.map(secretOf)).toEqual(estate.apps.map(secretOf));
  } finally {
    await twin.stop();
  }
  await expect(fetch(twin.app('github').baseUrl)).rejects.toThrow('fetch failed');
}, 30_000);

test('the estate ends when the process that started it is killed', async () => {
  const script = `
    const { startEstate } = await import(${JSON.stringify(new URL('./estate.ts', import.meta.url).href)});
    const { createLogger } = await import('@cordon/kernel');
    const estate = await startEstate({ logger: createLogger({ role: 'demo', level: 'silent' }) });
    console.log(estate.app('github').baseUrl);
    setInterval(() => undefined, 1000);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = await once(parent.stdout, 'data');
  const url = String(chunk).trim();
  expect((await fetch(url)).status).toBe(401);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await expect
    .poll(
      () =>
        fetch(url).then(
          () => 'up',
          () => 'gone',
        ),
      { timeout: 5_000 },
    )
    .toBe('gone');
}, 30_000);
