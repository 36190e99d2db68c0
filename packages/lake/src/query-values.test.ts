import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAddressRange, readNumber, readTime } from './query-values.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 30);
const value = (text: string) => ({ text, quoted: false, start: 0, end: text.length });

describe('readTime', () => {
  test.each([
    ['now', NOW, NOW + 1],
    ['now-15m', NOW - 900_000, NOW - 900_000 + 1],
    ['-7d', NOW - 604_800_000, NOW - 604_800_000 + 1],
    ['today', Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 24)],
    ['Yesterday', Date.UTC(2026, 10, 22), Date.UTC(2026, 10, 23)],
    ['2026-02-28', Date.UTC(2026, 1, 28), Date.UTC(2026, 2, 1)],
    ['2026-11-22T10:00', Date.UTC(2026, 10, 22, 10), Date.UTC(2026, 10, 22, 10) + 1],
    ['2026-11-22T10:00:05.5+02:00', Date.UTC(2026, 10, 22, 8, 0, 5, 500), Date.UTC(2026, 10, 22, 8, 0, 5, 500) + 1],
    ['1790000000123', 1_790_000_000_123, 1_790_000_000_124],
  ])('%s', (text, from, to) => {
    expect(readTime(value(text), NOW)).toEqual({ from, to });
  });

  test.each(['soon', '2026-13-01', 'now-5y', '12', ''])('refuses %s', (text) => {
    expect(() => readTime(value(text), NOW)).toThrow(expect.objectContaining({ code: 'lake.query_invalid' }));
  });
});

describe('readNumber', () => {
  test.each([
    ['200', 200],
    ['-1.5', -1.5],
    ['1.5s', 1500],
    ['2KB', 2048],
    ['10ms', 10],
  ])('%s', (text, number) => {
    expect(readNumber(value(text))).toBe(number);
  });
  test.each(['', 'x', '1e5', 'NaN', '0x10', '1 2', '9'.repeat(20)])('refuses %s', (text) => {
    expect(() => readNumber(value(text))).toThrow(expect.objectContaining({ code: 'lake.query_invalid' }));
  });
});

describe('readAddressRange', () => {
  test.each([
    ['10.1.2.3', '0000:0000:0000:0000:0000:ffff:0a01:0203', '0000:0000:0000:0000:0000:ffff:0a01:0203'],
    ['0.0.0.0/0', '0000:0000:0000:0000:0000:ffff:0000:0000', '0000:0000:0000:0000:0000:ffff:ffff:ffff'],
    ['192.168.4.130/25', '0000:0000:0000:0000:0000:ffff:c0a8:0480', '0000:0000:0000:0000:0000:ffff:c0a8:04ff'],
    ['2001:db8::/32', '2001:0db8:0000:0000:0000:0000:0000:0000', '2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['::', '0000:0000:0000:0000:0000:0000:0000:0000', '0000:0000:0000:0000:0000:0000:0000:0000'],
    ['::ffff:10.0.0.1', '0000:0000:0000:0000:0000:ffff:0a00:0001', '0000:0000:0000:0000:0000:ffff:0a00:0001'],
    ['1::8', '0001:0000:0000:0000:0000:0000:0000:0008', '0001:0000:0000:0000:0000:0000:0000:0008'],
  ])('%s', (text, first, last) => {
    expect(readAddressRange(value(text))).toEqual({ first, last });
  });

  test.each(['github', '10.0.0', 'fe80::1%eth0', '10.0.0.0/8/8'])('%s is none', (text) => {
    expect(readAddressRange(value(text))).toBeUndefined();
  });

  test('any address lies within its own network', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, prefix) => {
        const one = readAddressRange(value(address));
        const network = readAddressRange(value(`${address}/${prefix}`));
        expect(network && one && network.first <= one.first && one.last <= network.last).toBe(true);
      }),
    );
  });
});
