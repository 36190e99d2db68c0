import { expect, test } from 'vitest';
import { createMatcher, kindOf, matchRecord, REMOVED_TEXT, withoutPerson } from './subject-identifier.ts';

const CASES: readonly [identifier: string, text: string, isIn: boolean][] = [
  ['ada.moreno@acme.example', 'Customer Ada Moreno <Ada.Moreno@ACME.example> called', true],
  ['ada.moreno@acme.example', 'mail ada.moreno@acme.example.', true],
  ['ada.moreno@acme.example', 'canada.moreno@acme.example', false],
  ['ada.moreno@acme.example', 'ada.moreno@acme.example.org', false],
  ['ada.moreno@acme.example', 'ada.moreno@acme.examples', false],
  ['+1 212 555 0142', 'from +1 (212) 555-0142: card declined', true],
  ['+1 212 555 0142', 'tel:+12125550142', true],
  ['+1 212 555 0142', 'order 912125550142', false],
  ['+1 212 555 0142', '121255501423', false],
  ['DE89 3704 0044 0532 0130 00', 'Refund goes to de89370400440532013000 (account)', true],
  ['DE89 3704 0044 0532 0130 00', 'XDE89370400440532013000', false],
  ['Ada Moreno', 'payroll of ada moreno, again', true],
  ['Ada Moreno', 'Canada Morenos', false],
  ['cus_meridian001', 'customer cus_meridian001 paid', true],
  ['cus_meridian001', 'customer cus_meridian0011 paid', false],
];
test.each(CASES)('%s in %j: %s', (value, text, isIn) => {
  expect(createMatcher({ value })?.isIn(text)).toBe(isIn);
});

test.each([
  ['Ada Moreno', 'text'],
  ['ada@acme.example', 'email'],
  ['cus_meridian001', 'customer-id'],
  ['+49 30 1234567', 'phone'],
])('%s is looked for as %s', (value, kind) => {
  expect(kindOf(value)).toBe(kind);
});

test('a record tells where the person is named, and is rewritten without those texts', () => {
  const matchers = [{ value: 'ada@acme.example' }, { value: 'Ada Moreno' }].flatMap((one) => createMatcher(one) ?? []);
  const record = {
    title: 'Refund (#12)',
    content: { body: 'Ada Moreno wants her money', tags: ['vip', 'ada@acme.example'], amount: 12, open: true },
  };
  expect(matchRecord(record, matchers)).toEqual({
    fields: ['content.body', 'content.tags[]'],
    kinds: ['text', 'email'],
  });
  expect(withoutPerson(record, matchers)).toEqual({
    title: 'Refund (#12)',
    content: { body: REMOVED_TEXT, tags: ['vip', REMOVED_TEXT], amount: 12, open: true },
  });
  expect(matchRecord({ title: 'nothing', content: null }, matchers)).toBeNull();
});
