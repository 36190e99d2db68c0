import { expect, test } from 'vitest';
import { changeHosts, readHost } from './app-host-commands.ts';

const UPLOADS = { role: 'uploads', upstream: 'https://uploads.github.com' };
const RAW = { role: 'raw', upstream: 'https://raw.example' };

test.each([
  ['uploads=https://uploads.github.com', UPLOADS],
  ['uploads=https://uploads.github.com/', UPLOADS],
  ['v2=https://api.example/v2?x=y', { role: 'v2', upstream: 'https://api.example/v2?x=y' }],
])('%s is read', (text, host) => {
  expect(readHost(text)).toEqual(host);
});

test.each(['uploads', 'https://uploads.github.com', '=https://x.example', 'Up Loads=https://x.example', 'a=ftp://x'])(
  '%s is refused',
  (text) => {
    expect(() => readHost(text)).toThrow(/write ROLE=URL/);
  },
);

test('a host is added, replaced by its role and taken away; the others stay', () => {
  const moved = { ...UPLOADS, upstream: 'https://elsewhere.example' };
  expect(changeHosts([], [UPLOADS], [])).toEqual([UPLOADS]);
  expect(changeHosts([UPLOADS, RAW], [moved], [])).toEqual([RAW, moved]);
  expect(changeHosts([UPLOADS, RAW], [], ['uploads'])).toEqual([RAW]);
  expect(() => changeHosts([RAW], [], ['uploads'])).toThrow('no host for uploads');
});
