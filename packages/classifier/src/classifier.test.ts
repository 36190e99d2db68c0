import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { TypeUnknown } from './errors.ts';
import type { Finding } from './finding.ts';
import { redact } from './redact.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const classifier = createClassifier();
const summary = (findings: readonly Finding[]): string[] =>
  findings.map((found) => `${found.type}@${found.start}-${found.end}`);

/** Put together so that scanners of this repository don't take it for a live key. */
const accessKey = ['AKIA', 'IX4JC62BBF6Q7XAB'].join('');

/** A document with a value of several kinds on every line, longer than one window of the stream. */
function longDocument(lines: number): unknown[] {
  return Array.from({ length: lines }, (_, index) => ({
    id: 1_000_000 + index,
    email: `person${index}@acme-widgets.io`,
    note: `card 4111 1111 1111 1111 "quoted"\nand key ${accessKey} on line ${index}`,
    customer: { ssn: '536-90-4399' },
  }));
}

describe('scan', () => {
  test('spans are byte offsets of the original, also behind escapes and letters beyond ASCII', () => {
    const text = '{"é\\n":"ü \\u00e9 \\"jo@acme-widgets.io\\" ok"}';
    const bytes = encode(text);
    const [found] = classifier.scan(bytes);
    expect(new TextDecoder().decode(bytes.subarray(found?.start, found?.end))).toBe('jo@acme-widgets.io');
  });

  test.each([
    ['one that only begins alike', '{"id":1,"ssn":"x"},{"id":2,"ssnapp":"536904399"}', 0],
    ['one in another object', '{"ssn":{"value":"a"}},{"order":{"value":"536904399"}}', 0],
    ['the same again', '{"id":1,"ssn":"a"},{"id":2,"ssn":"536904399"}', 1],
    ['one in another order', '{"id":1,"ssn":"a"},{"ssn":"536904399","id":2}', 1],
  ])('names of fields are read anew in each record, whatever followed before: %s', (_, records, count) => {
    const found = classifier
      .scan(encode(`[${records}]`))
      .filter((one) => one.type === 'us-ssn' && one.confidence > 0.9);
    expect(found).toHaveLength(count);
  });

  test('an address whose at sign is escaped is found with its escape', () => {
    const bytes = encode('{"contact":"jo\\u0040acme-widgets.io"}');
    expect(summary(classifier.scan(bytes))).toEqual(['email@12-35']);
  });

  test.each([
    ['a number named for something else', '{"id":4111111111111111}'],
    ['a flag', '{"email_verified":true,"phone_count":2125552368}'],
    ['a decimal', '{"score":"0.4111111111111111"}'],
    ['a path', '{"url":"https://api.example.org/items/4111111111111111/x"}'],
    ['a timestamp', '{"at":"2024-01-15T10:20:30Z"}'],
  ])('finds nothing in %s', (_, text) => {
    expect(summary(classifier.scan(encode(text)))).toEqual([]);
  });

  test.each([
    ['{"card":{"number":4111111111111111}}', 'payment-card'],
    ['[{"ssn":"536904399"}]', 'us-ssn'],
    ['{"phones":["+1 212 555 2368"]}', 'phone'],
  ])('a name or its parent confirms: %s', (text, type) => {
    expect(classifier.scan(encode(text)).map((found) => found.type)).toEqual([type]);
  });

  test('evidence never holds the value', () => {
    const found = classifier.scan(encode(JSON.stringify(longDocument(3))));
    const shown = JSON.stringify(found.map((finding) => finding.evidence));
    for (const value of ['4111 1111 1111 1111', 'IX4JC62BBF6Q7XAB', '536-90-4399', 'person0@acme-widgets.io'])
      expect(shown).not.toContain(value);
  });

  test('content that turns out to be no JSON is read on as text', () => {
    expect(classifier.scan(encode('[INFO] mail to jo@acme-widgets.io')).map((found) => found.type)).toEqual(['email']);
  });

  test('any bytes at all are scanned without throwing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('application/json', 'text/plain', 'text/csv', 'text/xml', 'application/x-www-form-urlencoded'),
        (bytes, contentType) => {
          for (const found of classifier.scan(bytes, { contentType })) {
            expect(found.start).toBeLessThan(found.end);
            expect(found.end).toBeLessThanOrEqual(bytes.length);
          }
        },
      ),
    );
  });

  test('only the asked types are looked for, and an unknown one is refused', () => {
    const emails = createClassifier({ types: ['contact.email'] });
    expect(emails.scan(encode('{"a":"jo@acme-widgets.io","ssn":"536-90-4399"}')).map((found) => found.type)).toEqual([
      'email',
    ]);
    expect(() => createClassifier({ types: ['nothing-like-it'] })).toThrow(TypeUnknown);
  });
});

