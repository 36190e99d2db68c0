import { createFakeClock } from '@cordon/kernel/testing';
import { expect, test } from 'vitest';
import { createPortalRate, PortalBusy } from './portal-rate.ts';

test('an address is refused beyond its count, others are not, and a minute later it is served again', () => {
  const clock = createFakeClock();
  const check = createPortalRate(() => clock.now(), 2);
  check('a');
  check('a');
  expect(() => check('a')).toThrow(PortalBusy);
  check('b');
  clock.advance(60_000);
  check('a');
});
