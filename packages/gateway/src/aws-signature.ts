import { createHash, createHmac } from 'node:crypto';

/** AWS Signature Version 4 (AWS IAM user guide, "Create a signed AWS API request"). */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface AwsRequest {
  readonly method: string;
  /** Path and query as they go out. */
  readonly path: string;
  /** Fields to sign; `host` among them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hex SHA-256 of the body, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
}

export interface AwsScope {
  readonly region: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Object stores take paths literally; all other services resolve dots and doubled slashes first. */
  readonly literalPath: boolean;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export const sha256Hex = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986's unreserved characters stay, every other byte becomes %XX. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isFolder = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${kept.join('/')}${isFolder ? '/' : ''}`;
}

/** What is on the wire is encoded once more, except by object stores, which sign it as it is. */
function canonicalPath(path: string, literal: boolean, service: string): string {
  const segments = (literal ? path : resolveDots(path)).split('/');
  return segments.map((segment) => encode(service === 's3' ? decode(segment) : segment)).join('/');
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      return [encode(decode(name)), encode(decode(value))] as const;
    });
  return pairs
    .toSorted((a, b) => byCode(a[0], b[0]) || byCode(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalFields(headers: AwsRequest['headers']): { lines: string; names: string } {
  const fields = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const tidy = value.trim().replace(/\s+/g, ' ');
    const known = fields.get(lower);
    if (known) known.push(tidy);
    else fields.set(lower, [tidy]);
  }
  const sorted = [...fields].toSorted((a, b) => byCode(a[0], b[0]));
  return {
    lines: sorted.map(([name, values]) => `${name}:${values.join(',')}\n`).join(''),
    names: sorted.map(([name]) => name).join(';'),
  };
}

export function canonicalRequest(request: AwsRequest, scope: AwsScope): { text: string; signedHeaders: string } {
  const question = request.path.indexOf('?');
  const path = question === -1 ? request.path : request.path.slice(0, question);
  const query = question === -1 ? '' : request.path.slice(question + 1);
  const { lines, names } = canonicalFields(request.headers);
  const text = [
    request.method,
    canonicalPath(path, scope.literalPath, scope.service),
    canonicalQuery(query),
    lines,
    names,
    request.payloadHash,
  ].join('\n');
  return { text, signedHeaders: names };
}

/** `20150830T123600Z` */
export function amzDate(now: number): string {
  return new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** The value of `Authorization`. The request's fields hold `x-amz-date` of the same moment. */
export function signAws(request: AwsRequest, keys: AwsKeys, scope: AwsScope): string {
  const date = amzDate(scope.now);
  const day = date.slice(0, 8);
  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const { text, signedHeaders } = canonicalRequest(request, scope);
  const toSign = [ALGORITHM, date, credentialScope, sha256Hex(text)].join('\n');
  let key = hmac(`AWS4${keys.secretAccessKey}`, day);
  for (const part of [scope.region, scope.service, 'aws4_request']) key = hmac(key, part);
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `${ALGORITHM} Credential=${keys.accessKeyId}/${credentialScope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}
