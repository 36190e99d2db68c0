import { expect, test } from 'vitest';
import {
  CorrelationInvalid,
  EventTooLarge,
  ParserInvalid,
  ProductUnknown,
  RuleInvalid,
  detectionErrors,
} from './errors.ts';

test('every error has a rule, and no rule is left over', () => {
  const classes = [RuleInvalid, CorrelationInvalid, ParserInvalid, ProductUnknown, EventTooLarge];
  expect(classes.map((One) => new One('x').code).toSorted()).toEqual(Object.keys(detectionErrors).toSorted());
});
