import { expect, test } from 'vitest';
import { ApiProblem, asProblem, fieldProblem, taken } from './problem.ts';

const problem = {
  status: 400,
  title: 'Bad request',
  detail: 'Not valid: body.name: too short',
  code: 'http.request_invalid',
  instance: 'urn:cordon:request:r-1',
  fields: [{ field: 'body.name', message: 'too short' }, { field: 'body.limits.timeoutMs', message: 'too small' }, 7],
};

test('an answer is its data; a refusal is thrown with all that it said', () => {
  expect(taken({ data: { a: 1 }, response: new Response() })).toEqual({ a: 1 });
  expect(taken({ response: new Response(null, { status: 204 }) })).toBeUndefined();
  const refused = { error: problem, response: new Response(null, { status: 400 }) };
  expect(() => taken(refused)).toThrow(problem.detail);
  expect(() => taken({ error: '', response: new Response(null, { status: 502 }) })).toThrow(/502/);
});

test('a refusal names its request and its fields', () => {
  const refusal = new ApiProblem(problem);
  expect(refusal.requestId).toBe('r-1');
  expect(refusal.fields).toHaveLength(2);
  expect(fieldProblem(refusal, 'name')).toBe('too short');
  expect(fieldProblem(refusal, 'limits')).toBe('too small');
  expect(fieldProblem(refusal, 'nam')).toBeUndefined();
  expect(fieldProblem(new Error('x'), 'name')).toBeUndefined();
});

test('a network that fails is said as what it is', () => {
  expect(asProblem(new TypeError('Failed to fetch')).problem).toMatchObject({ status: 0, code: 'console.unreachable' });
  expect(asProblem(new Error('cancelled')).problem).toMatchObject({ detail: 'cancelled' });
});

test('a policy that is wrong is said with its place', () => {
  const problems = [{ line: 2, column: 7, message: 'unexpected token', help: 'close the bracket' }, { message: 'odd' }];
  const refusal = new ApiProblem({ ...problem, fields: undefined, problems });
  expect(refusal.fields.map(({ message }) => message)).toEqual([
    'Line 2, column 7: unexpected token (close the bracket)',
    'odd',
  ]);
  expect(fieldProblem(refusal, 'text')).toMatch(/^Line 2/);
});
