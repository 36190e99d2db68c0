import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { checkLiteralHost, EgressRefused, guardedLookup, isAddressAllowed } from './egress-guard.ts';

const rows: [address: string, allowed: boolean][] = [
  ['140.82.112.6', true],
  ['2606:50c0:8000::153', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['127.8.8.8', false],
  ['169.254.169.254', false],
  ['168.63.129.16', false],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:7f00:1', false],
  ['::ffff:a9fe:a9fe', false],
  ['::127.0.0.1', false],
  ['::ffff:140.82.112.6', true],
  ['64:ff9b::7f00:1', false],
  ['fd00:ec2::254', false],
  ['fe80::1%eth0', false],
  ['2002:7f00:1::', false],
  ['not an address', false],
];

test.each(rows)('%s is allowed: %s', (address, allowed) => {
  expect(isAddressAllowed(address, [])).toBe(allowed);
});

test('exactly the listed private address is allowed, and no neighbour', () => {
  expect(isAddressAllowed('10.0.0.5', ['10.0.0.5'])).toBe(true);
  expect(isAddressAllowed('10.0.0.6', ['10.0.0.5'])).toBe(false);
});

test.each([['127.0.0.1'], ['[::1]'], ['169.254.169.254'], ['[::ffff:10.0.0.1]']])(
  'refuses the literal host %s',
  (host) => {
    expect(() => checkLiteralHost(host, [])).toThrow(EgressRefused);
  },
);

test('names are left to the lookup', () => {
  expect(() => checkLiteralHost('localhost', [])).not.toThrow();
});

function lookup(addresses: LookupAddress[], all: boolean): Promise<unknown> {
  const guarded = guardedLookup([], (_host, _options, done) => done(null, addresses));
  return new Promise((resolve) => {
    guarded('api.example', { all }, (error, address) => resolve(error ?? address));
  });
}

test('one forbidden address among several refuses the name', async () => {
  const mixed = [
    { address: '140.82.112.6', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  expect(await lookup(mixed, true)).toBeInstanceOf(EgressRefused);
  expect(await lookup(mixed, false)).toBeInstanceOf(EgressRefused);
});

test('the checked addresses are the ones handed to the socket', async () => {
  const good = [{ address: '140.82.112.6', family: 4 }];
  expect(await lookup(good, true)).toEqual(good);
  expect(await lookup(good, false)).toBe('140.82.112.6');
});

test('a name without addresses is an error', async () => {
  expect(await lookup([], true)).toMatchObject({ code: 'ENOTFOUND' });
});
