import { expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { CustomInvalid } from './errors.ts';
import { packOwnRule, unpackOwnRule, type OwnRule } from './own-rule.ts';

const key = new Uint8Array(32).fill(7);
const naming = { name: 'own', label: 'restricted' } as const;
const paper = Array.from({ length: 120 }, (_, index) => `word${(index * 7919) % 1009}`).join(' ');

function foundBy(rule: OwnRule, text: string, readKey = key): string[] {
  const { packed } = packOwnRule(rule, key);
  const custom = [unpackOwnRule(packed, naming, readKey)];
  return createClassifier({ detectors: [], custom })
    .scan(Buffer.from(text))
    .map((finding) => finding.evidence.reasons.join(' '));
}

test.each([
  [{ kind: 'dictionary', terms: ['Blue Heron'] }, 'ship blue-heron today', ['dictionary']],
  [{ kind: 'regex', pattern: 'OPS-[0-9]{4}' }, '{"note":"see OPS-1234"}', ['regex']],
  [{ kind: 'exact', values: ['CUST-0001-77', 'Quill 1980'] }, 'about cust 0001 77 again', ['exact-match']],
  [{ kind: 'document', text: paper, least: 0.3 }, JSON.stringify({ body: `As told: ${paper}` }), ['document:100%']],
] as const)('%j finds what it found before it was packed', (rule, text, reasons) => {
  expect(foundBy(rule, text)).toEqual(reasons);
});

test('what is packed holds neither the values nor the document, and says nothing without the key', () => {
  const values = { kind: 'exact', values: ['CUST-0001-77'] } as const;
  expect(packOwnRule(values, key).packed.toString('latin1')).not.toMatch(/cust|0001/i);
  expect(foundBy(values, 'CUST-0001-77', new Uint8Array(32).fill(8))).toEqual([]);
  expect(packOwnRule({ kind: 'document', text: paper, least: 0.3 }, key).packed.toString()).not.toContain('word');
});

test('the order of a list is not kept', () => {
  const pack = (values: string[]): Buffer => packOwnRule({ kind: 'exact', values }, key).packed;
  expect(pack(['aaa-111', 'bbb-222', 'ccc-333'])).toEqual(pack(['ccc-333', 'aaa-111', 'bbb-222']));
});

test.each([['no line'], ['{"kind":"other"}\n'], ['{"kind":"exact","lengths":[],"words":1,"digits":true}\nabc']])(
  '%j is no packed rule',
  (text) => {
    expect(() => unpackOwnRule(Buffer.from(text), naming, key)).toThrow(CustomInvalid);
  },
);
