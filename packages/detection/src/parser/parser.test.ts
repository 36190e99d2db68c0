import { expect, test } from 'vitest';
import { createParserSet, type ParserSet } from './load-parsers.ts';
import { parserDocument } from './parser-schema.ts';

function parsers(stream: object, more: object[] = []): ParserSet {
  const defaults = { service: 'audit', time: 'at', operation: 'op', otherwise: { class: 'api_activity' }, fields: {} };
  const document = { product: 'acme', title: 'Acme', vendor: 'Acme', streams: [...more, { ...defaults, ...stream }] };
  return createParserSet([parserDocument.parse(document)]);
}

function ocsf(stream: object, record: unknown): Record<string, unknown> {
  const [event] = parsers(stream).normalise('acme', record);
  // The parser builds the normalised event as a plain object.
  return event?.ocsf as Record<string, unknown>;
}

test('maps by path, first that has a value, constant, map and default', () => {
  const fields = {
    'actor.user.name': ['nobody', 'who'],
    status: { from: 'result', map: { ok: 'Success' }, default: 'Failure' },
    app_name: { default: 'acme' },
    'entity.labels': { from: 'tags', many: true },
  };
  expect(ocsf({ fields }, { at: 1777882500, op: 'x', who: 'Ada', result: 'OK', tags: ['a', 'b'] })).toMatchObject({
    time: 1777882500000,
    api: { operation: 'x' },
    actor: { user: { name: 'Ada' } },
    status: 'Success',
    status_id: 1,
    app_name: 'acme',
    entity: { labels: ['a', 'b'] },
  });
  expect(ocsf({ fields }, { result: 'strange' })).toMatchObject({ status: 'Failure', status_id: 2 });
});

test('extract, prefix, count, join and difference', () => {
  const fields = {
    domain: { from: 'mail', extract: '@(.+)$', prefix: '.' },
    active: { from: 'list.state', count: 'active' },
    all: { from: 'list.state', count: true },
    joined: { from: 'list.state', join: '+' },
    lifetime: { from: 'until', as: 'time', minus: 'at' },
  };
  const record = {
    mail: 'ada@example.com',
    list: [{ state: 'active' }, { state: 'over' }],
    at: 1777882500,
    until: 1777882501,
  };
  expect(ocsf({ fields }, record)).toMatchObject({
    domain: '.example.com',
    active: 1,
    all: 2,
    joined: 'active+over',
    lifetime: 1000,
  });
});

test('keeps what no mapping reads', () => {
  const fields = { 'actor.user.name': 'actor.name' };
  const record = { at: 1, op: 'x', actor: { name: 'Ada', age: 36 }, extra: [1, 2] };
  expect(ocsf({ fields }, record)['unmapped']).toEqual({ actor: { age: 36 }, extra: [1, 2] });
});

test('classes follow the operation', () => {
  const activities = [{ operation: ['sign*in', 'login'], class: 'authentication', activity: 'logon' }];
  expect(ocsf({ activities }, { op: 'Sign.In' })).toMatchObject({ class_uid: 3002, activity_id: 1, type_uid: 300201 });
  expect(ocsf({ activities }, { op: 'other' })).toMatchObject({ class_uid: 6003, activity_id: 99 });
});

test('opens envelopes, lists of pairs, JSON in text and folded keys', () => {
  const set = parsers({
    unwrap: 'data',
    split: 'events',
    pairs: [{ path: 'params', name: 'k', value: ['v', 'list'] }],
    json: ['detail'],
    keys: ['eventType'],
    operation: 'eventType',
  });
  const nested = { k: 'info', v: { parameter: [{ k: 'type', v: 3 }] } };
  const record = {
    data: [
      {
        who: 'ada',
        events: [
          { eventtype: 'a', params: [{ k: 'x', list: [1] }, nested] },
          { eventType: 'b', detail: '{"deep":1}' },
        ],
      },
    ],
  };
  expect(set.normalise('acme', record).map((event) => event.raw)).toEqual([
    { who: 'ada', eventType: 'a', params: { x: [1], info: { type: 3 } } },
    { who: 'ada', eventType: 'b', detail: { deep: 1 } },
  ]);
});

test('a parameter named __proto__ stays a parameter', () => {
  const set = parsers({ pairs: [{ path: 'params', name: 'k', value: ['v'] }] });
  const [event] = set.normalise('acme', { params: [{ k: '__proto__', v: { polluted: true } }] });
  expect(JSON.stringify(event?.raw)).toBe('{"params":{"__proto__":{"polluted":true}}}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('a stream is told by its paths, the last stands for the rest', () => {
  const set = parsers({}, [
    { service: 'web', when: ['url'], time: 'at', operation: 'op', otherwise: { class: 'http_activity' }, fields: {} },
  ]);
  expect(set.normalise('acme', { url: '/' })[0]?.service).toBe('web');
  expect(set.normalise('acme', { op: 'x' })[0]?.service).toBe('audit');
  expect(set.normalise('acme/audit', { url: '/' })[0]?.service).toBe('audit');
});

test('an event without id gets the same one each time', () => {
  const set = parsers({ id: 'id' });
  const ids = [{ op: 'x' }, { op: 'x' }, { op: 'y' }, { op: 'x', id: 7 }].map(
    (record) => set.normalise('acme', record)[0]?.id,
  );
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
  expect(ids[3]).toBe('7');
});

test.each([[null], ['text'], [17], [[]], [{}]])('an odd record (%j) throws nothing', (record) => {
  expect(() =>
    parsers({ pairs: [{ path: 'a', name: 'k', value: ['v'] }], json: ['b'] }).normalise('acme', record),
  ).not.toThrow();
});

test('a file that does not fit is refused', () => {
  expect(() => parsers({ surprise: 1 })).toThrow('surprise');
  expect(() => parsers({ otherwise: { class: 'no_such_class' } })).toThrow('class');
});
