import { expect, test } from 'vitest';
import { wayIn } from './source-endpoint.ts';

test.each([
  ['/ingest/v1/events', 'events'],
  ['/services/collector', 'hec-event'],
  ['/services/collector/event', 'hec-event'],
  ['/services/collector/event/1.0', 'hec-event'],
  ['/services/collector/raw/1.0', 'hec-raw'],
  ['/services/collector/health', 'hec-health'],
  ['/services/collector/ack', 'hec-ack'],
  ['/services/collector/acks', null],
  ['/ingest/v1/events/', null],
  ['/internal/ingest/batches', null],
  ['/', null],
])('%s is the way in %s', (path, way) => {
  expect(wayIn(path)).toBe(way);
});
