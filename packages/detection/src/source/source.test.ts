import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadParsers } from '../parser/load-parsers.ts';
import { normaliseRecords } from './normalise-records.ts';
import { readEvents, readHecEvents } from './read-envelope.ts';
import { DeliveryMalformed, splitRecords } from './read-records.ts';

const parsers = await loadParsers(fileURLToPath(new URL('../../../../content/parsers', import.meta.url)));

describe('splitting', () => {
  const rows: [what: string, body: string, records: string[]][] = [
    ['one object', '{"a":1}', ['{"a":1}']],
    ['lines', '{"a":1}\n\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    ['lines with CRLF', '{"a":1}\r\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['an array', ' [{"a":1},{"a":[2]}]', ['{"a":1}', '{"a":[2]}']],
    ['an empty array', '[]', []],
    ['one behind another', '{"a":"}{"}{"b":"\\"{"}', ['{"a":"}{"}', '{"b":"\\"{"}']],
    ['over several lines', '{\n"a":1\n}\n{\n"a":2\n}', ['{\n"a":1\n}', '{\n"a":2\n}']],
    ['a broken first line', '{"a":\n{"a":2}', ['{"a":', '{"a":2}']],
    ['a broken line', '{"a":1}\nnonsense\n{"a":3}', ['{"a":1}', 'nonsense', '{"a":3}']],
  ];
  test.each(rows)('%s', (_what, body, records) => {
    expect(splitRecords(body)).toEqual(records);
  });

  test('a broken array is refused whole', () => {
    expect(() => splitRecords('[{"a":1},')).toThrow(DeliveryMalformed);
  });
});

describe('envelopes', () => {
  test('HEC: objects one behind another, text or object, with their time', () => {
    const body = '{"event":{"a":1},"time":1790000000.5}{"event":"{\\"a\\":2}","time":"1790000001"}';
    expect(readHecEvents(body)).toEqual([
      { text: '{"a":1}', time: 1_790_000_000_500 },
      { text: '{"a":2}', time: 1_790_000_001_000 },
    ]);
  });

  test.each([
    ['{"time":1}', 12, 0],
    ['{"event":{"a":1}}{"event":""}', 13, 1],
  ])('HEC: %s names the event that is wrong', (body, hecCode, index) => {
    expect(() => readHecEvents(body)).toThrow(expect.objectContaining({ hecCode, index }) as Error);
  });

  const structured = { specversion: '1.0', id: '7', source: '/okta', type: 'log', time: '2026-05-04T08:15:00Z' };
  const record = { text: '{"a":1}', externalId: '/okta 7', time: Date.UTC(2026, 4, 4, 8, 15) };
  const modes: [string, string, Record<string, string>][] = [
    [
      'structured',
      JSON.stringify({ ...structured, data: { a: 1 } }),
      { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    ],
    [
      'batched',
      JSON.stringify([{ ...structured, data_base64: Buffer.from('{"a":1}').toString('base64') }]),
      { 'content-type': 'application/cloudevents-batch+json' },
    ],
    [
      'binary',
      '{"a":1}',
      { 'ce-specversion': '1.0', 'ce-id': '7', 'ce-source': '/okta', 'ce-type': 'log', 'ce-time': structured.time },
    ],
  ];
  test.each(modes)('CloudEvents: %s', (_mode, body, headers) => {
    expect(readEvents(body, headers)).toEqual([record]);
  });

  test('CloudEvents: what lacks an id is refused', () => {
    const body = JSON.stringify({ ...structured, id: undefined, data: {} });
    expect(() => readEvents(body, { 'content-type': 'application/cloudevents+json' })).toThrow(DeliveryMalformed);
  });
});

describe('normalising', () => {
  const context = { parsers, sourceId: 's1', product: 'okta' };
  const lock = { uuid: 'u1', published: '2026-05-04T08:15:00.120Z', eventType: 'user.account.lock' };
  const of = (record: object, over: Partial<typeof context> = {}) =>
    normaliseRecords([{ text: JSON.stringify(record) }], { ...context, ...over });

  test('the id follows from source and vendor id, and nothing else', () => {
    const [first, again, other] = [of(lock), of({ ...lock, extra: 1 }), of(lock, { sourceId: 's2' })].map(
      ({ events }) => events[0]?.id,
    );
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect([again === first, other === first]).toEqual([true, false]);
    expect(of(lock).events[0]?.ocsf).toMatchObject({ metadata: { uid: first, original_event_uid: 'u1' } });
  });

  const failures: [what: string, text: string, product: string, reason: RegExp][] = [
    ['no JSON', 'nonsense', 'okta', /not JSON/],
    ['no object', '7', 'okta', /no JSON object/],
    ['another product’s record', '{"a":1}', 'okta', /neither a time nor an operation/],
    ['no such parser', '{"a":1}', 'nothing', /No parser reads/],
  ];
  test.each(failures)('%s is a failure with a reason', (_what, text, product, reason) => {
    const { events, failed } = normaliseRecords([{ text }], { ...context, product });
    expect(events).toEqual([]);
    expect(failed).toMatchObject([{ record: { text }, reason: expect.stringMatching(reason) as unknown }]);
  });

  test('without a time of its own, the envelope’s is used, and else it is said to be without', () => {
    const { published: _left, ...timeless } = lock;
    const text = JSON.stringify(timeless);
    const { events, timeless: without } = normaliseRecords([{ text, time: 5 }, { text }], context);
    expect(events.map(({ time }) => time)).toEqual([5, 0]);
    expect(without).toEqual(new Set([events[1]?.id]));
  });
});
