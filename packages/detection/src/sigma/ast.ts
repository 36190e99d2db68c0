import type { FieldPath } from '../field-path.ts';

export type CompareOperator = 'lt' | 'lte' | 'gt' | 'gte';
export type TextOperator = 'equals' | 'startswith' | 'endswith' | 'contains';
export type TimeUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

/** A piece of a wildcard pattern: literal text, `?` or `*`. */
export type GlobPart = string | { readonly wildcard: 'one' | 'many' };

/** What one value of a field is held against. Text in an uncased matcher is already lower case. */
export type Matcher =
  | { readonly kind: 'text'; readonly op: TextOperator; readonly text: string; readonly cased: boolean }
  | { readonly kind: 'glob'; readonly parts: readonly GlobPart[]; readonly cased: boolean }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'compare'; readonly op: CompareOperator; readonly value: number }
  | { readonly kind: 'cidr'; readonly network: string }
  | { readonly kind: 'field'; readonly op: TextOperator; readonly other: FieldPath; readonly cased: boolean }
  | { readonly kind: 'time'; readonly unit: TimeUnit; readonly op: CompareOperator | 'eq'; readonly value: number };

/** A rule's condition with all search identifiers put in place. */
export type Expression =
  | { readonly kind: 'and'; readonly of: readonly Expression[] }
  | { readonly kind: 'or'; readonly of: readonly Expression[] }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'match'; readonly field: FieldPath; readonly matcher: Matcher }
  | { readonly kind: 'exists'; readonly field: FieldPath }
  | { readonly kind: 'absent'; readonly field: FieldPath }
  | { readonly kind: 'keyword'; readonly matcher: Matcher }
  /** Extension `|any`: one element of a list of objects satisfies the whole inner expression. */
  | { readonly kind: 'element'; readonly field: FieldPath; readonly of: Expression }
  | { readonly kind: 'constant'; readonly value: boolean };

export interface Logsource {
  readonly product?: string | undefined;
  readonly service?: string | undefined;
  readonly category?: string | undefined;
}

/** The category of rules that look at every event, whatever its class. */
export const ANY_CATEGORY = 'any';

export type Level = 'informational' | 'low' | 'medium' | 'high' | 'critical';

/** What a person needs to act on a detection; read from the rule file. */
export interface RuleGuidance {
  readonly description: string;
  readonly why: string;
  readonly falsePositives: readonly string[];
  readonly questions: readonly string[];
  readonly playbook?: string | undefined;
}

export interface Rule {
  readonly id: string;
  readonly name?: string | undefined;
  readonly title: string;
  readonly status: string;
  readonly level: Level;
  readonly logsource: Logsource;
  readonly expression: Expression;
  readonly tags: readonly string[];
  readonly fields: readonly FieldPath[];
  /** Ids of the described detections that this rule implements. */
  readonly covers: readonly string[];
  readonly guidance: RuleGuidance;
  /** Relative to the folder it was loaded from. */
  readonly file: string;
}

export function and(of: readonly Expression[]): Expression {
  const only = of[0];
  return of.length === 1 && only ? only : { kind: 'and', of };
}

export function or(of: readonly Expression[]): Expression {
  const only = of[0];
  return of.length === 1 && only ? only : { kind: 'or', of };
}

export function not(of: Expression): Expression {
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}
