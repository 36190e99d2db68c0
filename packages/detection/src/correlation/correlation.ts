import { CorrelationInvalid } from '../errors.ts';
import { type Level, type RuleGuidance } from '../sigma/ast.ts';
import { type CorrelationDocument, type CorrelationType } from '../sigma/rule-schema.ts';

export type Bound = { readonly op: 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq'; readonly value: number };

/** A Sigma correlation, ready to run over signals. */
export interface Correlation {
  readonly id: string;
  readonly name?: string | undefined;
  readonly title: string;
  readonly level: Level;
  readonly type: CorrelationType;
  /** Ids or names of rules and correlations, in the order given. */
  readonly rules: readonly string[];
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  /** Alias -> rule -> field of that rule's events. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bounds: readonly Bound[];
  readonly valueFields: readonly string[];
  readonly percentile: number;
  readonly tags: readonly string[];
  readonly covers: readonly string[];
  readonly guidance: RuleGuidance;
  readonly file: string;
}

const SECOND_MS = 1_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3_600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
  w: 7 * 86_400 * SECOND_MS,
  M: 30 * 86_400 * SECOND_MS,
  y: 365 * 86_400 * SECOND_MS,
};
const TIMESPAN_MS_MAX = 366 * 86_400 * SECOND_MS;
const OPERATORS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;

function timespanMs(text: string): number {
  const ms = Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
  if (ms <= 0 || ms > TIMESPAN_MS_MAX) throw new CorrelationInvalid(`The timespan ${text} is out of range.`);
  return ms;
}

/** Reads a checked correlation document (specification "Correlation section"). */
export function parseCorrelation(document: CorrelationDocument, file: string): Correlation {
  const { correlation } = document;
  const { type, condition } = correlation;
  const temporal = type === 'temporal' || type === 'temporal_ordered';
  const bounds = OPERATORS.flatMap((op): Bound[] => {
    const value = condition?.[op];
    return value === undefined ? [] : [{ op, value }];
  });
  if (!temporal && bounds.length === 0) throw new CorrelationInvalid(`${file}: ${type} needs a condition.`, { file });
  const valueFields = condition?.field ?? [];
  if (type.startsWith('value_') && valueFields.length === 0) {
    throw new CorrelationInvalid(`${file}: ${type} needs condition.field.`, { file });
  }
  return {
    id: document.id ?? document.name ?? file,
    name: document.name,
    title: document.title,
    level: document.level ?? 'medium',
    type,
    rules: correlation.rules,
    groupBy: correlation['group-by'] ?? [],
    timespanMs: timespanMs(correlation.timespan),
    aliases: correlation.aliases ?? {},
    bounds,
    valueFields,
    percentile: type === 'value_median' ? 50 : (condition?.percentile ?? 50),
    tags: document.tags ?? [],
    covers: document.covers ?? [],
    guidance: {
      description: document.description ?? '',
      why: document.why ?? '',
      falsePositives: document.falsepositives ?? [],
      questions: document.questions ?? [],
      playbook: document.playbook,
    },
    file,
  };
}
