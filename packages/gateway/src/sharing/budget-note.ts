/**
 * What one gateway process tells the others about a vendor's limit. `limit` 0: calls of this key pause until
 * `resetAt`. Times in milliseconds since the epoch.
 */
export interface BudgetNote {
  readonly key: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
  /** Integrations that used it lately. */
  readonly seen: readonly string[];
}

const SEEN_MAX = 200;

export function encodeNote({ key, limit, remaining, resetAt, seen }: BudgetNote): unknown[] {
  return [key, limit, remaining, resetAt, seen.slice(0, SEEN_MAX)];
}

/** Undefined when it isn't a note: what another process says isn't trusted to be well-formed. */
export function parseNote(value: unknown): BudgetNote | undefined {
  if (!Array.isArray(value)) return undefined;
  const [key, limit, remaining, resetAt, seen] = value as unknown[];
  const numbers = [limit, remaining, resetAt];
  if (typeof key !== 'string' || !Array.isArray(seen)) return undefined;
  if (!numbers.every((one): one is number => typeof one === 'number' && Number.isFinite(one) && one >= 0)) {
    return undefined;
  }
  const ids = seen.filter((id): id is string => typeof id === 'string').slice(0, SEEN_MAX);
  return { key, limit: numbers[0]!, remaining: numbers[1]!, resetAt: numbers[2]!, seen: ids };
}
