import { expect, test } from 'vitest';
import { activeHref, navigationItems } from './navigation.ts';

test.each([
  ['/', '/'],
  ['/events', '/events'],
  ['/apps/01a2', '/apps'],
  ['/integrations', '/integrations'],
  ['/playbook-runs/01a2', '/playbooks'],
  ['/account', ''],
])('%s belongs to %s', (path, href) => {
  expect(activeHref(path)).toBe(href);
});

test('nobody is offered a page that would refuse them', () => {
  const titles = (permissions: readonly string[]) =>
    navigationItems((permission) => permissions.includes(permission)).flatMap((group) =>
      group.type === 'section-group' ? group.items.map((item) => (item.type === 'link' ? item.text : '')) : [],
    );
  expect(titles([])).toEqual([]);
  expect(titles(['map.read', 'audit.read'])).toEqual(['Map', 'Audit trail']);
});
