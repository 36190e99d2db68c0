import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

/** What a tool answers, and forms with files: both are read where the app says so. */

const PLANTED = '"><script>fetch("//evil.example")</script>';
const bodies: Readonly<Record<string, string>> = {
  '/planted': JSON.stringify({ items: [{ id: 1, username: PLANTED }] }),
  '/comment': JSON.stringify({ items: [{ id: 1, comment: `He wrote ${PLANTED} and SELECT * FROM users; it broke` }] }),
  '/plain': JSON.stringify({ items: [{ id: 1, username: "O'Brien", url: 'https://api.example.com/users/1?a=b' }] }),
};

let upstream: UpstreamStub;
const gateways: Record<string, TestGateway> = {};

beforeAll(async () => {
  upstream = await startUpstream((request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(bodies[request.url ?? ''] ?? '{"ok":true}');
  });
  for (const injectionAnswers of ['off', 'detect', 'refuse'] as const)
    gateways[injectionAnswers] = await startTestGateway({
      upstream: upstream.url,
      app: { injection: 'refuse', injectionAnswers },
    });
});
afterAll(async () => {
  for (const gateway of Object.values(gateways)) await gateway.stop();
  await upstream.close();
});

const headers = { authorization: `Bearer ${TEST_TOKEN}` };

describe('answers', () => {
  test.each([
    ['off', '/planted', 200, 0],
    ['detect', '/planted', 200, 1],
    ['refuse', '/planted', 403, 1],
    ['refuse', '/comment', 200, 0],
    ['refuse', '/plain', 200, 0],
  ])('%s, %s: %i', async (mode, path, status, findings) => {
    const gateway = gateways[mode]!; // made above
    const before = (await gateway.events()).length;
    const answer = await fetch(`${gateway.url}/github${path}`, { headers });
    const text = await answer.text();
    expect([answer.status, text.includes('evil.example')]).toEqual([status, status === 200 && path !== '/plain']);
    const [event] = (await gateway.events()).slice(before);
    expect(JSON.stringify(event).split('injection.xss').length - 1 > 0).toBe(findings > 0);
  });
});

describe('forms with files', () => {
  const send = async (fields: Readonly<Record<string, string>>, fileName: string) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob(['#!/bin/sh\ncat /etc/passwd; rm -rf /']), fileName);
    const answer = await fetch(`${gateways['off']!.url}/github/upload`, { method: 'POST', headers, body: form });
    return [answer.status, ((await answer.json()) as { code?: string }).code];
  };

  test.each([
    [{ title: 'Deploy script', body: "It says SELECT * FROM t WHERE a = 'b' OR 1=1" }, 'deploy.sh', 200, undefined],
    [{ id: "1' OR '1'='1" }, 'deploy.sh', 400, 'gateway.injection_refused'],
    [{ title: 'x' }, '../../etc/cron.d/job', 400, 'gateway.injection_refused'],
  ])('%j with %s: %i', async (fields, fileName, status, code) => {
    expect(await send(fields, fileName)).toEqual([status, code]);
  });

  test('a form that could be read in two ways is refused, and nothing of it reaches the app', async () => {
    const before = upstream.requests.length;
    const form = ['--b', 'Content-Disposition: form-data; name="a"; name="id"', '', "1' OR '1'='1", '--b--', ''];
    const answer = await fetch(`${gateways['off']!.url}/github/upload`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=b' },
      body: form.join('\r\n'),
    });
    expect([answer.status, upstream.requests.length - before]).toEqual([400, 0]);
  });
});
