import { BlockList, isIP, isIPv6 } from 'node:net';
import { type Role, ROLES } from '@cordon/kernel';
import { z } from 'zod';

/** What is known of a sign-in when it is decided, and what is kept of it. Never a secret. */
export const signInFacts = z.object({
  login: z.string(),
  roles: z.array(z.enum(ROLES)),
  groups: z.array(z.object({ id: z.string(), name: z.string() })),
  address: z.string(),
  agent: z.string(),
  /** ISO 3166-1 alpha-2, or `unknown`. */
  country: z.string(),
  methods: z.array(z.string()),
  strength: z.enum(['any', 'mfa', 'passkey']),
  /** Seconds since a factor was last shown. */
  authAgeS: z.int().min(0),
  device: z.enum(['known', 'new']),
  compliance: z.enum(['compliant', 'not-compliant', 'unknown']),
  /** 0 to 100. */
  risk: z.int().min(0).max(100),
  alerts: z.int().min(0),
  /** Facts that nobody recorded then; the values above are what is least in favour of the person. */
  missing: z.array(z.string()).default([]),
});
export type SignInFacts = z.output<typeof signInFacts>;

/** What is signed on to: Cordon itself, or a tool. */
export interface SignInService {
  readonly kind: 'cordon' | 'oidc' | 'saml';
  readonly id: string;
  readonly name: string;
}
export const CORDON: SignInService = { kind: 'cordon', id: 'cordon', name: 'Cordon' };

/** One sign-in to decide on. */
export interface SignInRequest {
  readonly personId: string;
  readonly service: SignInService;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly facts: SignInFacts;
}

const CIDR = /^([0-9a-fA-F.:]{2,45})\/(\d{1,3})$/;

function readCidr(text: string): { address: string; bits: number; type: 'ipv4' | 'ipv6' } | null {
  const [, address = '', bits = ''] = CIDR.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits) > (version === 6 ? 128 : 32)) return null;
  return { address, bits: Number(bits), type: version === 6 ? 'ipv6' : 'ipv4' };
}

/** A named set of networks that policies can speak of. */
export const signInNetwork = z.strictObject({
  name: z.string().regex(/^[\w-]{1,60}$/, 'must be letters, digits, - and _'),
  cidrs: z
    .array(z.string().refine((text) => readCidr(text) !== null, 'must be an address and a prefix, like 192.0.2.0/24'))
    .min(1)
    .max(500),
});
export type SignInNetwork = z.output<typeof signInNetwork>;

/** Cedar and people know neither IPv4-mapped addresses, which dual-stack sockets report, nor zone ids. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** Which of the networks hold an address; none for what is no address. */
export function createNetworkLookup(networks: readonly SignInNetwork[]): (address: string) => string[] {
  const lists = networks.map(({ name, cidrs }) => {
    const list = new BlockList();
    for (const cidr of cidrs.map(readCidr)) if (cidr) list.addSubnet(cidr.address, cidr.bits, cidr.type);
    return { name, list };
  });
  return (given) => {
    const address = plainAddress(given);
    if (isIP(address) === 0) return [];
    return lists.filter(({ list }) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')).map(({ name }) => name);
  };
}

const HOUR_MS = 3_600_000;

export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) % 24;
}

/** 1 Monday to 7 Sunday; 1970-01-01 was a Thursday. */
export function weekdayOf(at: number): number {
  return ((Math.floor(at / (24 * HOUR_MS)) + 3) % 7) + 1;
}

export function rolesOf(roles: readonly string[]): Role[] {
  return ROLES.filter((role) => roles.includes(role));
}
