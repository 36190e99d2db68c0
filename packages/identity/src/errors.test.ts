import { CordonError } from '@cordon/kernel';
import { expect, test } from 'vitest';
import * as errors from './errors.ts';

const { IdentityError, identityErrors, ...classes } = errors;

test('each class has a code of its own, and the table lists exactly these', () => {
  const made = Object.values(classes).map((Class) => new Class('x'));
  const codes = made.map((error) => error.code);
  for (const error of made) expect(error).toBeInstanceOf(IdentityError);
  expect(new Set(codes).size).toBe(codes.length);
  expect(new Set<string>(codes)).toEqual(new Set(Object.keys(identityErrors)));
  expect(IdentityError.prototype).toBeInstanceOf(CordonError);
});
