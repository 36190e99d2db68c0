import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressBlock, addressBytes } from './address.ts';
import { openMmdb } from './mmdb.ts';
import { factsOfRecord } from './mmdb-record.ts';
import { type NetworkDatabase, openNetworkDatabase } from './network-database.ts';
import { readRanges } from './range-table.ts';

const logger = createLogger({ role: 'test', level: 'error', destination: { write: () => undefined } });
let folder: string;
let database: NetworkDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cordon-networks-'));
  database = await openNetworkDatabase({ ownFiles: [join(folder, 'own.csv')], logger });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what ships', () => {
  // Registries' own networks, and such as their operators publish: they don't move.
  test.each([
    ['193.0.6.139', 'NL', 3333],
    ['2001:67c:2e8:22::c100:68b', 'NL', 3333],
    ['::ffff:193.0.6.139', 'NL', 3333],
    ['133.11.0.1', 'JP', 2501],
    ['200.160.2.3', 'BR', 22548],
    ['8.8.8.8', 'US', 15169],
  ])('%s lies in %s, in AS%i', (address, country, asn) => {
    expect(database.lookup(address)).toMatchObject({ country, asn });
  });

  test.each([
    ['46.4.0.1', 'hosting'],
    ['185.220.101.1', 'tor'],
    ['1.1.1.1', 'relay'],
  ])('%s is of a provider of %s', (address, flag) => {
    expect(database.lookup(address).flags).toEqual([flag]);
  });

  test.each(['10.1.2.3', '127.0.0.1', 'fe80::1', '198.51.100.7', '2001:db8::1', 'not an address', ''])(
    '%s is placed nowhere',
    (address) => {
      expect(database.lookup(address)).toEqual({});
    },
  );

  test('says its date and whom to name', () => {
    expect(database.files.map(({ gives, licence }) => [gives, licence])).toEqual([
      [['country'], 'CC BY 4.0'],
      [['asn'], 'CC BY 4.0'],
    ]);
    for (const file of database.files) {
      expect(file.builtAt).toBeGreaterThan(Date.UTC(2026, 0, 1));
      expect(file.attribution).not.toBeNull();
    }
  });
});

test("a customer's file is read when it changes, and is believed over what ships", async () => {
  const path = join(folder, 'own.csv');
  expect(database.problems).toEqual([{ file: path, message: 'The file can not be read.' }]);
  await writeFile(
    path,
    'network,value,name\n198.51.100.0/24,KP\n193.0.6.0/24,GB\n10.9.0.0/16,AS64512,"Head, office"\n',
  );
  expect(await database.reload()).toBe(true);
  expect(await database.reload()).toBe(false);
  expect(database.lookup('198.51.100.9')).toMatchObject({ country: 'KP' });
  expect(database.lookup('193.0.6.139')).toMatchObject({ country: 'GB', asn: 3333 });
  expect(database.lookup('10.9.1.1')).toMatchObject({ asn: 64_512, organisation: 'Head, office' });
  expect(database.lookup('10.8.1.1')).toEqual({});
  await writeFile(path, 'this is\nno file\nof networks\n');
  await utimes(path, 1, 1);
  await database.reload();
  expect(database.problems[0]?.message).toContain('0 networks');
  // What was there stays.
  expect(database.lookup('198.51.100.9')).toMatchObject({ country: 'KP' });
});

test.each([
  ['10.0.0.0/8', '10.0.0.0', '10.255.255.255'],
  ['2001:db8::/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'],
  ['192.0.2.7', '192.0.2.7', '192.0.2.7'],
  ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
])('the block %s', (text, first, last) => {
  expect(addressBlock(text)).toEqual({ first: addressBytes(first), last: addressBytes(last) });
});

test.each(['10.0.0.0/33', '10.0.0/8', 'fe80::1%eth0', '10.0.0.0/8/8', '10.0.0.0/-1'])('%s is no block', (text) => {
  expect(addressBlock(text)).toBeNull();
});

test('ranges are found in whatever order they come, at their ends and not beside them', () => {
  const table = readRanges([
    '192.0.2.128,192.0.2.255,NL\n16909060,16909070,64500,"A ""quoted"" name"\n192.0.2.0,192.0.2.9,FR\n',
    '2001:db8:2::/48,vpn\n2001:db8:1::,2001:db8:1::ff,DE\n',
  ]);
  const of = (address: string) => table.lookup(addressBytes(address) ?? new Uint8Array(16));
  expect(of('192.0.2.128')).toEqual({ country: 'NL' });
  expect(of('192.0.2.255')).toEqual({ country: 'NL' });
  expect(of('192.0.2.10')).toBeUndefined();
  expect(of('192.0.3.0')).toBeUndefined();
  expect(of('1.2.3.4')).toEqual({ asn: 64_500, organisation: 'A "quoted" name' });
  expect(of('2001:db8:1::ff')).toEqual({ country: 'DE' });
  expect(of('2001:db8:1::100')).toBeUndefined();
  expect(of('2001:db8:2:ffff::')).toEqual({ flags: ['vpn'] });
});

test.each(['', 'no marker at all', '\u00ab\u00cd\u00efMaxMind.com'])('%j is no MaxMind DB', (text) => {
  expect(() => openMmdb(Buffer.from(text, 'latin1'))).toThrow(/MaxMind DB|broken/);
});

test.each([
  [{ country: { iso_code: 'nl' } }, { country: 'NL' }],
  [
    { autonomous_system_number: 13335, autonomous_system_organization: 'Cloudflare' },
    { asn: 13335, organisation: 'Cloudflare' },
  ],
  [
    { country: 'SE', asn: 'AS39351', as_name: '31173' },
    { country: 'SE', asn: 39351, organisation: '31173' },
  ],
  [{ is_anonymous: true, is_tor_exit_node: true, is_anonymous_vpn: true }, { flags: ['vpn', 'tor'] }],
  [{ traits: { is_hosting_provider: true } }, { flags: ['hosting'] }],
  [undefined, undefined],
])('a record %j says %j', (record, facts) => {
  expect(factsOfRecord(record)).toEqual(facts);
});
