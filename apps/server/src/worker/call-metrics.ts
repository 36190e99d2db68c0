import type { OcsfEvent } from '@cordon/lake';

/** Upper bounds of a call's time, seconds. */
export const CALL_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
/** Series that are kept; calls beyond them are counted under operation `other`. */
const SERIES_MAX = 5_000;

export interface CallSeries {
  readonly labels: Readonly<Record<'app' | 'integration' | 'operation' | 'outcome', string>>;
  calls: number;
  requestBytes: number;
  responseBytes: number;
  records: number;
  seconds: number;
  readonly buckets: number[];
}

export interface CallMetrics {
  /** Counts calls that passed a gateway and were not known before. */
  count(events: readonly OcsfEvent[], known: ReadonlySet<string>): void;
  series(): readonly CallSeries[];
  /** Prometheus text format (exposition format 0.0.4). */
  text(): string;
}

const CALL_CLASSES: ReadonlySet<number> = new Set([6003, 4002]);

function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[key]; // an object, so any key may be asked for
  }
  return found;
}

const textAt = (value: unknown, ...keys: readonly string[]): string => {
  const found = at(value, ...keys);
  return typeof found === 'string' ? found : '';
};
const numberAt = (value: unknown, ...keys: readonly string[]): number => {
  const found = at(value, ...keys);
  return typeof found === 'number' && found >= 0 ? found : 0;
};

/** What became of a call, as the lake's measures have it. */
function outcomeOf(decision: string, status: number): string {
  if (decision === 'deny') return 'refused';
  if (decision === 'error' || status >= 500) return 'failed';
  return status >= 400 ? 'client_error' : 'ok';
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

export function createCallMetrics(): CallMetrics {
  const all = new Map<string, CallSeries>();

  const seriesOf = (labels: CallSeries['labels']): CallSeries => {
    const key = JSON.stringify(labels);
    const found = all.get(key);
    if (found) return found;
    if (all.size >= SERIES_MAX && labels.operation !== 'other') return seriesOf({ ...labels, operation: 'other' });
    const made = { labels, calls: 0, requestBytes: 0, responseBytes: 0, records: 0, seconds: 0 };
    const series = { ...made, buckets: CALL_BOUNDS_S.map(() => 0) };
    all.set(key, series);
    return series;
  };

  return {
    count(events, known) {
      for (const event of events) {
        if (!CALL_CLASSES.has(event.class_uid) || known.has(event.metadata.uid)) continue;
        const cordon = at(event.unmapped, 'cordon');
        if (textAt(cordon, 'gateway_id') === '') continue;
        const one = seriesOf({
          app: textAt(event, 'api', 'service', 'name') || '-',
          integration: textAt(event, 'actor', 'app_name') || '-',
          operation: textAt(event, 'api', 'operation') || '-',
          outcome: outcomeOf(textAt(cordon, 'decision'), numberAt(event, 'http_response', 'code')),
        });
        const seconds = numberAt(event, 'duration') / 1_000;
        one.calls += 1;
        one.seconds += seconds;
        one.requestBytes += numberAt(event, 'http_request', 'body_length');
        one.responseBytes += numberAt(event, 'http_response', 'body_length');
        one.records += numberAt(cordon, 'records');
        const bucket = CALL_BOUNDS_S.findIndex((bound) => seconds <= bound);
        if (bucket !== -1) one.buckets[bucket] = (one.buckets[bucket] ?? 0) + 1;
      }
    },
    series: () => [...all.values()],
    text() {
      const lines: string[] = [];
      const rows = [...all.values()].map((one) => ({
        one,
        labels: Object.entries(one.labels)
          .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
          .join(','),
      }));
      const counter = (name: string, value: (one: CallSeries) => number): void => {
        lines.push(`# TYPE ${name} counter`);
        for (const { one, labels } of rows) lines.push(`${name}{${labels}} ${value(one)}`);
      };
      counter('cordon_api_calls_total', ({ calls }) => calls);
      counter('cordon_api_request_bytes_total', ({ requestBytes }) => requestBytes);
      counter('cordon_api_response_bytes_total', ({ responseBytes }) => responseBytes);
      counter('cordon_api_records_total', ({ records }) => records);
      lines.push('# TYPE cordon_api_call_seconds histogram');
      for (const { one, labels } of rows) {
        let total = 0;
        for (const [index, bound] of CALL_BOUNDS_S.entries()) {
          total += one.buckets[index] ?? 0;
          lines.push(`cordon_api_call_seconds_bucket{${labels},le="${bound}"} ${total}`);
        }
        lines.push(`cordon_api_call_seconds_bucket{${labels},le="+Inf"} ${one.calls}`);
        lines.push(`cordon_api_call_seconds_sum{${labels}} ${one.seconds}`);
        lines.push(`cordon_api_call_seconds_count{${labels}} ${one.calls}`);
      }
      return `${lines.join('\n')}\n`;
    },
  };
}
