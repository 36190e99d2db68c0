import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { signAws } from '@cordon/gateway';

const PAGE = 1_000;

export interface StrictStore {
  readonly endpoint: string;
  stop(): Promise<void>;
}

interface Kept {
  readonly bytes: Buffer;
  readonly heldUntil: number;
}

/**
 * A stand-in for S3 for tests: one that refuses a request whose signature or body hash is not right, that lists in
 * pages, answers ranges, and holds objects. The signature itself is tested against AWS's own vectors.
 */
export async function startStrictStore(keys: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}): Promise<StrictStore> {
  const kept = new Map<string, Kept>();
  const refuse = (response: ServerResponse, status: number, code: string): void => {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
  };
  const isSigned = (request: IncomingMessage, body: Buffer): boolean => {
    const { authorization = '', 'x-amz-date': date, 'x-amz-content-sha256': payloadHash } = request.headers;
    const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
    if (typeof date !== 'string' || typeof payloadHash !== 'string') return false;
    if (payloadHash !== createHash('sha256').update(body).digest('hex') || !names.includes('host')) return false;
    const now = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    const headers = names.map((name) => [name, String(request.headers[name] ?? '')] as const);
    const signed = { method: request.method ?? '', path: request.url ?? '', headers, payloadHash };
    return authorization === signAws(signed, keys, { region: keys.region, service: 's3', now, literalPath: true });
  };
  const list = (url: URL, bucket: string): string => {
    const prefix = `${bucket}/${url.searchParams.get('prefix') ?? ''}`;
    const after = url.searchParams.get('continuation-token') ?? '';
    const names = [...kept.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted();
    const page = names.slice(0, PAGE);
    const rows = page.map(
      (name) =>
        `<Contents><Key>${name.slice(bucket.length + 1)}</Key><Size>${kept.get(name)?.bytes.length ?? 0}</Size></Contents>`,
    );
    const more = names.length > PAGE;
    const next = more ? `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>` : '';
    return `<ListBucketResult><IsTruncated>${String(more)}</IsTruncated>${rows.join('')}${next}</ListBucketResult>`;
  };
  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const url = new URL(request.url ?? '/', 'http://store');
    const name = decodeURIComponent(url.pathname.slice(1));
    if (!isSigned(request, body)) return refuse(response, 403, 'SignatureDoesNotMatch');
    if (url.searchParams.get('list-type') === '2') return void response.writeHead(200).end(list(url, name));
    const object = kept.get(name);
    if (request.method === 'PUT') {
      const md5 = request.headers['content-md5'];
      const until = request.headers['x-amz-object-lock-retain-until-date'];
      if (until !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
        return refuse(response, 400, 'InvalidDigest');
      kept.set(name, { bytes: body, heldUntil: typeof until === 'string' ? Date.parse(until) : 0 });
      return void response.writeHead(200).end();
    }
    if (request.method === 'DELETE') {
      if (object && object.heldUntil > Date.now()) return refuse(response, 403, 'AccessDenied');
      kept.delete(name);
      return void response.writeHead(204).end();
    }
    if (!object) return refuse(response, 404, 'NoSuchKey');
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return void response.writeHead(200).end(object.bytes);
    return void response.writeHead(206).end(object.bytes.subarray(Number(range[1]), Number(range[2]) + 1));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
