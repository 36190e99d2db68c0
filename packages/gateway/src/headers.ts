/**
 * RFC 9110, section 7.6.1: what concerns one connection only is not passed on. Cordon's own and forwarding fields
 * from clients are dropped too: the upstream shall learn neither who is behind the gateway nor believe forged ones.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const NOT_FORWARDED = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'expect',
  'authorization',
  'dpop',
  'client-cert',
  'client-cert-chain',
  'x-cordon-token',
  'cordon-justification',
  'cookie',
  'cookie2',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'accept-encoding',
  'via',
  'max-forwards',
  'range-if',
]);
const NOT_RETURNED = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'via',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'x-cordon-request-id',
  'cordon-redacted',
]);

/** Field names that a message's own `Connection` field declares as belonging to this hop. */
export function connectionOptions(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  const names = value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'keep-alive' && name !== 'close');
  return names.length > 0 ? new Set(names) : undefined;
}

// A client must not use Connection to strip what the gateway or the upstream relies on (hop-by-hop abuse).
const NEVER_HOP = new Set(['content-type', 'content-encoding', 'content-length', 'host', 'authorization', 'via']);

/** True when a request field goes on to the upstream. `name` is lower case. */
export function isForwarded(name: string, hop: ReadonlySet<string> | undefined): boolean {
  if (NOT_FORWARDED.has(name)) return false;
  return hop === undefined || !hop.has(name) || NEVER_HOP.has(name);
}

/** True when a response field goes back to the client. `name` is lower case. */
export function isReturned(name: string, hop: ReadonlySet<string> | undefined): boolean {
  if (NOT_RETURNED.has(name)) return false;
  return hop === undefined || !hop.has(name);
}

/** RFC 9110, section 7.6.3. */
export const VIA = '1.1 cordon';

/** The codings that the gateway can undo, in the order it asks for them. */
const ACCEPT_ENCODING = 'gzip, br, zstd, deflate';

/** Keeps of a client's `Accept-Encoding` what the gateway can read; `identity` when that is nothing. */
export function readableEncodings(accepted: string | undefined): string {
  if (accepted === undefined) return 'identity';
  const kept: string[] = [];
  for (const part of accepted.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    if (parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter))) continue;
    if (coding === '*') return ACCEPT_ENCODING;
    if (coding === 'gzip' || coding === 'br' || coding === 'zstd' || coding === 'deflate') kept.push(coding);
  }
  return kept.length > 0 ? kept.join(', ') : 'identity';
}
