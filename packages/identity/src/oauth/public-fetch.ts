import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { request } from 'node:https';
import { BlockList, isIPv6 } from 'node:net';
import { IssuerUnreachable } from '../errors.ts';
import type { FetchJson } from './issuer-keys.ts';

const WAIT_MS_MAX = 5_000;
const BODY_BYTES_MAX = 256 * 1024;

/** Networks that are not the public internet (RFC 6890 and the IANA special-purpose registries). */
const PRIVATE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** 2002::/16 and 64:ff9b::/32 carry IPv4 addresses inside and would lead around the list above. */
const PRIVATE_V6 = [
  '::/96',
  '::1/128',
  '64:ff9b::/32',
  '100::/64',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
];

const blocked = new BlockList();
for (const [type, networks] of [
  ['ipv4', PRIVATE_V4],
  ['ipv6', PRIVATE_V6],
] as const) {
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    blocked.addSubnet(address, Number(prefix), type);
  }
}

/** Whether an address is on the public internet. IPv4 within IPv6 (`::ffff:10.0.0.1`) counts as what it is. */
export function isPublicAddress(address: string): boolean {
  return !blocked.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

type LookupDone = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** Looks a name up once and connects to what was checked: a second answer of DNS has no say (rebinding). */
export function publicLookup(hostname: string, options: LookupOptions, done: LookupDone): void {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    const open = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = open;
    if (!first) return done(Object.assign(new Error('not a public address'), { code: 'EACCES' }), []);
    return options.all ? done(null, open) : done(null, first.address, first.family);
  });
}

/** An https address without a user, and not a private address written out; names are looked at when they are resolved. */
function publicUrl(address: string): URL | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  const isLiteral = /^[\d.]+$/.test(literal) || isIPv6(literal);
  return url.protocol !== 'https:' || url.username !== '' || (isLiteral && !isPublicAddress(literal)) ? null : url;
}

/** Whether a client may name this address to be told of decisions. */
export function isNotificationEndpoint(address: string): boolean {
  return address.length <= 1_000 && publicUrl(address) !== null && !address.includes('#');
}

/**
 * Fetches small JSON documents over https from the public internet alone: somebody who may register a client must not
 * be able to make this server look around inside its own network. No redirects, five seconds, 256 KiB.
 */
export const fetchPublicJson: FetchJson = async (address) => {
  const url = publicUrl(address);
  if (!url) {
    throw new IssuerUnreachable('Keys are fetched by https from the public internet only.');
  }
  const { promise, resolve: succeed, reject } = Promise.withResolvers<unknown>();
  const fail = (cause: unknown): void =>
    reject(new IssuerUnreachable('The issuer’s keys could not be fetched.', {}, cause));
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  const outgoing = request(
    url,
    { lookup: publicLookup, headers: { accept: 'application/json' }, signal },
    (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > BODY_BYTES_MAX) response.destroy(new Error('too large'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        try {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          succeed(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          fail(error);
        }
      });
    },
  );
  outgoing.on('error', fail);
  outgoing.end();
  return promise;
};

/** Sends a JSON document and gives the answer's status; rejects when there is none. */
export type PostJson = (
  address: string,
  headers: Readonly<Record<string, string>>,
  body: Readonly<Record<string, unknown>>,
) => Promise<number>;

/** As above, the other way: a client's address must not lead this server into its own network either. */
export const postPublicJson: PostJson = async (address, headers, body) => {
  const url = publicUrl(address);
  if (!url) throw new IssuerUnreachable('Clients are told by https on the public internet only.');
  const { promise, resolve: succeed, reject } = Promise.withResolvers<number>();
  const options = {
    method: 'POST',
    lookup: publicLookup,
    headers,
    signal: AbortSignal.timeout(WAIT_MS_MAX),
  };
  const outgoing = request(url, options, (response) => {
    // Nothing in the answer is of interest (CIBA Core 1.0, section 10.2).
    response.destroy();
    succeed(response.statusCode ?? 0);
  });
  outgoing.on('error', (cause) => reject(new IssuerUnreachable('The client could not be told.', {}, cause)));
  outgoing.end(JSON.stringify(body));
  return promise;
};
