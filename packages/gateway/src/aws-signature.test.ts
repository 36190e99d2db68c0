import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { amzDate, canonicalRequest, sha256Hex, signAws } from './aws-signature.ts';

interface Vector {
  readonly name: string;
  readonly normalize: boolean;
  readonly signBody: boolean;
  readonly omitSessionToken: boolean;
  readonly credentials: {
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly token?: string;
  };
  readonly region: string;
  readonly service: string;
  readonly timestamp: string;
  readonly request: string;
  readonly canonical: string;
  readonly signature: string;
}

/** AWS's own published vectors; the file names their source. */
const { vectors } = JSON.parse(readFileSync(new URL('testdata/aws-sigv4.json', import.meta.url), 'utf8')) as {
  vectors: Vector[];
};

function parse(vector: Vector) {
  const [head = '', body = ''] = vector.request.split('\n\n', 2);
  // A line that begins with a space goes on with the field before it (obs-fold).
  const [first = '', ...fields] = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const headers = fields
    .filter((line) => line !== '')
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
  const now = Date.parse(vector.timestamp);
  const payloadHash = sha256Hex(body);
  headers.push(['X-Amz-Date', amzDate(now)]);
  if (vector.signBody) headers.push(['x-amz-content-sha256', payloadHash]);
  const { token } = vector.credentials;
  if (token !== undefined && !vector.omitSessionToken) headers.push(['X-Amz-Security-Token', token]);
  const method = first.slice(0, first.indexOf(' '));
  const path = first.slice(first.indexOf(' ') + 1, first.lastIndexOf(' '));
  const { region, service } = vector;
  return {
    request: { method, path, headers, payloadHash },
    scope: { region, service, now, literalPath: !vector.normalize },
    keys: { accessKeyId: vector.credentials.access_key_id, secretAccessKey: vector.credentials.secret_access_key },
  };
}

describe('AWS’s published vectors', () => {
  test('are all there', () => {
    expect(vectors.length).toBe(38);
  });

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const { request, scope, keys } = parse(vector);
    expect(canonicalRequest(request, scope).text).toBe(vector.canonical);
    expect(signAws(request, keys, scope).endsWith(`Signature=${vector.signature}`)).toBe(true);
  });
});

test('an object store’s path is signed as it is on the wire', () => {
  const scope = { region: 'eu-west-1', service: 's3', now: 0, literalPath: true };
  const request = { method: 'GET', path: '/a%20b//c%2Fd/', headers: [['host', 'h']] as const, payloadHash: 'x' };
  expect(canonicalRequest(request, scope).text.split('\n')[1]).toBe('/a%20b//c%2Fd/');
});
