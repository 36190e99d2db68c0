import { expect, test } from 'vitest';
import { readCidrs, withTemplate } from './policy-draft.ts';

const template = {
  name: 'outside',
  title: 'Two factors outside',
  description: '',
  text: 'forbid …',
  networks: [{ name: 'office', cidrs: ['198.51.100.0/24'] }],
};
const empty = { base: true, policies: [], networks: [] };

test('a template is watched first, brings its networks, and never takes a name', () => {
  const once = withTemplate(empty, template);
  expect(once).toMatchObject({
    policies: [{ name: 'Two factors outside', mode: 'watch' }],
    networks: [{ name: 'office' }],
  });
  const twice = withTemplate({ ...once, networks: [{ name: 'office', cidrs: ['10.0.0.0/8'] }] }, template);
  expect(twice.policies.map(({ name }) => name)).toEqual(['Two factors outside', 'Two factors outside (2)']);
  expect(twice.networks).toEqual([{ name: 'office', cidrs: ['10.0.0.0/8'] }]);
});

test('networks are read as people type them', () => {
  expect(readCidrs('10.0.0.0/8, 192.0.2.0/24\n2001:db8::/32  ')).toEqual([
    '10.0.0.0/8',
    '192.0.2.0/24',
    '2001:db8::/32',
  ]);
});
