import { describe, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { eventRow } from './event-row.ts';
import { INSERT_COLUMNS } from './lake-schema.ts';
import { parseEvent } from './ocsf-events.ts';

describe('eventRow', () => {
  test('fills every column of the bulk insert', () => {
    expect(Object.keys(eventRow(sampleCall(), 'b1')).sort()).toEqual([...INSERT_COLUMNS].sort());
  });

  test('puts what a call is about into columns', () => {
    const event = sampleCall({
      decision: 'deny',
      reason: 'gateway.limit_exceeded',
      person: { id: 'p1', email: 'ada@example.com' },
      policies: [{ id: 'grant-1' }, { id: 'grant-1' }],
      findings: [
        { class: 'email', direction: 'request', count: 2, action: 'log' },
        { class: 'email', direction: 'response', count: 1, action: 'log' },
      ],
    });
    expect(eventRow(event, 'b1')).toMatchObject({
      batch_id: 'b1',
      source: 'cordon.gateway',
      app_name: 'GitHub',
      integration_name: 'Invoice sync',
      actor_email: 'ada@example.com',
      src_ip: '10.1.2.3',
      decision: 'deny',
      reason: 'gateway.limit_exceeded',
      policies: ['grant-1'],
      data_classes: ['email'],
      response_bytes: 5120,
      duration_ms: 12.4,
    });
  });

  const vendor = {
    class_uid: 6001,
    category_uid: 6,
    activity_id: 1,
    type_uid: 600_101,
    severity_id: 1,
    time: 1_790_000_000_000,
    metadata: { uid: 'v1', version: '1.1.0', product: { name: 'Box', vendor_name: 'Box' } },
  };
  test.each([
    ['an address that is none', { src_endpoint: { ip: 'unknown' } }, { src_ip: '::' }],
    ['an address with a zone', { src_endpoint: { ip: 'fe80::1%eth0' } }, { src_ip: '::' }],
    [
      'texts where objects belong',
      { actor: 'ada', http_request: [], api: null },
      { actor_id: '', method: '', operation: '' },
    ],
    [
      'numbers that are none',
      { http_response: { code: 'ok', body_length: -5 } },
      { http_status: 0, response_bytes: 0 },
    ],
    ['a status beyond its column', { http_response: { code: 99_999 } }, { http_status: 65_535 }],
    ['no app but a product', {}, { app_name: 'Box', source: 'Box', product: 'Box' }],
    ['a text too long for a key', { api: { operation: 'x'.repeat(600) } }, { operation: 'x'.repeat(512) }],
  ])('survives %s', (_what, over, columns) => {
    const event = parseEvent({ ...vendor, ...over });
    expect(eventRow(event, 'b')).toMatchObject(columns);
    expect(JSON.parse(String(eventRow(event, 'b').raw))).toEqual({ ...vendor, ...over });
  });
});
