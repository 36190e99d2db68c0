import { expect, test } from 'vitest';
import { deviceText, methodsText, placeText } from './device-text.ts';

test.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36',
    'Chrome on Linux',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15',
    'Safari on macOS',
  ],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0', 'Firefox on Windows'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  ['something else', 'something else'],
])('%s', (agent, expected) => {
  expect(deviceText(agent)).toBe(expected);
});

test('methods and places in words', () => {
  expect(methodsText(['fed', 'fed-mfa', 'new'])).toBe('provider, second factor at the provider, new');
  expect([placeText('127.0.0.1'), placeText('10.1.2.3'), placeText('203.0.113.9')]).toEqual([
    '127.0.0.1 (this machine)',
    '10.1.2.3 (private network)',
    '203.0.113.9',
  ]);
});
