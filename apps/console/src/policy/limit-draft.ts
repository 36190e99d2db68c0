import type { LimitRule } from '../api/wire.ts';

type Entry = LimitRule['entry'];

/** A limit as the form holds it; an empty number means: no such limit. */
export interface LimitDraft {
  readonly name: string;
  readonly appId: string;
  readonly integrationId: string;
  readonly operationId: string;
  readonly countBy: readonly Entry['countBy'][number][];
  readonly count: string;
  readonly periodMs: string;
  readonly burst: string;
  readonly concurrency: string;
  readonly callsPerDay: string;
  readonly bytesPerDay: string;
  readonly bytesOutPerDay: string;
  readonly recordsPerDay: string;
}

const show = (value: number | null | undefined): string => (value === null || value === undefined ? '' : String(value));
const read = (text: string): number | null => (text.trim() === '' ? null : Number(text));

export function draftOfLimit(rule: LimitRule | null): LimitDraft {
  const entry = rule?.entry;
  return {
    name: rule?.name ?? '',
    appId: entry?.scope.appId ?? '',
    integrationId: entry?.scope.integrationId ?? '',
    operationId: entry?.scope.operationId ?? '',
    countBy: entry?.countBy ?? ['integration', 'app'],
    count: show(entry ? entry.rate?.count : 60),
    periodMs: show(entry?.rate?.periodMs ?? 60_000),
    burst: show(entry ? entry.rate?.burst : 20),
    concurrency: show(entry?.concurrency),
    callsPerDay: show(entry?.quota?.callsPerDay),
    bytesPerDay: show(entry?.quota?.bytesPerDay),
    bytesOutPerDay: show(entry?.quota?.bytesOutPerDay),
    recordsPerDay: show(entry?.quota?.recordsPerDay),
  };
}

/** The body that the API takes. Without a burst, one call at a time may come early. */
export function limitBody(draft: LimitDraft) {
  const [count, burst] = [read(draft.count), read(draft.burst)];
  const quota = {
    callsPerDay: read(draft.callsPerDay),
    bytesPerDay: read(draft.bytesPerDay),
    bytesOutPerDay: read(draft.bytesOutPerDay),
    recordsPerDay: read(draft.recordsPerDay),
  };
  const hasQuota = Object.values(quota).some((value) => value !== null);
  return {
    name: draft.name,
    scope: {
      appId: draft.appId === '' ? null : draft.appId,
      integrationId: draft.integrationId === '' ? null : draft.integrationId,
      operationId: draft.operationId === '' ? null : draft.operationId,
    },
    countBy: [...draft.countBy],
    rate: count === null ? null : { count, periodMs: read(draft.periodMs) ?? 60_000, burst: burst ?? 1 },
    concurrency: read(draft.concurrency),
    quota: hasQuota ? quota : null,
  };
}

const PERIODS: Readonly<Record<number, string>> = {
  1_000: 'second',
  60_000: 'minute',
  3_600_000: 'hour',
  86_400_000: 'day',
};

export const PERIOD_OPTIONS = Object.entries(PERIODS).map(([value, label]) => ({ value, label: `a ${label}` }));

/** `60 calls a minute, bursts of 20; 5 at once`. */
export function describeLimit({ rate, concurrency, quota }: Pick<Entry, 'rate' | 'concurrency' | 'quota'>): string {
  const parts: string[] = [];
  if (rate) {
    const period = PERIODS[rate.periodMs] ?? `${rate.periodMs} ms`;
    parts.push(`${rate.count} calls a ${period}, bursts of ${rate.burst}`);
  }
  if (concurrency !== null) parts.push(`${concurrency} at once`);
  if (quota) {
    const { callsPerDay, bytesPerDay, bytesOutPerDay, recordsPerDay } = quota;
    if (callsPerDay !== null) parts.push(`${callsPerDay} calls a day`);
    if (bytesPerDay !== null) parts.push(`${bytesPerDay} bytes a day`);
    if (bytesOutPerDay !== null) parts.push(`${bytesOutPerDay} bytes of answers a day`);
    if (recordsPerDay !== null) parts.push(`${recordsPerDay} records a day`);
  }
  return parts.join('; ') || 'no limit';
}
