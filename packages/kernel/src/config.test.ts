import { expect, test } from 'vitest';
import { CONFIG_ENVIRONMENT, parseConfig } from './config.ts';
import { ConfigInvalid } from './errors.ts';

test('defaults need no file', () => {
  const config = parseConfig({ env: {} });
  expect(config.control.port).toBe(7800);
  expect(config.data_dir).toBe('.cordon');
});

test('the environment wins over the file', () => {
  const config = parseConfig({ text: 'control:\n  port: 1\n  host: 0.0.0.0\n', env: { CORDON_CONTROL_PORT: '2' } });
  expect(config.control).toMatchObject({ port: 2, host: '0.0.0.0' });
});

test.each([
  ['an unknown key', { text: 'contrl: {}', env: {} }, /the file: unknown key contrl/],
  ['a wrong type', { text: 'control:\n  port: many', env: {} }, /control\.port: .*number/],
  [
    'a value out of range, named by its variable',
    { env: { CORDON_CONTROL_PORT: '99999' } },
    /CORDON_CONTROL_PORT \(control\.port\)/,
  ],
  ['broken YAML', { text: 'a: [', env: {} }, /not valid YAML/],
  ['a list', { text: '- a', env: {} }, /must be a map/],
  ['a wrong scheme', { env: { DATABASE_URL: 'mysql://x' } }, /DATABASE_URL \(database_url\): must begin with postgres/],
])('%s is refused with words that help', (_what, input, message) => {
  expect(() => parseConfig(input)).toThrow(ConfigInvalid);
  expect(() => parseConfig(input)).toThrow(message);
});

test.each(Object.entries(CONFIG_ENVIRONMENT))('%s sets a key that exists (%s)', (variable, path) => {
  const value = /port|processes|hours|days|minutes/.test(path) ? '3' : 'https://example.org';
  const outcome = (): string => {
    try {
      return JSON.stringify(parseConfig({ env: { [variable]: value } }));
    } catch (error) {
      return String(error);
    }
  };
  expect(outcome()).not.toContain('unknown key');
});
