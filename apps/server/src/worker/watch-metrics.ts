/** Upper bounds of the delay's histogram, seconds. */
const DELAY_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

export interface WatchMetrics {
  countEvents(events: number, signals: number): void;
  countAlerts(delaysMs: readonly number[], quieted: number): void;
  text(skippedWindows: number): string;
}

/** What Prometheus reads of detection. */
export function createWatchMetrics(rules: number): WatchMetrics {
  const counts = { events: 0, signals: 0, alerts: 0, quieted: 0, delayS: 0 };
  const buckets = DELAY_S.map(() => 0);
  return {
    countEvents(events, signals) {
      counts.events += events;
      counts.signals += signals;
    },
    countAlerts(delaysMs, quieted) {
      counts.quieted += quieted;
      for (const delayMs of delaysMs) {
        counts.alerts += 1;
        counts.delayS += delayMs / 1_000;
        for (const [index, bound] of DELAY_S.entries()) {
          if (delayMs / 1_000 <= bound) buckets[index] = (buckets[index] ?? 0) + 1;
        }
      }
    },
    text: (skippedWindows) =>
      [
        '# TYPE cordon_detection_rules gauge',
        `cordon_detection_rules ${rules}`,
        '# TYPE cordon_detection_events_total counter',
        `cordon_detection_events_total ${counts.events}`,
        '# TYPE cordon_detection_signals_total counter',
        `cordon_detection_signals_total ${counts.signals}`,
        '# TYPE cordon_detection_signals_quieted_total counter',
        `cordon_detection_signals_quieted_total ${counts.quieted}`,
        '# TYPE cordon_detection_windows_skipped_total counter',
        `cordon_detection_windows_skipped_total ${skippedWindows}`,
        '# HELP cordon_detection_alert_delay_seconds From the event at Cordon to its alert.',
        '# TYPE cordon_detection_alert_delay_seconds histogram',
        ...DELAY_S.map(
          (bound, index) => `cordon_detection_alert_delay_seconds_bucket{le="${bound}"} ${buckets[index] ?? 0}`,
        ),
        `cordon_detection_alert_delay_seconds_bucket{le="+Inf"} ${counts.alerts}`,
        `cordon_detection_alert_delay_seconds_sum ${counts.delayS}`,
        `cordon_detection_alert_delay_seconds_count ${counts.alerts}`,
        '',
      ].join('\n'),
  };
}
