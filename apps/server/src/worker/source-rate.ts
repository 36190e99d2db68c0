import type { Clock } from '@cordon/kernel';

/** A source may save up this many seconds of its rate. */
const BURST_S = 10;

/** Takes events of a source against its rate; the seconds to wait when it has none left. */
export type TakeRate = (sourceId: string, rateMax: number, events: number) => number;

/**
 * A delivery is taken whole while anything is left, and what it takes too much is owed: a large delivery is never
 * refused for its size alone.
 */
export function createSourceRate(clock: Clock): TakeRate {
  const buckets = new Map<string, { left: number; at: number }>();
  return (sourceId, rateMax, events) => {
    const now = clock.now();
    const bucket = buckets.get(sourceId) ?? { left: rateMax * BURST_S, at: now };
    const left = Math.min(rateMax * BURST_S, bucket.left + ((now - bucket.at) / 1_000) * rateMax);
    buckets.set(sourceId, { left: left > 0 ? left - events : left, at: now });
    return left > 0 ? 0 : Math.ceil(-left / rateMax) + 1;
  };
}
