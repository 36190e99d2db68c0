import { createHash, hash } from 'node:crypto';
import type { Clock } from '@cordon/kernel';
import { ObjectMissing, StoreFailed } from './errors.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

const REQUEST_MS_MAX = 60_000;
const ATTEMPTS_MAX = 4;
const PAUSE_MS = 500;
const LIST_BYTES_MAX = 8 * 1024 * 1024;

export interface S3Settings {
  /** Scheme, host and port of the store; buckets are addressed by path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Before every name, without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** How objects are held; null: the bucket has no object lock. */
  readonly lock: 'GOVERNANCE' | 'COMPLIANCE' | null;
}

/** The value of `Authorization` for a request (AWS Signature Version 4). */
export type SignS3 = (request: {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly payloadHash: string;
  readonly now: number;
}) => string;

/** How a request leaves; a caller that must guard where it goes passes its own. Redirects are errors. */
export type FetchS3 = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: [string, string][];
    readonly body?: Buffer<ArrayBuffer>;
    readonly redirect: 'error';
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

export interface S3Deps {
  readonly settings: S3Settings;
  readonly sign: SignS3;
  /** `x-amz-security-token`, where the credential is temporary. */
  readonly sessionToken?: string | undefined;
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<void>;
  /** Default: the platform's. */
  readonly send?: FetchS3;
}

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

const amzDate = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** The texts of one element in a listing; our names and S3's tokens hold nothing that is escaped but `&amp;` and kin. */
function texts(xml: string, element: string): string[] {
  const entity: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  const parts = xml.split(`<${element}>`).slice(1);
  return parts.map((part) =>
    part
      .slice(0, Math.max(0, part.indexOf('<')))
      .replaceAll(/&(amp|lt|gt|quot|apos);/g, (_all, name: string) => entity[name] ?? ''),
  );
}

/** Objects in a bucket of an S3-compatible store. */
export function createS3Store({
  settings,
  sign,
  sessionToken,
  clock,
  pause,
  send: leave = fetch,
}: S3Deps): ObjectStore {
  const base = new URL(settings.endpoint);
  const keyOf = (name: string): string => (settings.prefix === '' ? name : `${settings.prefix}/${name}`);

  const once = async (request: S3Request): Promise<Response> => {
    const now = clock.now();
    const payloadHash = hash('sha256', request.body ?? '', 'hex');
    const headers: (readonly [string, string])[] = [
      ['host', base.host],
      ['x-amz-content-sha256', payloadHash],
      ['x-amz-date', amzDate(now)],
      ...(sessionToken === undefined ? [] : [['x-amz-security-token', sessionToken] as const]),
      ...(request.headers ?? []),
    ];
    const authorization = sign({ method: request.method, path: request.path, headers, payloadHash, now });
    return leave(`${base.origin}${request.path}`, {
      method: request.method,
      headers: [
        ...headers.filter(([name]) => name !== 'host').map(([name, value]): [string, string] => [name, value]),
        ['authorization', authorization],
      ],
      ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
  };
  /** Every request may be repeated: an object has one content under one name. */
  const send = async (request: S3Request): Promise<Response> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await once(request).catch((cause: unknown) => {
        if (attempt >= ATTEMPTS_MAX)
          throw new StoreFailed(`${base.host} can't be reached.`, { host: base.host }, cause);
        return null;
      });
      if (answer && (answer.status < 500 || attempt >= ATTEMPTS_MAX)) return answer;
      await answer?.arrayBuffer();
      await pause(PAUSE_MS * 2 ** (attempt - 1));
    }
  };
  const refuse = async (answer: Response, what: string): Promise<never> => {
    const [code = ''] = texts((await answer.text()).slice(0, LIST_BYTES_MAX), 'Code');
    throw new StoreFailed(`${what}: the store answered ${answer.status} ${code}.`, {
      status: answer.status,
      reason: code,
    });
  };
  const pathOf = (name: string): string => `/${encodePath(`${settings.bucket}/${keyOf(name)}`)}`;

  return {
    place: `s3:${base.host}/${settings.bucket}${settings.prefix === '' ? '' : `/${settings.prefix}`}`,
    holdsObjects: settings.lock !== null,
    async put(name, bytes, options = {}) {
      const until = options.retainUntil;
      const hold: (readonly [string, string])[] =
        settings.lock === null || until === undefined
          ? []
          : [
              ['content-md5', createHash('md5').update(bytes).digest('base64')],
              ['x-amz-object-lock-mode', settings.lock],
              ['x-amz-object-lock-retain-until-date', new Date(until).toISOString()],
            ];
      const answer = await send({ method: 'PUT', path: pathOf(name), body: bytes, headers: hold });
      if (!answer.ok) await refuse(answer, `${name} could not be written`);
      await answer.arrayBuffer();
    },
    async get(name, range) {
      const headers: (readonly [string, string])[] = range ? [['range', `bytes=${range.start}-${range.end - 1}`]] : [];
      const answer = await send({ method: 'GET', path: pathOf(name), headers });
      if (answer.status === 404) {
        await answer.arrayBuffer();
        throw new ObjectMissing(`${name} is not in the repository.`, { name });
      }
      if (!answer.ok) await refuse(answer, `${name} can't be read`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      // A store that doesn't know ranges sends all of it.
      return range && answer.status === 200 ? bytes.subarray(range.start, range.end) : bytes;
    },
    async *list(prefix): AsyncGenerator<StoredObject> {
      let token: string | undefined;
      do {
        const query = [
          ...(token === undefined ? [] : [`continuation-token=${encodeURIComponent(token)}`]),
          'list-type=2',
          `prefix=${encodeURIComponent(keyOf(prefix))}`,
        ].join('&');
        const answer = await send({ method: 'GET', path: `/${encodePath(settings.bucket)}?${query}` });
        if (!answer.ok) await refuse(answer, "The bucket can't be listed");
        const xml = await answer.text();
        const [keys, sizes] = [texts(xml, 'Key'), texts(xml, 'Size')];
        for (const [at, key] of keys.entries()) {
          yield {
            name: settings.prefix === '' ? key : key.slice(settings.prefix.length + 1),
            bytes: Number(sizes[at]),
          };
        }
        token = texts(xml, 'IsTruncated')[0] === 'true' ? texts(xml, 'NextContinuationToken')[0] : undefined;
      } while (token !== undefined);
    },
    async remove(name) {
      const answer = await send({ method: 'DELETE', path: pathOf(name) });
      // With versions a delete only hides: what is held stays, under a marker. It is gone for us, and kept by the store.
      if (answer.status === 403) {
        await answer.arrayBuffer();
        return 'held';
      }
      if (!answer.ok && answer.status !== 404) await refuse(answer, `${name} could not be removed`);
      await answer.arrayBuffer();
      return 'removed';
    },
  };
}
