/**
 * Which upstream addresses mean this app, and where the gateway serves each. One for each app; the gateway's own
 * address is filled in per call, because a client may reach the same app by prefix, by host name or by port.
 */
export interface LinkTarget {
  /** Lower-case host, with `:port` when it isn't the scheme's own. */
  readonly host: string;
  /** Path of the upstream's base URL, without trailing slash: `/api`, or empty. */
  readonly basePath: string;
  /** What follows the gateway's address for this host: `/github`, `/slack~files`, or empty. */
  readonly prefix: string;
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Bytes that may follow an authority in running text; any other byte means that it was a longer name. */
function endsAuthority(byte: number | undefined): boolean {
  if (byte === undefined) return true;
  const letter = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  // '.', '-', '@', ':', '_', '%' continue an authority; bytes above ASCII may be part of an international name.
  return !(
    letter ||
    byte > 0x7f ||
    byte === 0x2e ||
    byte === 0x2d ||
    byte === 0x40 ||
    byte === COLON ||
    byte === 0x5f ||
    byte === 0x25
  );
}

const SCHEMES = [
  Buffer.from('https://'),
  Buffer.from('http://'),
  Buffer.from('https:\\/\\/'),
  Buffer.from('http:\\/\\/'),
];

/** The scheme that ends right before `at`, as the index in `SCHEMES`, or -1. */
function schemeBefore(body: Buffer, at: number): number {
  // Every form ends in a slash: one comparison turns most misses away.
  if (at < 7 || body[at - 1] !== SLASH) return -1;
  for (let index = 0; index < SCHEMES.length; index++) {
    const scheme = SCHEMES[index]!;
    if (at >= scheme.length && body.compare(scheme, 0, scheme.length, at - scheme.length, at) === 0) return index;
  }
  return -1;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The path bytes after the authority match `basePath` (plain or with escaped slashes); returns their length or -1. */
function matchBasePath(body: Buffer, at: number, basePath: string, escaped: boolean): number {
  if (basePath === '') return 0;
  const wanted = Buffer.from(escaped ? basePath.replaceAll('/', '\\/') : basePath);
  if (body.length < at + wanted.length) return -1;
  if (body.compare(wanted, 0, wanted.length, at, at + wanted.length) !== 0) return -1;
  const next = body[at + wanted.length];
  const ends =
    next === undefined || next === SLASH || next === BACKSLASH || next === 0x22 || next === 0x3f || next === 0x23;
  return ends || next <= 0x20 || next === 0x27 || next === 0x3c || next === 0x3e ? wanted.length : -1;
}

function findEdits(body: Buffer, target: LinkTarget, gatewayBase: string, edits: Edit[]): void {
  const needle = Buffer.from(target.host);
  for (let at = body.indexOf(needle); at !== -1; at = body.indexOf(needle, at + needle.length)) {
    const scheme = schemeBefore(body, at);
    if (scheme === -1) continue;
    const escaped = scheme >= 2;
    let end = at + needle.length;
    // An explicit default port is the same place.
    const port = (scheme & 1) === 0 ? ':443' : ':80';
    if (body[end] === COLON && body.toString('latin1', end, end + port.length) === port) end += port.length;
    if (!endsAuthority(body[end])) continue;
    const pathLength = matchBasePath(body, end, target.basePath, escaped);
    if (pathLength === -1) continue;
    const text = gatewayBase + target.prefix;
    edits.push({
      start: at - SCHEMES[scheme]!.length,
      end: end + pathLength,
      text: escaped ? text.replaceAll('/', '\\/') : text,
    });
  }
}

/**
 * Replaces URLs that point at the upstream by the gateway's, byte for byte, without parsing: what isn't such a URL
 * is copied as it was, so numbers, spacing and key order survive. Returns the same buffer when nothing matched.
 *
 * @param gatewayBase the address this client reaches the gateway at: `https://gw.example:8443`.
 */
export function rewriteBody(body: Buffer, targets: readonly LinkTarget[], gatewayBase: string): Buffer {
  const edits: Edit[] = [];
  for (const target of targets) findEdits(body, target, gatewayBase, edits);
  if (edits.length === 0) return body;
  // The longest match at a place wins: `/api/files` before `/api` when two targets share a host.
  edits.sort((a, b) => a.start - b.start || b.end - a.end);
  const parts: Buffer[] = [];
  let from = 0;
  for (const edit of edits) {
    if (edit.start < from) continue;
    parts.push(body.subarray(from, edit.start), Buffer.from(edit.text));
    from = edit.end;
  }
  parts.push(body.subarray(from));
  return Buffer.concat(parts);
}

/**
 * One URL of a header (`Location`, `Content-Location`): absolute, scheme-relative or path-absolute. Returns the
 * gateway's form; undefined when it points elsewhere and has to stay (or be refused) as it is.
 *
 * @param self the target that answered, to which path-absolute references belong.
 */
export function rewriteUrl(
  value: string,
  targets: readonly LinkTarget[],
  self: LinkTarget,
  gatewayBase: string,
): string | undefined {
  if (value.startsWith('/') && !value.startsWith('//')) return rewritePath(value, self, gatewayBase);
  const absolute = value.startsWith('//') ? `https:${value}` : value;
  if (!/^https?:\/\//i.test(absolute) || !URL.canParse(absolute)) return undefined;
  const url = new URL(absolute);
  const path = absolute.slice(absolute.indexOf('//') + 2).replace(/^[^/?#]*/, '');
  let best: LinkTarget | undefined;
  for (const target of targets) {
    if (target.host !== url.host || !isUnder(path, target.basePath)) continue;
    if (!best || target.basePath.length > best.basePath.length) best = target;
  }
  return best ? gatewayBase + best.prefix + path.slice(best.basePath.length) : undefined;
}

function isUnder(path: string, basePath: string): boolean {
  if (!path.startsWith(basePath)) return false;
  const next = path[basePath.length];
  return basePath === '' || next === undefined || next === '/' || next === '?' || next === '#';
}

function rewritePath(value: string, self: LinkTarget, gatewayBase: string): string | undefined {
  if (!isUnder(value, self.basePath)) return undefined;
  return gatewayBase + self.prefix + value.slice(self.basePath.length);
}

/** A `Link` field (RFC 8288): each `<URI-Reference>` is rewritten, parameters stay. */
export function rewriteLinkHeader(
  value: string,
  targets: readonly LinkTarget[],
  self: LinkTarget,
  gatewayBase: string,
): string {
  return value.replace(/<([^<>]*)>/g, (whole, url: string) => {
    const rewritten = rewriteUrl(url, targets, self, gatewayBase);
    return rewritten === undefined ? whole : `<${rewritten}>`;
  });
}
