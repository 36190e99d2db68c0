import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { Client } from '@microsoft/microsoft-graph-client';
import { Octokit } from '@octokit/rest';
import { LogLevel, WebClient } from '@slack/web-api';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { Stripe } from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf, SILENT_LOG } from './integration.ts';

/*
 * What a developer sees of a refusal depends on the SDK, and on the form that the gateway gives it. These are facts
 * about the SDKs, found by trying: they are why the gateway answers in the second form unless it is asked for the first.
 */
const SENTENCE = 'Denied: no grant covers this operation (policy default-deny).';
const PROBLEM = { type: 'urn:cordon:error:gateway.not_authorized', title: 'Forbidden', status: 403, detail: SENTENCE };
/** The same with the members in which the SDKs look for an explanation. */
const READABLE = {
  ...PROBLEM,
  message: SENTENCE,
  error: { type: 'cordon_refusal', code: 'gateway.not_authorized', message: SENTENCE },
};

const answer = { type: '', body: '' };
let plain: Server;
let secure: Server;

const portOf = (server: Server): number => (server.address() as AddressInfo).port; // a string only for pipes

beforeAll(async () => {
  const now = Date.now();
  const authority = await createAuthority('Cordon demo tests', now);
  const tls = await issueServerCertificate(authority, { dns: ['localhost'], ip: [] }, now);
  setDefaultCACertificates([...getCACertificates('default'), authority.cert]);
  plain = createServer((_req, res) => res.writeHead(403, { 'content-type': answer.type }).end(answer.body));
  secure = createTlsServer(tls, (_req, res) => res.writeHead(403, { 'content-type': answer.type }).end(answer.body));
  await Promise.all(
    [plain, secure].map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
  );
});

afterAll(() => {
  for (const server of [plain, secure]) {
    server.close();
    server.closeAllConnections();
  }
});

const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
  octokit: () => {
    const octokit = new Octokit({ auth: 'token', baseUrl: `http://127.0.0.1:${portOf(plain)}`, log: SILENT_LOG });
    return octokit.rest.issues.get({ owner: 'o', repo: 'r', issue_number: 1 });
  },
  slack: () => {
    const slackApiUrl = `http://127.0.0.1:${portOf(plain)}/`;
    return new WebClient('token', { slackApiUrl, retryConfig: { retries: 0 }, logLevel: LogLevel.ERROR }).auth.test();
  },
  googleapis: () => new drive_v3.Drive({ rootUrl: `http://127.0.0.1:${portOf(plain)}`, retry: false }).files.list(),
  stripe: () => {
    const options = {
      host: '127.0.0.1',
      port: portOf(plain),
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    } as const;
    return new Stripe('token', options).charges.list();
  },
  'microsoft-graph': () =>
    Client.init({
      authProvider: (done) => done(null, 'token'),
      baseUrl: `https://localhost:${portOf(secure)}`,
      customHosts: new Set(['localhost']),
    })
      .api('/users')
      .get(),
};

async function outcomeOf(sdk: string): Promise<string> {
  try {
    await CALLS[sdk]?.();
    return 'resolved as if it had succeeded';
  } catch (error) {
    return messageOf(error);
  }
}

describe('problem details as RFC 9457 has them, which the gateway sends to those who accept them by name', () => {
  test.each([
    ['octokit', 'Unknown error'],
    ['slack', 'An HTTP protocol error occurred: statusCode = 403'],
    ['googleapis', 'Request failed with status code 403'],
    ['stripe', 'resolved as if it had succeeded'],
    ['microsoft-graph', ''],
  ])('%s says: %s', async (sdk, outcome) => {
    Object.assign(answer, { type: 'application/problem+json', body: JSON.stringify(PROBLEM) });
    expect(await outcomeOf(sdk)).toBe(outcome);
  });
});

describe('the same as application/json with `message` and `error`, as the gateway answers', () => {
  test.each([
    ['octokit', SENTENCE],
    ['slack', 'An HTTP protocol error occurred: statusCode = 403'],
    ['googleapis', SENTENCE],
    ['stripe', SENTENCE],
    ['microsoft-graph', SENTENCE],
  ])('%s says: %s', async (sdk, outcome) => {
    Object.assign(answer, { type: 'application/json; charset=utf-8', body: JSON.stringify(READABLE) });
    expect(await outcomeOf(sdk)).toBe(outcome);
  });
});
