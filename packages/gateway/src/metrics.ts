/** Upper bounds in seconds; the gateway's own share of a call lies in the first rows. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SERIES_MAX = 5_000;

type Labels = Readonly<Record<string, string>>;

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Counters and gauges in Prometheus text format (exposition format 0.0.4). */
export class Metrics {
  readonly #requests = new Map<string, Map<number, number>>();
  readonly #refusals = new Map<string, number>();
  readonly #latency = new Map<string, Histogram>();
  readonly #counters = new Map<string, number>();
  readonly #gauges: { name: string; help: string; read: () => number }[] = [];

  /** One finished call. `app` is the app's name, or `-` when none was resolved. */
  observe(app: string, status: number, seconds: number): void {
    let byStatus = this.#requests.get(app);
    if (!byStatus) {
      if (this.#requests.size >= SERIES_MAX) return;
      this.#requests.set(app, (byStatus = new Map()));
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    let histogram = this.#latency.get(app);
    if (!histogram) this.#latency.set(app, (histogram = { counts: LATENCY_BUCKETS.map(() => 0), sum: 0, count: 0 }));
    histogram.sum += seconds;
    histogram.count += 1;
    for (let index = 0; index < LATENCY_BUCKETS.length; index++) {
      if (seconds <= LATENCY_BUCKETS[index]!) {
        histogram.counts[index]! += 1;
        break;
      }
    }
  }

  refuse(code: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  value(name: string): number {
    return this.#counters.get(name) ?? 0;
  }

  gauge(name: string, help: string, read: () => number): void {
    this.#gauges.push({ name, help, read });
  }

  render(): string {
    const lines = ['# TYPE cordon_gateway_requests_total counter'];
    for (const [app, byStatus] of this.#requests) {
      for (const [status, count] of byStatus) {
        lines.push(`cordon_gateway_requests_total${renderLabels({ app, status: String(status) })} ${count}`);
      }
    }
    lines.push('# TYPE cordon_gateway_refusals_total counter');
    for (const [code, count] of this.#refusals) {
      lines.push(`cordon_gateway_refusals_total${renderLabels({ code })} ${count}`);
    }
    lines.push('# TYPE cordon_gateway_request_seconds histogram');
    for (const [app, histogram] of this.#latency) {
      let total = 0;
      for (let index = 0; index < LATENCY_BUCKETS.length; index++) {
        total += histogram.counts[index]!;
        lines.push(
          `cordon_gateway_request_seconds_bucket${renderLabels({ app, le: String(LATENCY_BUCKETS[index]) })} ${total}`,
        );
      }
      lines.push(`cordon_gateway_request_seconds_bucket${renderLabels({ app, le: '+Inf' })} ${histogram.count}`);
      lines.push(`cordon_gateway_request_seconds_sum${renderLabels({ app })} ${histogram.sum}`);
      lines.push(`cordon_gateway_request_seconds_count${renderLabels({ app })} ${histogram.count}`);
    }
    for (const [name, count] of this.#counters) lines.push(`# TYPE ${name} counter`, `${name} ${count}`);
    for (const gauge of this.#gauges) {
      lines.push(`# HELP ${gauge.name} ${gauge.help}`, `# TYPE ${gauge.name} gauge`, `${gauge.name} ${gauge.read()}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
