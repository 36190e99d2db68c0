import type { LimitEntry } from '@cordon/policy';
import type { LimitCheck } from './limit-counters.ts';

/** What of a call limits look at. */
export interface LimitedCall {
  readonly integrationId: string;
  readonly appId: string;
  readonly operationId: string;
  readonly address: string;
}

/** What a finished call adds to the sum of the day: bytes of both ways, of its answer, or the answer's records. */
export type LimitSum = 'both' | 'out' | 'records';

/** A check of one limit, and what is summed under its key. */
export interface LimitPlan {
  readonly limit: LimitEntry;
  readonly check: LimitCheck;
  readonly sum: LimitSum;
}

function counterKey(limit: LimitEntry, call: LimitedCall): string {
  let key = limit.id;
  for (const part of limit.countBy) {
    switch (part) {
      case 'integration':
        key += `|i${call.integrationId}`;
        break;
      case 'app':
        key += `|a${call.appId}`;
        break;
      case 'operation':
        key += `|o${call.operationId}`;
        break;
      case 'address':
        key += `|s${call.address}`;
        break;
    }
  }
  return key;
}

/** Whether a limit covers a call. */
export function limitCovers({ scope }: LimitEntry, call: Omit<LimitedCall, 'address'>): boolean {
  const fits = (wanted: string | null, value: string): boolean => wanted === null || wanted === value;
  return (
    fits(scope.integrationId, call.integrationId) &&
    fits(scope.appId, call.appId) &&
    fits(scope.operationId, call.operationId)
  );
}

/** The checks of one limit. What goes out is summed under keys of its own, in the way that bytes of both ways are. */
export function planLimit(limit: LimitEntry, call: LimitedCall): LimitPlan[] {
  const key = counterKey(limit, call);
  const { rate, concurrency, quota } = limit;
  const callsPerDay = quota?.callsPerDay ?? null;
  const main = { key, rate, concurrency, callsPerDay, bytesPerDay: quota?.bytesPerDay ?? null };
  const planned: LimitPlan[] = [{ limit, check: main, sum: 'both' }];
  const none = { rate: null, concurrency: null, callsPerDay: null };
  const { bytesOutPerDay = null, recordsPerDay = null } = quota ?? {};
  if (bytesOutPerDay !== null) {
    planned.push({ limit, check: { ...none, key: `${key}#out`, bytesPerDay: bytesOutPerDay }, sum: 'out' });
  }
  if (recordsPerDay !== null) {
    planned.push({ limit, check: { ...none, key: `${key}#records`, bytesPerDay: recordsPerDay }, sum: 'records' });
  }
  return planned;
}
