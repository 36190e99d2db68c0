import { describe, expect, test } from 'vitest';
import { judge, readSchemes } from './test-scheme.ts';

// Certificates are no part of a sample: webhook-certificate.test.ts shows them.
const files = readSchemes().filter(({ scheme }) => scheme.certificate === null);

test('names are told apart, and each scheme shows what it takes and what it refuses', () => {
  expect(new Set(files.map(({ scheme }) => scheme.name)).size).toBe(files.length);
  for (const { scheme, samples } of files) {
    const verdicts = new Set(samples.map((sample) => sample.expect));
    expect([scheme.name, verdicts.has('verified'), verdicts.has('missing'), verdicts.has('invalid')]).toEqual([
      scheme.name,
      true,
      true,
      true,
    ]);
    expect([scheme.name, verdicts.has('late')]).toEqual([scheme.name, scheme.timestamp !== null]);
  }
});

describe.each(files.map(({ scheme, samples }) => [scheme.name, scheme, samples] as const))(
  '%s',
  (_name, scheme, samples) => {
    test.each(samples)('$about: $expect', ({ expect: expected, secret, at, url, headers, body }) => {
      expect(judge(scheme, secret, { headers, body, url }, Date.parse(at))).toBe(expected);
    });
  },
);
