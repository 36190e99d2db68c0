/** What a vendor's answer says about its own rate limit. Times in milliseconds since the epoch. */
export interface VendorLimit {
  /** Which of the vendor's limits: GitHub's `core` and `search`, a policy's name. */
  readonly bucket: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
}

const EPOCH_S_MIN = 1_000_000_000;
const EPOCH_MS_MIN = 1_000_000_000_000;
/** Whatever a vendor says, no call is kept back for longer. */
const RESET_MS_MAX = 3_600_000;
const BUCKET_CHARS_MAX = 64;

type Fields = ReadonlyMap<string, string>;

function fieldsOf(headers: readonly string[]): Fields {
  const fields = new Map<string, string>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!.toLowerCase();
    if (!name.includes('ratelimit') && !name.includes('rate-limit') && name !== 'retry-after') continue;
    const known = fields.get(name);
    fields.set(name, known === undefined ? headers[index + 1]! : `${known}, ${headers[index + 1]!}`);
  }
  return fields;
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,15}(?:\.\d+)?\s*$/.test(text) ? Math.floor(Number(text)) : undefined;
}

/** Seconds from now, seconds since the epoch, or milliseconds since the epoch: vendors write all three. */
function instant(value: number, now: number): number {
  const at = value >= EPOCH_MS_MIN ? value : value >= EPOCH_S_MIN ? value * 1000 : now + value * 1000;
  return Math.min(Math.max(at, now), now + RESET_MS_MAX);
}

/** `X-RateLimit-*` as GitHub writes it, `X-Rate-Limit-*` as Okta and X do, `RateLimit-*` of the drafts up to 06. */
const FAMILIES = ['x-ratelimit', 'x-rate-limit', 'ratelimit'] as const;

function parseFamily(fields: Fields, now: number): VendorLimit | undefined {
  for (const family of FAMILIES) {
    const limit = whole(fields.get(`${family}-limit`)?.split(/[,;]/, 1)[0]);
    const remaining = whole(fields.get(`${family}-remaining`)?.split(/[,;]/, 1)[0]);
    const reset = whole(fields.get(`${family}-reset`)?.split(/[,;]/, 1)[0]);
    if (limit === undefined || limit === 0 || remaining === undefined || reset === undefined) continue;
    const bucket = (fields.get(`${family}-resource`) ?? '').slice(0, BUCKET_CHARS_MAX);
    return { bucket, limit, remaining, resetAt: instant(reset, now) };
  }
  return undefined;
}

/** `"name";a=1;b=2, "other";a=3` (RFC 9651) as far as these fields need it. */
function items(text: string): { name: string; numbers: ReadonlyMap<string, number> }[] {
  return text.split(',').map((item) => {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const numbers = new Map<string, number>();
    for (const parameter of parameters) {
      const [key = '', value] = parameter.split('=', 2);
      const number = whole(value);
      if (number !== undefined) numbers.set(key, number);
    }
    return { name: name.replace(/^"|"$/g, '').slice(0, BUCKET_CHARS_MAX), numbers };
  });
}

/** draft-ietf-httpapi-ratelimit-headers-10: `RateLimit: "p";r=5;t=30` and `RateLimit-Policy: "p";q=100;w=60`. */
function parseDraft(fields: Fields, now: number): VendorLimit | undefined {
  const text = fields.get('ratelimit');
  if (text === undefined) return undefined;
  // Draft 07: `limit=100, remaining=5, reset=30`.
  const flat = new Map(items(text).map(({ name }) => [name.split('=')[0] ?? '', whole(name.split('=')[1])]));
  const [limit, remaining, reset] = [flat.get('limit'), flat.get('remaining'), flat.get('reset')];
  if (limit && remaining !== undefined && reset !== undefined) {
    return { bucket: '', limit, remaining, resetAt: instant(reset, now) };
  }
  const quotas = new Map(items(fields.get('ratelimit-policy') ?? '').map(({ name, numbers }) => [name, numbers]));
  let tightest: VendorLimit | undefined;
  for (const { name, numbers } of items(text)) {
    const left = numbers.get('r');
    const quota = quotas.get(name)?.get('q');
    const seconds = numbers.get('t') ?? quotas.get(name)?.get('w');
    if (left === undefined || !quota || seconds === undefined) continue;
    const found = { bucket: name, limit: quota, remaining: left, resetAt: instant(seconds, now) };
    if (!tightest || left / quota < tightest.remaining / tightest.limit) tightest = found;
  }
  return tightest;
}

export function parseVendorLimit(headers: readonly string[], now: number): VendorLimit | undefined {
  const fields = fieldsOf(headers);
  if (fields.size === 0) return undefined;
  return parseDraft(fields, now) ?? parseFamily(fields, now);
}

/** RFC 9110, section 10.2.3: seconds or a date. Undefined when there is none. */
export function parseRetryAfter(headers: readonly string[], now: number): number | undefined {
  const text = fieldsOf(headers).get('retry-after');
  if (text === undefined) return undefined;
  const seconds = whole(text);
  if (seconds !== undefined) return Math.min(now + seconds * 1000, now + RESET_MS_MAX);
  const date = Date.parse(text);
  return Number.isFinite(date) ? Math.min(Math.max(date, now), now + RESET_MS_MAX) : undefined;
}
