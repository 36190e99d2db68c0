import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { createDeidentifier } from './deidentify.ts';
import { DomainTooSmall, RedactionInvalid, TokenInvalid } from './errors.ts';

const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
const deidentifier = createDeidentifier({ id: 'k1', secret });
const other = createDeidentifier({ id: 'k1', secret: secret.map((byte) => byte ^ 1) });
const classifier = createClassifier();

describe('modes', () => {
  test.each([
    ['mask', { mode: 'mask' }, '536-90-4399', '***-**-****'],
    ['remove', { mode: 'remove' }, '536-90-4399', ''],
    ['replace', { mode: 'replace' }, '536-90-4399', '[us-ssn]'],
    ['partial', { mode: 'partial' }, '536-90-4399', '***-**-4399'],
  ] as const)('%s', (_, mode, value, expected) => {
    expect(deidentifier.value(value, 'identifier', mode, 'us-ssn')).toBe(expected);
  });

  test('a hash is the same for the same value and category, and differs by category and key', () => {
    const hash = (by: typeof deidentifier, category: string): string => by.value('a@b.io', category, { mode: 'hash' });
    expect(hash(deidentifier, 'one')).toBe(hash(deidentifier, 'one'));
    expect(new Set([hash(deidentifier, 'one'), hash(deidentifier, 'two'), hash(other, 'one')]).size).toBe(3);
  });

  test('a token names its key, is deterministic, and comes back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), (value) => {
        const token = deidentifier.value(value, 'user.contact.email', { mode: 'token' });
        expect(token).toMatch(/^cdn1\.k1\.[\w-]+$/);
        expect(deidentifier.value(value, 'user.contact.email', { mode: 'token' })).toBe(token);
        expect(deidentifier.detokenise(token, 'user.contact.email')).toBe(value);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['another category', (token: string) => deidentifier.detokenise(token, 'else')],
    ['another key', (token: string) => other.detokenise(token, 'user.contact.email')],
    ['a changed sign', (token: string) => deidentifier.detokenise(`${token.slice(0, -2)}AA`, 'user.contact.email')],
    ['no token', () => deidentifier.detokenise('hello', 'user.contact.email')],
  ])('a token is refused under %s', (_, undo) => {
    const token = deidentifier.value('jo@acme-widgets.io', 'user.contact.email', { mode: 'token' });
    expect(() => undo(token)).toThrow(TokenInvalid);
  });

  test('format-preserving encryption keeps the form and comes back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{4}-[0-9]{4}-[A-Z]{6}$/), (value) => {
        const encrypted = deidentifier.value(value, 'id', { mode: 'format' });
        expect(encrypted).toMatch(/^[0-9]{4}-[0-9]{4}-[A-Z]{6}$/);
        expect(deidentifier.decrypt(encrypted, 'id')).toBe(value);
      }),
      { numRuns: 20 },
    );
  });

  test('a format with fewer than a million values is refused', () => {
    expect(() => deidentifier.value('12345', 'id', { mode: 'format' })).toThrow(DomainTooSmall);
  });

  test.each(['1980-02-29', '29.02.1980', '29/02/1980', '02/29/1980', '1980-02-29T10:00:00Z'])(
    'a date %s moves and keeps its form',
    (date) => {
      const mode = { mode: 'date-shift', days: 30, subject: 'person-1' } as const;
      const moved = deidentifier.value(date, 'dob', mode);
      expect(moved).not.toBe(date);
      expect(moved.replaceAll(/\d/g, '9')).toBe(date.replaceAll(/\d/g, '9'));
      expect(deidentifier.value(date, 'dob', mode)).toBe(moved);
    },
  );

  test('what is no date is not moved', () => {
    expect(() => deidentifier.value('soon', 'dob', { mode: 'date-shift', days: 3, subject: 'x' })).toThrow(
      RedactionInvalid,
    );
  });

  test('a short secret is refused', () => {
    expect(() => createDeidentifier({ id: 'k1', secret: new Uint8Array(8) })).toThrow(RedactionInvalid);
  });
});

describe('documents', () => {
  test.each([
    ['application/json', '{"email":"jo@acme-widgets.io","card":{"number":4111111111111111}}'],
    ['text/csv', 'name,email\n"Quill, A",jo@acme-widgets.io\n'],
    ['application/xml', '<p><email>jo@acme-widgets.io</email><note>a &amp; b</note></p>'],
    ['application/x-www-form-urlencoded', 'email=jo%40acme-widgets.io&x=1'],
  ])('%s stays well-formed and its tokens come back', (contentType, text) => {
    const bytes = new TextEncoder().encode(text);
    const findings = classifier.scan(bytes, { contentType }).filter((finding) => finding.type === 'email');
    expect(findings).toHaveLength(1);
    const { bytes: out, count } = deidentifier.apply(bytes, findings, () => ({ mode: 'token' }));
    const shown = new TextDecoder().decode(out);
    const token = /cdn1\.k1\.[\w-]+/.exec(decodeURIComponent(shown))?.[0] ?? '';
    expect(count).toBe(1);
    expect(deidentifier.detokenise(token, 'user.contact.email')).toBe('jo@acme-widgets.io');
    expect(shown).not.toContain('acme-widgets');
    expect(() => (contentType === 'application/json' ? (JSON.parse(shown) as unknown) : shown)).not.toThrow();
  });
});
