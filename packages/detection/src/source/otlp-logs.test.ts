import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readOtlpLogs } from './otlp-logs.ts';
import { DeliveryMalformed } from './read-records.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const PROTOBUF = 'application/x-protobuf';
const request = (...logRecords: object[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'billing' } }] },
          scopeLogs: [{ logRecords }],
        },
      ],
    }),
  );

/* A protobuf writer of a few lines, so that the reader isn't judged by itself. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) return Buffer.from(bytes);
  }
};
const field = (number: number, body: Buffer): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
const fixed = (number: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
};
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));
const keyValue = (key: string, value: Buffer): Buffer => Buffer.concat([text(1, key), field(2, value)]);
const inRequest = (record: Buffer): Buffer =>
  field(
    1,
    Buffer.concat([field(1, field(1, keyValue('service.name', text(1, 'billing')))), field(2, field(2, record))]),
  );

const AT = 1_790_000_000_123;
const NANO = BigInt(AT) * 1_000_000n;

test('a text body becomes a record that the syslog parser reads, the same from both encodings', () => {
  const json = request({
    timeUnixNano: String(NANO),
    severityNumber: 17,
    body: { stringValue: 'card "declined"' },
    attributes: [{ key: 'try', value: { intValue: '3' } }],
  });
  const record = Buffer.concat([
    fixed(1, NANO),
    varint(2 * 8),
    varint(17),
    field(5, text(1, 'card "declined"')),
    field(6, keyValue('try', Buffer.concat([varint(3 * 8), varint(3)]))),
  ]);
  const read = [readOtlpLogs(json, JSON_TYPE), readOtlpLogs(inRequest(record), PROTOBUF)];
  expect(read[0]).toEqual(read[1]);
  expect(read[0]?.[0]?.time).toBe(AT);
  expect(JSON.parse(read[0]?.[0]?.text ?? '')).toEqual({
    severity: 'error',
    time: new Date(AT).toISOString(),
    app: 'billing',
    text: 'card "declined"',
    attributes: { try: 3 },
    resource: { 'service.name': 'billing' },
  });
});

test("a structured body is the vendor's record", () => {
  const values = [
    { key: 'uuid', value: { stringValue: 'u1' } },
    { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 1.5 }] } } },
    { key: '__proto__', value: { stringValue: 'p' } },
  ];
  const [record] = readOtlpLogs(request({ body: { kvlistValue: { values } } }), JSON_TYPE);
  expect(record?.text).toBe('{"uuid":"u1","list":[true,1.5],"__proto__":"p"}');
  const kvlist = Buffer.concat([field(1, keyValue('uuid', text(1, 'u1')))]);
  expect(readOtlpLogs(inRequest(field(5, field(6, kvlist))), PROTOBUF)[0]?.text).toBe('{"uuid":"u1"}');
});

test('the observed time stands in for a missing one; nothing is nothing', () => {
  expect(readOtlpLogs(request({ timeUnixNano: '0', observedTimeUnixNano: String(NANO) }), JSON_TYPE)[0]?.time).toBe(AT);
  expect(readOtlpLogs(inRequest(fixed(11, NANO)), PROTOBUF)[0]?.time).toBe(AT);
  expect(readOtlpLogs(Buffer.from('{}'), JSON_TYPE)).toEqual([]);
  expect(readOtlpLogs(Buffer.alloc(0), PROTOBUF)).toEqual([]);
});

test.each([
  ['no JSON', Buffer.from('{'), JSON_TYPE],
  ['another shape', Buffer.from('{"resourceLogs":{}}'), JSON_TYPE],
  ['a cut message', inRequest(text(3, 'ERROR')).subarray(0, -2), PROTOBUF],
  ['a group, which protobuf gave up', Buffer.from([0x0b]), PROTOBUF],
  ['a length past the end', Buffer.from([0x0a, 0xff, 0xff, 0x03]), PROTOBUF],
])('refused: %s', (_what, body, type) => {
  expect(() => readOtlpLogs(body, type)).toThrow(DeliveryMalformed);
});

test('deep nesting ends', () => {
  const nest = (levels: number): Buffer => (levels === 0 ? text(1, 'x') : field(5, field(1, nest(levels - 1))));
  expect(() => readOtlpLogs(inRequest(field(5, nest(200))), PROTOBUF)).toThrow(/deeper/);
});

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      let failure: unknown = null;
      try {
        readOtlpLogs(Buffer.from(bytes), PROTOBUF);
      } catch (error) {
        failure = error;
      }
      expect(failure === null || failure instanceof DeliveryMalformed).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
