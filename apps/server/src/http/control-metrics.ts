import type { ApiServer } from './api-type.ts';

/** Upper bounds of a request's time, seconds. */
const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const SERIES_MAX = 2_000;

interface Series {
  readonly labels: string;
  count: number;
  seconds: number;
  readonly buckets: number[];
}

const label = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/**
 * `GET /api/v1/metrics`: what Prometheus reads of control, with an API token of somebody who may read the system
 * (`authorization: credentials` in a scrape configuration). Routes are named by their pattern, never by what was asked.
 */
export function addControlMetrics(server: ApiServer): void {
  const all = new Map<string, Series>();
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = `method="${label(request.method)}",route="${label(route)}",status="${reply.statusCode}"`;
    let one = all.get(labels);
    if (!one) {
      if (all.size >= SERIES_MAX) return;
      one = { labels, count: 0, seconds: 0, buckets: BOUNDS_S.map(() => 0) };
      all.set(labels, one);
    }
    const seconds = reply.elapsedTime / 1_000;
    one.count += 1;
    one.seconds += seconds;
    const bucket = BOUNDS_S.findIndex((bound) => seconds <= bound);
    if (bucket !== -1) one.buckets[bucket] = (one.buckets[bucket] ?? 0) + 1;
  });

  server.get(
    '/api/v1/metrics',
    { config: { permission: 'system.read' }, schema: { hide: true } },
    async (_request, reply) => {
      const memory = process.memoryUsage();
      const cpu = process.cpuUsage();
      const lines = ['# TYPE cordon_control_request_seconds histogram'];
      for (const { labels, count, seconds, buckets } of all.values()) {
        let total = 0;
        for (const [index, bound] of BOUNDS_S.entries()) {
          total += buckets[index] ?? 0;
          lines.push(`cordon_control_request_seconds_bucket{${labels},le="${bound}"} ${total}`);
        }
        lines.push(`cordon_control_request_seconds_bucket{${labels},le="+Inf"} ${count}`);
        lines.push(`cordon_control_request_seconds_sum{${labels}} ${seconds}`);
        lines.push(`cordon_control_request_seconds_count{${labels}} ${count}`);
      }
      lines.push(
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${memory.rss}`,
        '# TYPE process_cpu_seconds_total counter',
        `process_cpu_seconds_total ${(cpu.user + cpu.system) / 1_000_000}`,
        '# TYPE cordon_control_up_seconds gauge',
        `cordon_control_up_seconds ${process.uptime()}`,
        '',
      );
      await reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(lines.join('\n'));
    },
  );
}
