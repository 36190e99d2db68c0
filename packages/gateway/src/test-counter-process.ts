import { createLogger, systemClock } from '@cordon/kernel';
import { Metrics } from './metrics.ts';
import { LOCAL_DECISIONS, SharedCounters } from './shared-counters.ts';

/** A process that shares counters with others and does nothing else: `go` makes it take as many calls as it can. */
const [folder = '', count = '1'] = process.argv.slice(2);
const checks = [
  {
    key: 'shared',
    rate: { count: Number(count), periodMs: 86_400_000, burst: Number(count) },
    concurrency: null,
    callsPerDay: null,
    bytesPerDay: null,
  },
];
const metrics = new Metrics();
const counters = new SharedCounters({
  folder,
  clock: systemClock,
  logger: createLogger({ role: 'counters', level: 'silent' }),
  metrics,
});
await counters.start();

process.on('message', (message) => {
  if (typeof message === 'object' && message !== null && 'calls' in message) void hammer(Number(message.calls));
  if (message === 'stop') void counters.stop().then(() => process.exit(0));
});

async function hammer(calls: number): Promise<void> {
  let served = 0;
  const AT_ONCE = 20;
  for (let made = 0; made < calls; made += AT_ONCE) {
    const places = await Promise.all(Array.from({ length: AT_ONCE }, async () => counters.admit(checks)));
    for (const { admission } of places) if (!admission.refused) served += 1;
    process.send?.({ progress: made });
  }
  process.send?.({ served, alone: metrics.value(LOCAL_DECISIONS), hub: counters.isHub });
}
process.send?.({ ready: true, hub: counters.isHub });
