const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))+$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Second-level labels under which companies register, in two-letter country domains (`co.uk`, `com.au`). */
const SECOND_LEVEL = new Set([
  'co',
  'com',
  'org',
  'net',
  'gov',
  'gob',
  'edu',
  'ac',
  'or',
  'ne',
  'go',
  'ltd',
  'plc',
  'nom',
]);

/** A host as logs write it (`Example.COM.`, `example.com:443`, a URL), or null when it is an address or no name at all. */
export function readHost(raw: string): string | null {
  let text = raw.trim().toLowerCase();
  const scheme = text.indexOf('://');
  if (scheme >= 0) text = text.slice(scheme + 3);
  const end = text.search(/[/?#]/);
  if (end >= 0) text = text.slice(0, end);
  const at = text.lastIndexOf('@');
  if (at >= 0) text = text.slice(at + 1);
  if (text.startsWith('[')) return null;
  text = text.replace(/:\d{0,5}$/, '').replace(/\.$/, '');
  return HOST.test(text) && !IPV4.test(text) && !/^\d+$/.test(text.slice(text.lastIndexOf('.') + 1)) ? text : null;
}

/**
 * The part of a host that somebody registered: the last two labels, three where the country divides its domain.
 * An approximation: Cordon ships no public suffix list, and uses this only to group hosts that no app is known for.
 */
export function registrableOf(host: string): string {
  const labels = host.split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const count = top.length === 2 && SECOND_LEVEL.has(second) ? 3 : 2;
  return labels.slice(-count).join('.');
}

/** A host and what it lies under, longest first: `a.b.c` gives `a.b.c`, `b.c`. */
export function* suffixesOf(host: string): Generator<string> {
  for (let rest = host; rest.includes('.'); rest = rest.slice(rest.indexOf('.') + 1)) yield rest;
}
