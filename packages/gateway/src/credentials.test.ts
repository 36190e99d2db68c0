import { sampleEntry } from '@cordon/policy/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

const bearer = { authorization: `Bearer ${TEST_TOKEN}` };
const FORM = 'application/x-www-form-urlencoded';

let upstream: UpstreamStub;
let gw: TestGateway;

afterEach(async () => {
  await gw.stop();
  await upstream.close();
});

async function start(credential: (seal: (secret: string) => string) => object, token = 'good'): Promise<void> {
  upstream = await startUpstream((request, _body, response) => {
    const ok = request.headers.authorization === undefined || request.headers.authorization !== 'Bearer stale-token';
    response.writeHead(ok ? 200 : 401, { 'content-type': 'application/json' }).end(`{"token":"${token}"}`);
  });
  gw = await startTestGateway({ upstream: upstream.url });
  publish(credential);
}

function publish(credential: (seal: (secret: string) => string) => object, extra: Record<string, unknown> = {}): void {
  const seal = (secret: string): string => gw.envelope.seal(secret, 'credential:app-1');
  gw.control.publish({
    set: {
      'app:app-1': sampleEntry('app', {
        upstream: upstream.url,
        plaintext: 'allow',
        privateAddresses: ['127.0.0.1'],
        unknownOperations: 'allow',
        credential: credential(seal) as never, // checked when it is parsed
      }),
      ...extra,
    },
  });
}

async function applied(): Promise<void> {
  await expect.poll(() => gw.gateway.health().version).toBe(gw.control.snapshot.version);
}

const call = (path = '/github/x', init: RequestInit = {}): Promise<Response> =>
  fetch(gw.url + path, { headers: bearer, ...init });

const refusalOf = async (response: Response): Promise<string> =>
  String(((await response.json()) as { code?: string }).code);

describe('what is attached', () => {
  test.each([
    ['not-connected', 'connected'],
    ['expired', 'expired'],
    ['refused', 'refuses'],
  ] as const)('%s: the call is refused and never goes out', async (reason, said) => {
    await start(() => ({ kind: 'unavailable', reason }));
    await applied();
    const response = await call();
    expect(response.status).toBe(503);
    expect(await response.text()).toContain(said);
    expect(upstream.requests).toEqual([]);
  });

  test('a key in the form takes the place of the client’s own', async () => {
    await start((seal) => ({ kind: 'api-key-form', sealed: seal('form-secret-1'), field: 'token' }));
    await applied();
    const init = { method: 'POST', headers: { ...bearer, 'content-type': FORM }, body: 'token=mine&text=a+b' };
    expect((await call('/github/x', init)).status).toBe(200);
    expect(upstream.requests[0]?.body.toString()).toBe('text=a+b&token=form-secret-1');
    const none = await call('/github/x', {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(none.status).toBe(400);
    expect(upstream.requests.length).toBe(1);
  });

  test('a call to AWS is signed anew; nothing of the client’s signature goes on', async () => {
    const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    await start((seal) => ({
      kind: 'aws-sigv4',
      sealed: seal(JSON.stringify(keys)),
      region: 'eu-west-1',
      service: 'sqs',
    }));
    await applied();
    const headers = { ...bearer, 'x-amz-date': '19990101T000000Z', 'x-amz-security-token': 'of-the-client' };
    expect((await call('/github/q?a=b+c', { headers })).status).toBe(200);
    const sent = upstream.requests[0];
    expect(sent?.url).toBe('/q?a=b%20c');
    expect(sent?.headers['x-amz-security-token']).toBeUndefined();
    expect(sent?.headers['x-amz-date']).not.toBe('19990101T000000Z');
    expect(sent?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sqs\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
  });

  test('an integration’s own credential goes before the app’s, and what echoes it is cleaned', async () => {
    await start((seal) => ({ kind: 'bearer', sealed: seal('app-secret-1') }), 'own-secret-1');
    publish((seal) => ({ kind: 'bearer', sealed: seal('app-secret-1') }), {
      'credential:app-1.int-1': {
        id: 'app-1.int-1',
        credential: { kind: 'bearer', sealed: gw.envelope.seal('own-secret-1', 'credential:app-1') },
      },
    });
    await applied();
    const response = await call();
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer own-secret-1');
    expect(await response.text()).not.toContain('own-secret-1');
    gw.control.publish({ remove: ['credential:app-1.int-1'] });
    await applied();
    await call();
    expect(upstream.requests[1]?.headers.authorization).toBe('Bearer app-secret-1');
  });
});

describe('a vendor that refuses the token in use', () => {
  const minted = (token: string, generation: number) => (seal: (secret: string) => string) => ({
    kind: 'bearer',
    sealed: seal(token),
    renewal: { id: 'vault-1', generation },
  });

  test('forty readers cause one renewal, and none notices', async () => {
    await start(minted('stale-token', 1));
    await applied();
    gw.control.onRenew = () => {
      publish(minted('fresh-token', 2));
      return 'renewed';
    };
    const answers = await Promise.all(Array.from({ length: 40 }, () => call()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(gw.control.renewals).toEqual([{ id: 'vault-1', generation: 1 }]);
    // A shipment that was under way already holds what was there when it began.
    await expect.poll(async () => (await gw.events()).length).toBe(40);
  });

  test('a call that changes something is never sent twice: its maker is told to', async () => {
    await start(minted('stale-token', 1));
    await applied();
    gw.control.onRenew = () => {
      publish(minted('fresh-token', 2));
      return 'renewed';
    };
    const response = await call('/github/x', {
      method: 'POST',
      body: 'a',
      headers: { ...bearer, 'content-type': 'text/plain' },
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await refusalOf(response)).toBe('gateway.credential_renewed');
    expect(upstream.requests.length).toBe(1);
  });

  test('when there is no newer one the vendor’s answer is passed on, and control is left in peace', async () => {
    await start(minted('stale-token', 1));
    await applied();
    for (let count = 0; count < 5; count++) expect((await call()).status).toBe(401);
    expect(gw.control.renewals.length).toBe(1);
    expect(upstream.requests.length).toBe(5);
  });
});
