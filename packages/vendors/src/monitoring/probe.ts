import type { X509Certificate } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import tls from 'node:tls';
import { callbackify } from 'node:util';
import { ContentUnrecognised } from '../errors.ts';
import { parseSecurityTxt } from '../register/security-txt.ts';
import { type HostObservation, TLS_VERSIONS } from './host.ts';

const CONNECT_MS_MAX = 6_000;
const TEXT_MS_MAX = 8_000;
const DNS_MS_MAX = 3_000;
const REDIRECTS_MAX = 3;
/** RFC 9116 names no size; a contact file of more is none. */
const SECURITY_TXT_BYTES_MAX = 32 * 1024;
const CAA_LABELS_MAX = 8;
const ADDRESSES_MAX = 16;
/** So that old versions, small keys and old signatures can be seen at all: nothing is sent over these connections. */
const ANY_STRENGTH = 'DEFAULT@SECLEVEL=0';

/** The way out, under the rules of egress that hold for the gateway. */
export interface ProbeReach {
  /** Resolves a name, and fails for addresses to which nothing may go. */
  readonly lookup: LookupFunction;
  /** Throws for a host that is written as an address to which nothing may go. */
  readonly checkHost: (host: string) => void;
  /** Trusted in addition to the system's authorities. */
  readonly authorities: readonly string[];
}

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly isPlain: boolean;
}

/** CAA records by name; `[]` for none, null when they could not be asked for. */
export type LookupCaa = (name: string) => Promise<readonly string[] | null>;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

function resolve({ host }: ProbeTarget, reach: ProbeReach): Promise<string[]> {
  reach.checkHost(host);
  if (isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error('the name was not answered in time')), DNS_MS_MAX);
    reach.lookup(host, { all: true }, (error, addresses) => {
      clearTimeout(timer);
      if (error) fail(error);
      else {
        const list = Array.isArray(addresses) ? addresses.map(({ address }) => address) : [addresses];
        done(list.slice(0, ADDRESSES_MAX));
      }
    });
  });
}

interface Handshake {
  readonly certificate: X509Certificate | null;
  readonly distrust: string | null;
}

/** One handshake with an address that was judged already; nothing resolves the name a second time. */
function shake(
  { host, port }: ProbeTarget,
  address: string,
  reach: ProbeReach,
  version: tls.SecureVersion | null,
): Promise<Handshake> {
  return new Promise((done, fail) => {
    const socket = tls.connect({
      host: address,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false, // it is the certificate that one wants to see; nothing is sent
      ca: [...tls.getCACertificates('default'), ...reach.authorities],
      ciphers: ANY_STRENGTH,
      minVersion: version ?? 'TLSv1',
      ...(version === null ? {} : { maxVersion: version }),
    });
    socket.setTimeout(CONNECT_MS_MAX, () => socket.destroy(new Error('no answer in time')));
    socket.once('secureConnect', () => {
      const error: unknown = socket.authorizationError ?? null;
      const distrust = socket.authorized
        ? null
        : codeOf(error) || String(error instanceof Error ? error.message : error);
      done({ certificate: socket.getPeerX509Certificate() ?? null, distrust });
      socket.destroy();
    });
    socket.once('error', fail);
  });
}

async function offers(target: ProbeTarget, address: string, reach: ProbeReach, version: tls.SecureVersion) {
  try {
    await shake(target, address, reach, version);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (/NO_(?:PROTOCOLS|CIPHERS)_AVAILABLE/.test(code)) return null; // this side can't
    // Refused by an alert, or by hanging up: both are a no, as the host answered before.
    return code.startsWith('ERR_SSL_') || code === 'ECONNRESET' || code === 'EPIPE' ? false : null;
  }
}

function bitsOf({ publicKey }: X509Certificate): number | null {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined) return modulusLength;
  return namedCurve === undefined ? null : Number(/\d{3}/.exec(namedCurve)?.[0] ?? 256);
}

function describe(
  one: X509Certificate,
  { host }: ProbeTarget,
  distrust: string | null,
): HostObservation['certificate'] {
  const names = (one.subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
  const matched = isIP(host) === 0 ? one.checkHost(host) : one.checkIP(host);
  return {
    subject: one.subject?.replaceAll('\n', ', ') ?? '',
    issuer: one.issuer?.replaceAll('\n', ', ') ?? '',
    names: names.slice(0, 100),
    validFrom: one.validFromDate.getTime(),
    validTo: one.validToDate.getTime(),
    keyType: one.publicKey.asymmetricKeyType ?? 'unknown',
    keyBits: bitsOf(one),
    signature: one.signatureAlgorithm ?? 'unknown',
    sha256: one.fingerprint256.replaceAll(':', '').toLowerCase(),
    matchesHost: matched !== undefined,
    distrust,
  };
}

interface Text {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

function get(url: URL, reach: ProbeReach): Promise<Text> {
  reach.checkHost(url.hostname);
  return new Promise((done, fail) => {
    const request = https.get(
      url,
      {
        agent: false,
        lookup: reach.lookup,
        signal: AbortSignal.timeout(TEXT_MS_MAX),
        headers: { accept: 'text/plain', 'user-agent': 'cordon' },
        ca: [...tls.getCACertificates('default'), ...reach.authorities],
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > SECURITY_TXT_BYTES_MAX) request.destroy(new Error('the answer is too large'));
        });
        answer.once('error', fail);
        answer.once('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          done({ status: answer.statusCode ?? 0, location: answer.headers.location ?? null, body });
        });
      },
    );
    request.once('error', fail);
  });
}

