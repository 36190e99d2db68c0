import { covers, formatSelector, type GrantSelector, type OperationFacts } from '@cordon/policy';
import type { Grant } from '../grant.ts';

const DAY_MS = 86_400_000;
/** What is asked about use, in days. */
export const WINDOWS_DAYS = [30, 90, 180] as const;
export type WindowDays = (typeof WINDOWS_DAYS)[number];

/** One operation of one integration in one app, as the lake counts it. */
export interface UseFact {
  readonly appId: string;
  readonly operation: string;
  readonly allowed: number;
  readonly refused: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly days: number;
}

export interface OperationUse {
  readonly appId: string;
  readonly operation: string;
  readonly access: 'read' | 'write' | 'unknown';
  /** Names of the grants that cover it; empty: not granted. */
  readonly grants: readonly string[];
  /** Calls that were let through in the last 30, 90 and 180 days; null: nothing was recorded that far back. */
  readonly calls: Readonly<Record<`d${WindowDays}`, number | null>>;
  readonly refused: number;
  readonly lastAt: number | null;
  readonly days: number;
}

export interface AccessUse {
  readonly operations: readonly OperationUse[];
  readonly granted: number;
  readonly used: number;
  /** Since when the lake has traffic; null: it has none, and nothing can be said of use. */
  readonly observedSince: number | null;
  readonly observedDays: number;
}

/** All operations that an app has, and how to find one by id; unknown ones are stand-ins. */
export interface OperationTable {
  list(appId: string): readonly OperationFacts[];
  find(appId: string, operationId: string): OperationFacts | undefined;
}

export function isCovered(select: readonly GrantSelector[], operation: OperationFacts): boolean {
  return select.some((selector) => covers(selector, operation));
}

/** Granted against used: every operation that is granted or was called. */
export function accessUse(input: {
  readonly grants: readonly Grant[];
  readonly table: OperationTable;
  /** Use in each window, by its days. */
  readonly use: ReadonlyMap<WindowDays, readonly UseFact[]>;
  readonly observedSince: number | null;
  readonly now: number;
}): AccessUse {
  const { grants, table, use, observedSince, now } = input;
  const observedDays = observedSince === null ? 0 : (now - observedSince) / DAY_MS;
  const facts = new Map<string, Map<WindowDays, UseFact>>();
  for (const [days, rows] of use) {
    for (const row of rows) {
      const key = `${row.appId} ${row.operation}`;
      const known = facts.get(key) ?? new Map<WindowDays, UseFact>();
      facts.set(key, known.set(days, row));
    }
  }
  const keys = new Map<string, { appId: string; operation: string }>();
  for (const { appId, select } of grants) {
    for (const operation of table.list(appId)) {
      if (isCovered(select, operation)) keys.set(`${appId} ${operation.id}`, { appId, operation: operation.id });
    }
  }
  for (const rows of use.values())
    for (const { appId, operation } of rows) keys.set(`${appId} ${operation}`, { appId, operation });
  const operations = [...keys].map(([key, { appId, operation }]): OperationUse => {
    const [found, known] = [table.find(appId, operation), facts.get(key)];
    const covering = grants.filter((grant) => grant.appId === appId && found && isCovered(grant.select, found));
    const longest = known?.get(180) ?? known?.get(90) ?? known?.get(30);
    // Nothing recorded at all is not "unused". A shorter record than the window counts what there is.
    const count = (days: WindowDays): number | null =>
      observedSince === null ? null : (known?.get(days)?.allowed ?? 0);
    return {
      appId,
      operation,
      access: found?.access ?? 'unknown',
      grants: covering.map(({ name }) => name),
      calls: { d30: count(30), d90: count(90), d180: count(180) },
      refused: longest?.refused ?? 0,
      lastAt: longest?.lastAt ?? null,
      days: longest?.days ?? 0,
    };
  });
  operations.sort((a, b) => (b.calls.d180 ?? 0) - (a.calls.d180 ?? 0) || a.operation.localeCompare(b.operation));
  const granted = operations.filter((one) => one.grants.length > 0);
  return {
    operations,
    granted: granted.length,
    used: granted.filter(({ calls }) => (calls.d180 ?? 0) > 0).length,
    observedSince,
    observedDays: Math.floor(observedDays),
  };
}

export const selectorTexts = (select: readonly GrantSelector[]): string[] => select.flatMap(formatSelector);
