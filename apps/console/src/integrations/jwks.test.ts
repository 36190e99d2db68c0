import { expect, test } from 'vitest';
import { readJwks } from './jwks.ts';

const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };

test.each([
  ['a key', key, [key]],
  ['a set', { keys: [key, { ...key, kid: '2' }] }, [key, { ...key, kid: '2' }]],
])('takes %s', (_, value, keys) => {
  expect(readJwks(JSON.stringify(value))).toEqual({ keys, problem: null });
});

test.each([
  ['no JSON', '{', /not JSON/],
  ['no object', '[]', /expected/],
  ['an empty set', '{"keys":[]}', /1 to 10/],
  ['too large a set', JSON.stringify({ keys: Array.from({ length: 11 }, () => key) }), /1 to 10/],
  ['a key without its type', '{"x":"1"}', /kty/],
  ['a private EC or OKP key', JSON.stringify({ ...key, d: 'secret' }), /private key/],
  ['a private RSA key', '{"kty":"RSA","n":"n","e":"AQAB","p":"secret"}', /private key/],
  ['a shared key', '{"kty":"oct","k":"secret"}', /private key/],
  ['one private key among public ones', JSON.stringify({ keys: [key, { ...key, d: 'secret' }] }), /private key/],
])('refuses %s', (_, text, problem) => {
  const { keys, problem: said } = readJwks(text);
  expect(keys).toEqual([]);
  expect(said).toMatch(problem);
  expect(said).not.toContain('secret');
});