/** RFC 9116, section 3: below /.well-known/, at the top for older ones, over HTTPS; redirects stay on HTTPS. */
async function readSecurityTxt(
  { host, port }: ProbeTarget,
  reach: ProbeReach,
  now: number,
): Promise<HostObservation['securityTxt']> {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  for (const path of ['/.well-known/security.txt', '/security.txt']) {
    let url = new URL(`https://${name}:${port}${path}`);
    let answer = await get(url, reach);
    for (let hop = 0; hop < REDIRECTS_MAX && answer.status >= 300 && answer.status < 400 && answer.location; hop += 1) {
      url = new URL(answer.location, url);
      if (url.protocol !== 'https:') return null;
      answer = await get(url, reach);
    }
    if (answer.status !== 200 || /<html|<!doctype/i.test(answer.body)) continue;
    try {
      const read = parseSecurityTxt(answer.body);
      const state =
        read.expires === null ? ('invalid' as const) : read.expires <= now ? ('expired' as const) : ('valid' as const);
      return { state, ...read, contacts: [...read.contacts] };
    } catch (error) {
      if (!(error instanceof ContentUnrecognised)) throw error;
      return { state: 'invalid', contacts: [], policy: null, expires: null };
    }
  }
  return { state: 'absent', contacts: [], policy: null, expires: null };
}

/** The nearest records above a name; the root and top-level names are not asked. */
async function readCaa(host: string, lookupCaa: LookupCaa): Promise<string[] | null> {
  if (isIP(host) !== 0 || !host.includes('.')) return null;
  const labels = host.split('.');
  for (let at = Math.max(0, labels.length - CAA_LABELS_MAX); at < labels.length - 1; at += 1) {
    const records = await lookupCaa(labels.slice(at).join('.'));
    if (records === null) return null;
    if (records.length > 0) return [...records];
  }
  return [];
}

function resolverOf(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: DNS_MS_MAX, tries: 1 });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** Resolves a name at these name servers, as `dns.lookup` calls back; for a guard that judges the addresses. */
export function createAddressLookup(servers: readonly string[]) {
  const resolver = resolverOf(servers);
  const ask = async (host: string, family: 4 | 6): Promise<LookupAddress[]> => {
    const addresses = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host));
    return addresses.map((address) => ({ address, family }));
  };
  const askAll = async (host: string, family: number): Promise<LookupAddress[]> => {
    if (family === 4 || family === 6) return ask(host, family);
    const [v4, v6] = await Promise.allSettled([ask(host, 4), ask(host, 6)]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    return [v4, v6].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  };
  const askBack = callbackify(askAll);
  return (
    host: string,
    options: { readonly family?: number },
    done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ): void => {
    askBack(host, options.family ?? 0, (error, addresses) => done(error, addresses ?? []));
  };
}

/** Asks these name servers (`address` or `address:port`); none: the system's. */
export function createCaaLookup(servers: readonly string[] = []): LookupCaa {
  const resolver = resolverOf(servers);
  return async (name) => {
    try {
      const records = await resolver.resolveCaa(name);
      return records.map((record) => JSON.stringify(record));
    } catch (error) {
      return ['ENODATA', 'ENOTFOUND'].includes(codeOf(error)) ? [] : null;
    }
  };
}

/** Looks at one host: a few connections, nothing sent but a request for its security.txt. Never throws. */
export async function probeHost(
  target: ProbeTarget,
  reach: ProbeReach,
  { lookupCaa, now }: { readonly lookupCaa: LookupCaa; readonly now: number },
): Promise<HostObservation> {
  const nothing: HostObservation = {
    at: now,
    isPlain: target.isPlain,
    addresses: [],
    problem: null,
    certificate: null,
    versions: null,
    caa: null,
    securityTxt: null,
  };
  let addresses: string[];
  try {
    addresses = await resolve(target, reach);
  } catch (error) {
    return { ...nothing, problem: textOf(error) };
  }
  const caa = await readCaa(target.host, lookupCaa);
  const address = addresses[0];
  if (target.isPlain || address === undefined) return { ...nothing, addresses, caa };
  try {
    const { certificate, distrust } = await shake(target, address, reach, null);
    const versions: NonNullable<HostObservation['versions']> = {
      TLSv1: null,
      'TLSv1.1': null,
      'TLSv1.2': null,
      'TLSv1.3': null,
    };
    for (const version of TLS_VERSIONS) versions[version] = await offers(target, address, reach, version);
    // Over a connection that can't be trusted nothing of it is believed.
    const securityTxt = distrust === null ? await readSecurityTxt(target, reach, now).catch(() => null) : null;
    const shown = certificate === null ? null : describe(certificate, target, distrust);
    return {
      ...nothing,
      addresses,
      caa,
      certificate: shown,
      versions,
      securityTxt,
    };
  } catch (error) {
    return { ...nothing, addresses, caa, problem: textOf(error) };
  }
}
