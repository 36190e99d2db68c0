import { evaluateBehaviour, type Evaluation, type SampleEvent, type SampleOptions } from '@cordon/detection';
import { type Lake, type OcsfEvent, parseEvent } from '@cordon/lake';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A sample's event as a vendor's would lie in the lake. */
function sampleOcsf(event: SampleEvent): OcsfEvent {
  return parseEvent({
    class_uid: 6003,
    category_uid: 6,
    activity_id: 99,
    type_uid: 600399,
    severity_id: 1,
    status_id: event.failed ? 2 : 1,
    time: event.time,
    metadata: { uid: event.id, version: '1.8.0', product: { name: event.app.toLowerCase(), vendor_name: 'sample' } },
    actor: { user: { uid: event.email, email_addr: event.email, name: event.name } },
    api: { operation: event.operation, service: { name: event.app } },
    resources: [{ uid: event.resource, name: event.resource, type: 'record' }],
    src_endpoint: { ip: event.ip, location: { country: event.country } },
    http_request: { user_agent: event.userAgent },
    http_response: { code: event.failed ? 403 : 200, body_length: event.bytes },
  });
}

/** The whole way, on a lake of its own: events in, hours summed up, days judged. */
export function evaluateOnLake(lake: Lake, options: SampleOptions): Promise<Evaluation> {
  const { behaviour } = lake;
  return evaluateBehaviour(options, {
    port: behaviour,
    async store(day, events) {
      if (events.length === 0) return;
      await lake.ingest({ id: `sample-${options.seed}-${day}`, events: events.map(sampleOcsf) });
      await behaviour.sumHours(day, day + DAY_MS, day + DAY_MS);
    },
  });
}
