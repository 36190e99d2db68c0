import { type LookupAddress, lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GatewayError } from './errors.ts';

// IANA special-purpose address registries (RFC 6890 and successors), plus what clouds serve metadata on.
const FORBIDDEN_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['168.63.129.16', 32],
] as const;
const FORBIDDEN_V6 = [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;

const forbidden = new BlockList();
for (const [net, prefix] of FORBIDDEN_V4) forbidden.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of FORBIDDEN_V6) forbidden.addSubnet(net, prefix, 'ipv6');

/** ::ffff:a.b.c.d and ::a.b.c.d carry an IPv4 address: judged as that address. */
function embeddedV4(address: string): string | undefined {
  const dotted = /^::(?:ffff:(?:0:)?)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (dotted) return dotted;
  const hex = /^::(?:ffff:(?:0:)?)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (!hex) return undefined;
  const high = Number.parseInt(hex[1]!, 16);
  const low = Number.parseInt(hex[2]!, 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * True when traffic may go to the address: public, or exactly one of those an administrator named for this app.
 * Whatever can't be read as an address is refused.
 */
export function isAddressAllowed(address: string, privateAddresses: readonly string[]): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return false;
  if (privateAddresses.includes(bare)) return true;
  if (family === 4) return !forbidden.check(bare, 'ipv4');
  const inner = embeddedV4(bare);
  if (inner !== undefined) return isAddressAllowed(inner, privateAddresses);
  return !forbidden.check(bare, 'ipv6');
}

export class EgressRefused extends GatewayError {
  constructor(host: string, address: string) {
    super(
      'gateway.upstream_forbidden',
      `${host} resolves to ${address}, which is a private, loopback, link-local or reserved address. ` +
        `If that is intended, an administrator lists the exact address on the app.`,
      { host, address },
    );
  }
}

type Resolve = (
  host: string,
  options: { all: true; family?: number },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const systemResolve: Resolve = (host, options, done) => {
  dnsLookup(host, { ...options, verbatim: true }, (error, addresses) => done(error, addresses ?? []));
};

/**
 * A `lookup` for the upstream's sockets. The addresses that are checked are the addresses that are connected to:
 * nothing resolves the name a second time, so DNS rebinding has no gap to use. One forbidden address among
 * several refuses the name: an attacker's zone that mixes them must not win by retry.
 */
export function guardedLookup(privateAddresses: readonly string[], resolve: Resolve = systemResolve): LookupFunction {
  return (host, options, done) => {
    const family = typeof options.family === 'number' ? options.family : 0;
    resolve(host, { all: true, ...(family === 0 ? {} : { family }) }, (error, addresses) => {
      if (error) return done(error, '', 0);
      for (const { address } of addresses) {
        if (!isAddressAllowed(address, privateAddresses)) return done(new EgressRefused(host, address), '', 0);
      }
      const first = addresses[0];
      if (!first) {
        const none: NodeJS.ErrnoException = new Error(`${host} has no address`);
        none.code = 'ENOTFOUND';
        return done(none, '', 0);
      }
      if (options.all) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };
}

/** Checks a host that is written as an address, for which no lookup happens. Throws `EgressRefused`. */
export function checkLiteralHost(hostname: string, privateAddresses: readonly string[]): void {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(bare) !== 0 && !isAddressAllowed(bare, privateAddresses)) throw new EgressRefused(hostname, bare);
}