describe('streams', () => {
  const json = encode(JSON.stringify(longDocument(900)));
  const text = encode(
    longDocument(900)
      .map((line) => JSON.stringify(line))
      .join('\n')
      .replaceAll(/[{}]/g, ' '),
  );

  test.each([
    ['json', 'application/json', json, 1],
    ['json', 'application/json', json, 4096],
    ['json', 'application/json', json, 50_000],
    ['text', 'text/plain', text, 777],
    ['text', 'text/plain', text, 70_000],
  ] as const)('%s in chunks finds what the whole scan finds (%s, %#)', (_, contentType, bytes, size) => {
    const stream = classifier.open({ contentType });
    const found: Finding[] = [];
    const step = size === 1 ? 1021 : size;
    for (let i = 0; i < bytes.length; i += step) found.push(...stream.push(bytes.subarray(i, i + step)));
    found.push(...stream.end());
    expect(summary(found)).toEqual(summary(classifier.scan(bytes, { contentType })));
    expect(stream.settledThrough).toBe(bytes.length);
  });

  test('findings that come later begin after what was settled', () => {
    const stream = classifier.open({ contentType: 'text/plain' });
    let settled = 0;
    for (let i = 0; i < text.length; i += 9000) {
      for (const found of stream.push(text.subarray(i, i + 9000))) expect(found.start).toBeGreaterThanOrEqual(settled);
      settled = stream.settledThrough;
    }
    expect(settled).toBeGreaterThan(0);
  });
});

test('a chunk may be overwritten once it has been pushed, whatever kind of array it is', () => {
  const stream = classifier.open({ contentType: 'application/json' });
  const chunk = Buffer.from('{"email":"jo@acme-widgets.io"}');
  stream.push(chunk);
  chunk.fill(0x20);
  expect(summary(stream.end())).toEqual(['email@10-28']);
});

describe('redact', () => {
  test.each(['mask', 'remove', 'replace'] as const)('%s keeps JSON valid and hides every value', (mode) => {
    const bytes = encode(JSON.stringify({ rows: longDocument(5), card: { number: 4_111_111_111_111_111 } }));
    const findings = classifier.scan(bytes);
    const redacted = redact(bytes, findings, { mode });
    const shown = new TextDecoder().decode(redacted.bytes);
    const parsed: unknown = JSON.parse(shown);
    expect(parsed).toMatchObject({ card: { number: 0 } });
    expect(redacted.count).toBe(findings.length);
    expect(classifier.scan(redacted.bytes)).toEqual([]);
  });

  test('bytes without findings are passed through as they are', () => {
    const bytes = encode('nothing here');
    expect(redact(bytes, [], { mode: 'mask' }).bytes).toBe(bytes);
  });

  test('a replacement is escaped for where it goes', () => {
    const bytes = encode('{"email":"jo@acme-widgets.io"}');
    const redacted = redact(bytes, classifier.scan(bytes), { mode: 'mask', replacement: () => '"\\\n' });
    expect(JSON.parse(new TextDecoder().decode(redacted.bytes))).toEqual({ email: '"\\\n' });
  });
});

test.each(['+1 212 555 0105', '+1-415-555-0113', 'call +1.212.555.0121 today'])(
  '%s is a telephone number, though its end has the form and checksum of a health number',
  (text) => {
    const types = createClassifier()
      .scan(Buffer.from(text))
      .map((found) => found.class);
    expect(types).toEqual(['contact.phone']);
  },
);
