import { type Match, match } from './finding.ts';

const SCHEMES =
  /^(?:gopher|file|dict|ldaps?|tftp|sftp|jar|netdoc|phar|expect|rmi|nntp|finger|imap|smb|telnet|ssh2(?:\.\w+)?|ogg|glob|php|view-source|local_file|url:(?:file|https?)):/i;
/** Schemes that are someone's ordinary link in places where any URL may stand. */
const MILD_SCHEMES = /^(?:ldaps?|sftp|imap|smb|telnet|rmi):/i;
const METADATA = new Set([
  'metadata.google.internal', 'metadata', 'metadata.goog', 'instance-data', 'instance-data.ec2.internal', 'metadata.packet.net', 'metadata.platformequinix.com',
  'metadata.azure.com', 'metadata.azure.internal', 'rancher-metadata', 'rancher-metadata.rancher.internal', 'metadata.tencentyun.com', 'kubernetes.default', 'kubernetes.default.svc',
  'kubernetes', 'host.docker.internal', 'gateway.docker.internal', 'docker.for.mac.localhost', 'consul.service.consul',
]); // prettier-ignore
/** Names that anyone can make point at any address, or that point at 127.0.0.1. */
const REBINDING =
  /(?:^|\.)(?:nip\.io|sslip\.io|xip\.io|localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|localho\.st|rbndr\.us|1u\.ms|traefik\.me|backname\.io|nip\.direct|yoogle\.com|spoofed\.burpcollaborator\.net|bugbounty\.dod\.network|fbi\.com\.local|local\.sisteminha\.com|0\.0\.0\.0\.io|127-0-0-1\.org\.uk|fuf\.me|ssrf-cloud\.localdomain\.pw|localdomain\.pw|feitsui\.com|42foo\.com|domaincontrol\.local|ulh\.us|yurets\.dev|dwz\.st)$/;
const COLLABORATOR =
  /(?:^|\.)(?:burpcollaborator\.net|oastify\.com|interact\.sh|oast\.(?:fun|live|me|online|pro|site)|dnslog\.cn|ceye\.io|requestrepo\.com|canarytokens\.com|bxss\.me|xss\.ht|r87\.me)$/;
const INTERNAL = /(?:^|\.)(?:localhost|local|internal|localdomain|intranet|corp|lan|home\.arpa|cluster\.local|svc)$/;
const ODD_NUMBER =
  /^(?:0x[0-9a-f]{1,16}|0[0-7]{2,22}|\d{1,20})(?:\.(?:0x[0-9a-f]{1,16}|0?[0-7]{1,22}|\d{1,12})){0,3}$/i;
const URL_CHARS_MAX = 2_048;

/** `public`: an address that belongs to the Internet, or a name of which nothing is known to the contrary. */
export type HostReach =
  | 'public'
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'metadata'
  | 'rebinding'
  | 'internal'
  | 'collaborator';

function reachOfV4(parts: readonly number[]): HostReach {
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  if (a === 127 || a === 0) return 'loopback';
  if (a === 169 && b === 254) return c === 169 || c === 170 ? 'metadata' : 'link-local';
  if (a === 100 && b === 100 && c === 100 && d === 200) return 'metadata';
  if (a === 192 && b === 0 && c === 0) return 'metadata';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private';
  if (a === 100 && b >= 64 && b < 128) return 'private';
  return a >= 224 ? 'private' : 'public';
}

function reachOfV6(text: string): HostReach {
  const inner = text.toLowerCase();
  if (inner === '::1' || inner === '::') return 'loopback';
  if (inner === 'fd00:ec2::254') return 'metadata';
  // ::ffff:7f00:1, 64:ff9b::7f00:1, 2002:7f00:1::: an IPv4 address inside.
  const mapped =
    /^(?:::ffff:|::ffff:0:|64:ff9b::|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(inner) ??
    /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/.exec(inner);
  if (mapped) {
    const high = Number.parseInt(mapped[1]!, 16);
    const low = Number.parseInt(mapped[2]!, 16);
    return reachOfV4([high >> 8, high & 255, low >> 8, low & 255]);
  }
  if (/^f[cd]/.test(inner)) return 'private';
  if (/^fe[89ab]/.test(inner)) return 'link-local';
  return 'public';
}

/** Where a host of a URL leads. Takes it in any notation that a resolver takes: `0x7f.1`, `2130706433`, `①②⑦.0.0.1`. */
export function reachOf(host: string): HostReach {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name) && !/(?:^|\.)0\d/.test(name))
    return reachOfV4(name.split('.').map(Number));
  if (name.startsWith('[') || ODD_NUMBER.test(name) || /[^\0-\x7f%]|%[0-9a-f]{2}/.test(name)) {
    const normal = normalHost(name);
    if (normal === null) return 'public';
    if (normal.startsWith('[')) return reachOfV6(normal.slice(1, -1));
    if (normal !== name) return reachOf(normal);
  }
  if (METADATA.has(name)) return 'metadata';
  if (name === 'localhost' || name === 'localhost6' || name === 'ip6-localhost' || name === 'broadcasthost')
    return 'loopback';
  if (REBINDING.test(name)) return 'rebinding';
  if (COLLABORATOR.test(name)) return 'collaborator';
  return INTERNAL.test(name) ? (name.endsWith('localhost') ? 'loopback' : 'internal') : 'public';
}

