import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { CustomInvalid } from './errors.ts';
import { ExactList, hashExactValues } from './exact-list.ts';
import { fingerprintDocument, matchFingerprints } from './fingerprint.ts';

const key = new Uint8Array(32).fill(7);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const found = (custom: Parameters<typeof createClassifier>[0], text: string): string[] =>
  createClassifier({ detectors: [], ...custom })
    .scan(encode(text))
    .map((finding) => `${finding.type}:${text.slice(finding.start, finding.end)}`);

describe('dictionaries', () => {
  const rule = { kind: 'dictionary', name: 'projects', label: 'restricted', terms: ['Blue Heron', 'kestrel'] } as const;
  test.each([
    ['ship blue-heron today', ['custom:projects:blue-heron']],
    ['{"plan":"KESTREL goes first"}', ['custom:projects:KESTREL']],
    ['kestrels and blue herons', []],
  ])('in %j', (text, expected) => {
    expect(found({ custom: [rule] }, text)).toEqual(expected);
  });
});

describe('expressions', () => {
  test('find what they describe, beside the built-in detectors', () => {
    const rule = { kind: 'regex', name: 'ticket', label: 'internal', pattern: 'OPS-[0-9]{4}' } as const;
    expect(found({ custom: [rule] }, '{"note":"see OPS-1234"}')).toEqual(['custom:ticket:OPS-1234']);
  });

  test.each(['(', 'a(?=b)', '\\1'])('%j is refused: not linear or not an expression', (pattern) => {
    const rule = { kind: 'regex', name: 'bad', label: 'internal', pattern } as const;
    expect(() => createClassifier({ detectors: [], custom: [rule] })).toThrow(CustomInvalid);
  });
});

describe('exact data match', () => {
  const data = hashExactValues(['CUST-0001-77', 'Mary Ann Quill 1980'], key);
  const rule = { kind: 'exact', name: 'customers', label: 'restricted', list: new ExactList(data, key) } as const;
  test.each([
    ['about cust 0001 77 again', ['custom:customers:cust 0001 77']],
    ['MARY-ANN QUILL, 1980', ['custom:customers:MARY-ANN QUILL, 1980']],
    ['about cust 0001 78 again', []],
  ])('in %j', (text, expected) => {
    expect(found({ custom: [rule] }, text)).toEqual(expected);
  });

  test('under another key nothing is known', () => {
    const list = new ExactList(data, new Uint8Array(32).fill(8));
    expect(found({ custom: [{ ...rule, list }] }, 'about cust 0001 77 again')).toEqual([]);
  });
});

describe('fingerprints', () => {
  const text = Array.from({ length: 120 }, (_, index) => `word${(index * 7919) % 1009}`).join(' ');
  const prints = [fingerprintDocument('plan', text, key)];

  test('a quotation is recognised and measured', () => {
    const half = text.split(' ').slice(0, 70).join(' ');
    const [match] = matchFingerprints(`Preface. ${half} and more`, prints, key);
    expect(match?.name).toBe('plan');
    expect(match?.containment).toBeGreaterThan(0.4);
    expect(match?.containment).toBeLessThan(0.8);
  });

  test('another text is not, and a short one has no fingerprint', () => {
    expect(matchFingerprints('nothing of the sort is in this text at all, really nothing', prints, key)).toEqual([]);
    expect(() => fingerprintDocument('note', 'too short', key)).toThrow(CustomInvalid);
  });
});

test('values are hashed as HMAC-SHA256 does', () => {
  const long = new Uint8Array(80).fill(3);
  for (const secret of [key, long]) {
    const { hashes } = hashExactValues(['CUST-0001-77'], secret);
    const expected = createHmac('sha256', secret).update('cust000177').digest().readBigUInt64LE();
    expect([...hashes]).toEqual([expected]);
  }
});

test('rules come and go without compiling the shipped detectors again', () => {
  const shipped = createClassifier();
  const rule = { kind: 'regex', name: 'ticket', label: 'internal', pattern: 'OPS-[0-9]{4}' } as const;
  const text = encode('OPS-1234 of ada.quill@acme-widgets.io');
  const types = (one: typeof shipped): string[] => one.scan(text).map(({ type }) => type);
  const own = shipped.withRules([rule]);
  expect(types(own)).toEqual(['custom:ticket', 'email']);
  expect(types(own.withRules([]))).toEqual(['email']);
  expect(types(shipped)).toEqual(['email']);
  expect(own.detectors.at(-1)?.class).toBe('custom.ticket');
});
