import { expect, test } from 'vitest';
import { fetchPublicJson, isNotificationEndpoint, isPublicAddress, postPublicJson } from './public-fetch.ts';

test.each([
  ['8.8.8.8', true],
  ['140.82.112.3', true],
  ['2606:4700::1111', true],
  ['::ffff:8.8.8.8', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.0.1', false],
  ['169.254.169.254', false],
  ['100.100.100.200', false],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:169.254.169.254', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['fe80::1', false],
  ['fd00:ec2::254', false],
])('%s is on the public internet: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

const FORBIDDEN: [string, string][] = [
  ['plain http', 'http://issuer.example/keys'],
  ['this machine by name', 'https://localhost/keys'],
  ['this machine by number', 'https://127.0.0.1/keys'],
  ['this machine in another spelling', 'https://2130706433/keys'],
  ['this machine by IPv6', 'https://[::1]/keys'],
  ['the cloud’s metadata', 'https://169.254.169.254/latest/meta-data'],
  ['a name and password in the address', 'https://user:pass@issuer.example/keys'],
  ['a file', 'file:///etc/passwd'],
];

test.each(FORBIDDEN)('never fetched: %s', async (_what, url) => {
  await expect(fetchPublicJson(url)).rejects.toMatchObject({ code: 'identity.issuer_unreachable' });
});

test.each(FORBIDDEN)('never told of a decision: %s', async (_what, url) => {
  await expect(postPublicJson(url, {}, {})).rejects.toMatchObject({ code: 'identity.issuer_unreachable' });
});

test('a name is taken for a notification endpoint, a private address or a fragment is not', () => {
  const accepted = ['https://client.example/cb', 'https://10.0.0.1/cb', 'https://client.example/cb#x', 'nonsense'];
  expect(accepted.map(isNotificationEndpoint)).toEqual([true, false, false, false]);
});