function normalHost(host: string): string | null {
  const url = `http://${host}/`;
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/** All hosts that one or another reader takes for the URL's: differences between them are the attack. */
function hostsOf(text: string): string[] {
  const start = text.indexOf('//') + 2;
  let end = start;
  while (end < text.length && !'/\\?#'.includes(text[end]!)) end++;
  const authority = text.slice(start, end);
  const hosts = [hostIn(authority)];
  // What stands before the last `@` is a user for some and, cut at an odd character, the host for others.
  if (authority.includes('@')) hosts.push(authority.split(/[@:%\0#]/, 1)[0] ?? '');
  const rest = text.slice(start, URL_CHARS_MAX);
  // `http://a.example#@127.0.0.1/`, `http://127.0.0.1\@a.example/`, `http://1.1.1.1 &@2.2.2.2# @3.3.3.3/`
  for (let at = rest.indexOf('@'), tries = 0; at !== -1 && tries < 4; at = rest.indexOf('@', at + 1), tries++) {
    const odd = /[#?\\ ]/.test(rest.slice(0, at)) && !/^[^\\#? ]*\//.test(rest.slice(0, at));
    if (odd || at < end - start) hosts.push(hostIn(rest.slice(at + 1).split(/[/\\?# ]/, 1)[0] ?? ''));
  }
  return hosts;
}

function hostIn(authority: string): string {
  const at = authority.lastIndexOf('@');
  const host = at === -1 ? authority : authority.slice(at + 1);
  if (host.startsWith('[')) return host.slice(0, host.indexOf(']') + 1);
  const colon = host.indexOf(':');
  return colon === -1 ? host : host.slice(0, colon);
}

const CONFIDENCE: Readonly<Record<Exclude<HostReach, 'public'>, number>> = {
  metadata: 0.95,
  loopback: 0.9,
  'link-local': 0.9,
  private: 0.85,
  rebinding: 0.9,
  internal: 0.75,
  collaborator: 0.8,
};

function judgeHosts(hosts: readonly string[], text: string): Match | null {
  for (const host of hosts) {
    const reach = reachOf(host);
    if (reach !== 'public') return match('ssrf', reach, CONFIDENCE[reach], 0, Math.min(text.length, 48));
  }
  return null;
}

/**
 * URLs that lead where the vendor's servers should not be sent.
 * @param hostField the field names a host or URL, so that a bare host counts
 */
export function detectSsrf(text: string, hostField: boolean): Match | null {
  const trimmed = text.trim().slice(0, URL_CHARS_MAX);
  if (/^(?:https?|wss?|ftps?):[/\\]{1,4}/i.test(trimmed) || /^[/\\]{2}[^/\\]/.test(trimmed)) {
    const unified = trimmed.replace(/^([a-z]*:?)[/\\]{1,4}/i, '$1//');
    return judgeHosts(hostsOf(unified), text);
  }
  const scheme = SCHEMES.exec(trimmed);
  if (scheme && /^[\w.:]{2,30}:\/?\/|^jar:|^php:|^local_file:/i.test(trimmed)) {
    return match('ssrf', 'scheme', MILD_SCHEMES.test(trimmed) ? 0.75 : 0.9, 0, Math.min(text.length, 32));
  }
  if (hostField && /^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:\/\S{0,512})?$/i.test(trimmed))
    return judgeHosts([hostIn(trimmed.split('/', 1)[0]!)], text);
  return null;
}

const PLAIN_MAX = 2_000;
/** Hosts that were judged public: SDKs name the same few over and over. */
const plainHosts = new Set<string>();

/** Whether the http(s) URL between two offsets needs no second look: a plain name under a public suffix, no tricks. */
export function isPlainUrlAt(text: string, from: number, to: number): boolean {
  const start = text.startsWith('https://', from) ? from + 8 : text.startsWith('http://', from) ? from + 7 : -1;
  if (start === -1) return false;
  let end = start;
  let letters = false;
  for (; end < to; end++) {
    const code = text.charCodeAt(end);
    const letter = code >= 0x61 && code <= 0x7a;
    if (!letter && !(code >= 0x30 && code <= 0x39) && code !== 0x2e && code !== 0x2d) break;
    letters = letters || letter;
  }
  const next = end === to ? 0x2f : text.charCodeAt(end);
  if (!letters || (next !== 0x2f && next !== 0x3f)) return false;
  const host = text.slice(start, end);
  if (plainHosts.has(host)) return true;
  if (reachOf(host) !== 'public') return false;
  if (plainHosts.size >= PLAIN_MAX) plainHosts.clear();
  plainHosts.add(host);
  return true;
}

export function isPlainUrl(text: string): boolean {
  return isPlainUrlAt(text, 0, text.length);
}
