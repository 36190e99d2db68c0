import { apiActivity, parseEvent } from '@cordon/lake';
import { sampleCall } from '@cordon/lake/testing';
import { expect, test } from 'vitest';
import { correlationFinding, readSignal, signalFinding } from './finding-event.ts';
import { ownEvent, vendorEvent } from './observed-event.ts';

const signal = {
  ruleId: 'cordon.call-refused',
  title: 'Call was refused',
  level: 'medium' as const,
  covers: [],
  eventId: 'e1',
  time: 1_790_000_000_000,
  product: 'cordon',
  keys: { 'actor.app_uid': ['i1'] },
};

test('a signal is a finding that the lake takes, with the same id each time, and reads back whole', () => {
  const observed = ownEvent(sampleCall());
  const [first, again] = [signalFinding(signal, observed), signalFinding(signal, observed)];
  expect(first.event.metadata.uid).toBe(again.event.metadata.uid);
  const stored = parseEvent(JSON.parse(JSON.stringify(first.event)));
  expect(readSignal(stored)).toEqual(first.kept);
  expect(first.kept.entity).toMatchObject({ type: 'integration', name: 'Invoice sync' });
});

test('an event that is no finding of ours holds no signal', () => {
  expect(readSignal(sampleCall())).toBeNull();
});

test('a correlation is a finding with the events it rests on', () => {
  const event = correlationFinding({
    kind: 'raised',
    id: 'c1',
    correlationId: 'cordon.scope-probing',
    title: 'Probing',
    level: 'high',
    group: { 'actor.app_uid': 'i1' },
    from: 1,
    to: 2,
    eventIds: ['e1', 'e2'],
  });
  expect(parseEvent(JSON.parse(JSON.stringify(event)))).toMatchObject({
    class_uid: 2004,
    finding_info: { related_events: [{ uid: 'e1' }, { uid: 'e2' }] },
  });
});

test('a vendor’s event is stored with its record; what is no OCSF says why', () => {
  const ocsf = { ...apiActivity(callFacts()), unmapped: { odd: 1 } };
  const seen = { id: 'e1', time: ocsf.time, product: 'okta', service: 'system', raw: { a: 1 }, ocsf };
  expect(vendorEvent(seen, 5)).toMatchObject({ stored: { raw_data: '{"a":1}' }, receivedAt: 5 });
  expect(vendorEvent({ ...seen, ocsf: { ...ocsf, time: -1 } }, 5)).toMatch(/not OCSF: time/);
});

function callFacts(): Parameters<typeof apiActivity>[0] {
  return {
    id: 'e1',
    time: 1_790_000_000_000,
    role: 'gateway',
    operation: 'a',
    source: {},
    request: { method: 'GET', path: '/', bytes: 0 },
    decision: 'allow',
    durationMs: 1,
    gatewayId: 'g',
    snapshotVersion: 1,
  };
}
