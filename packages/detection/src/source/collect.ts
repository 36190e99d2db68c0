import { isAbsolute, normalize } from 'node:path';
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** Tells the worker that a source was made, changed or removed. */
export const SOURCES_CHANNEL = 'cordon_sources';
const PEERS_MAX = 256;

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  const max = family === 4 ? 32 : 128;
  return family !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= max));
}

/** How a worker gets a source's events by itself. */
export const collectInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('syslog'),
    transport: z.enum(['udp', 'tcp', 'tls']),
    port: z.int().min(1).max(65_535),
    /** Addresses and networks that may send; empty: any that reaches the port. */
    peers: z
      .array(z.string().refine(isNetwork, 'an address or a network such as 10.0.0.0/8'))
      .max(PEERS_MAX)
      .default([]),
  }),
  z.strictObject({
    kind: z.literal('file'),
    /** A file, or a folder whose files are read in the order of their names. */
    path: z
      .string()
      .min(1)
      .max(1_000)
      .refine((path) => isAbsolute(path) && normalize(path) === path, 'an absolute path without . and ..'),
  }),
  /** Objects of an S3-compatible store under a prefix; the bucket is addressed by path. */
  z.strictObject({
    kind: z.literal('s3'),
    endpoint: z.url({ protocol: /^https?$/ }).max(2_000),
    region: z.string().regex(/^[a-z0-9-]{1,50}$/),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,62}$/),
    /** Names begin with it; without slashes at its ends. */
    prefix: z
      .string()
      .regex(/^[^/\s][^\s]*[^/\s]$|^[^/\s]$/, 'a name without spaces and without a slash at its ends')
      .max(500)
      .or(z.literal(''))
      .default(''),
    accessKeyId: z.string().min(1).max(200),
    /** Exact private addresses that the endpoint may lie at; others are refused. */
    privateAddresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .max(10)
      .default([]),
  }),
]);
export type Collect = z.output<typeof collectInput>;

/** Whether an address is among `peers`. */
export function peerCheck(peers: readonly string[]): (address: string) => boolean {
  if (peers.length === 0) return () => true;
  const list = new BlockList();
  for (const peer of peers) {
    const [address = '', bits] = peer.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return list.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6');
  };
}
