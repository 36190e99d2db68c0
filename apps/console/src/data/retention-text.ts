import type { RetentionHold, RetentionRule, RetentionRun } from './data-queries.ts';

/** What a scope is about, in words. */
export function scopeText({ app, object, connectionId, recordId }: RetentionHold['scope']): string {
  const parts = [
    app === null ? 'any app' : app,
    object === null ? 'any data set' : object,
    ...(connectionId === null ? [] : [`connection ${connectionId}`]),
    ...(recordId === null ? [] : [`record ${recordId}`]),
  ];
  return parts.join(', ');
}

const ACTS = { delete: 'delete', anonymise: 'anonymise', report: 'report' } as const;
const CLOCKS = { createdAt: 'made', updatedAt: 'changed' } as const;

export function ruleText({ settings }: Pick<RetentionRule, 'settings'>): string {
  const { app, object, label, category, clock, days, action } = settings;
  const about = [
    ...(object === null || object === undefined ? ['records'] : [object]),
    ...(app === null || app === undefined ? [] : [`of ${app}`]),
    ...(label === null || label === undefined ? [] : [`labelled ${label} or higher`]),
    ...(category === null || category === undefined ? [] : [`with ${category}`]),
  ];
  return `${ACTS[action]} ${about.join(' ')}, ${days} days after they were ${CLOCKS[clock]}`;
}

const VERDICTS: Readonly<Record<string, string>> = {
  due: 'due',
  held: 'under a legal hold',
  excepted: 'excepted',
  young: 'too young',
  undated: 'without a date, so left alone',
  beyond_limit: 'left for the next run',
};

/** Counts of a run: what is due first. */
export function countsText({ counts }: Pick<RetentionRun, 'counts'>): string {
  const order = Object.keys(VERDICTS);
  const found = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([a], [b]) => (order.indexOf(a) + 1 || order.length + 1) - (order.indexOf(b) + 1 || order.length + 1))
    .map(([verdict, count]) => `${count} ${VERDICTS[verdict] ?? verdict}`);
  return found.join(', ') || 'nothing read';
}
