import { describeCall } from './call-event.ts';
import type { Exchange } from './exchange.ts';

/** Names what was lost, so that "serve and count the loss" has a count. */
const LOST_EVENTS = 'cordon_gateway_events_lost_total';
const SUPPRESSED_EVENTS = 'cordon_gateway_events_aggregated_total';

/**
 * Writes the call's event, once, then calls back. `written` is false when the event couldn't be stored: the caller
 * then answers 503 unless the app says to serve and count the loss.
 */
export function recordCall(exchange: Exchange, done: (written: boolean) => void): void {
  if (exchange.recorded) return done(true);
  exchange.recorded = true;
  const { runtime, located } = exchange;
  runtime.metrics.observe(
    located?.app.entry.name ?? '-',
    exchange.sentStatus,
    (performance.now() - exchange.startedTick) / 1000,
  );
  if (exchange.refusal) runtime.metrics.refuse(exchange.refusal.code);
  if (!exchange.identity && !runtime.refusals.admits(exchange.sourceAddress)) {
    runtime.metrics.count(SUPPRESSED_EVENTS);
    runtime.refusals.suppress(exchange.sourceAddress, () => describeCall(exchange));
    return done(true);
  }
  const strict = located?.app.entry.strict ?? false;
  runtime.spool.append(describeCall(exchange), strict, (error) => {
    if (error) runtime.metrics.count(LOST_EVENTS);
    done(error === undefined);
  });
}
