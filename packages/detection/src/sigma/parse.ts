import { parseAllDocuments } from 'yaml';
import { type z } from 'zod';
import { RuleInvalid } from '../errors.ts';
import { parseFieldPath, splitPath, type FieldPath } from '../field-path.ts';
import { parseCorrelation, type Correlation } from '../correlation/correlation.ts';
import { and, not, or, type Expression, type Logsource, type Rule } from './ast.ts';
import { parseCondition } from './condition.ts';
import { parseFieldItem, type Placeholders, type ResolveField } from './field-item.ts';
import { correlationDocument, filterDocument, ruleDocument } from './rule-schema.ts';

const RULE_FILE_BYTES_MAX = 256 * 1024;
const DOCUMENTS_MAX = 50;

/** Exclusions laid over the rules named, or over every rule of the log source when none is. */
export interface RuleFilter {
  readonly title: string;
  readonly rules: readonly string[] | undefined;
  readonly logsource: Logsource;
  readonly expression: Expression;
}

export interface RuleFile {
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
  readonly filters: readonly RuleFilter[];
}

export interface ParseOptions {
  readonly placeholders?: Placeholders;
  /** Another name for a field in a log source, as public rules use them. */
  readonly alias?: (logsource: Logsource, field: string) => string | undefined;
  /** Shown in errors and kept in the rule. */
  readonly file?: string;
}

function check<T>(schema: z.ZodType<T>, document: unknown, file: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new RuleInvalid(`${file}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'not valid'}`, {
    file,
    where,
  });
}

/** Parses one file of Sigma YAML: rules, correlations and filters, one or several documents. */
export function parseRuleFile(text: string, options: ParseOptions = {}): RuleFile {
  const file = options.file ?? '(text)';
  if (Buffer.byteLength(text) > RULE_FILE_BYTES_MAX) throw new RuleInvalid(`${file}: the file is too large.`, { file });
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return { rules: [], correlations: [], filters: [] };
  if (documents.length > DOCUMENTS_MAX) throw new RuleInvalid(`${file}: the file has too many documents.`, { file });
  const rules: Rule[] = [];
  const correlations: Correlation[] = [];
  const filters: RuleFilter[] = [];
  for (const document of documents) {
    const problem = document.errors[0];
    if (problem) throw new RuleInvalid(`${file}: ${problem.message}`, { file }, problem);
    const value: unknown = document.toJS({ maxAliasCount: 20 });
    if (typeof value !== 'object' || value === null) continue;
    try {
      if ('correlation' in value) {
        correlations.push(parseCorrelation(check(correlationDocument, value, file), file));
      } else if ('filter' in value) {
        filters.push(readFilter(value, options, file));
      } else {
        rules.push(readRule(value, options, file));
      }
    } catch (error) {
      if (error instanceof RuleInvalid && error.detail['file'] === undefined) {
        throw new RuleInvalid(`${file}: ${error.message}`, { ...error.detail, file }, error);
      }
      throw error;
    }
  }
  return { rules, correlations, filters };
}

function readRule(value: unknown, options: ParseOptions, file: string): Rule {
  const document = check(ruleDocument, value, file);
  const { condition, ...searches } = document.detection;
  const logsource: Logsource = {
    product: document.logsource.product,
    service: document.logsource.service,
    category: document.logsource.category,
  };
  const resolve = resolver(logsource, options);
  return {
    id: document.id ?? document.name ?? file,
    name: document.name,
    title: document.title,
    status: document.status ?? 'experimental',
    level: document.level ?? 'medium',
    logsource,
    expression: readDetection(searches, condition, options, logsource),
    tags: document.tags ?? [],
    fields: (document.fields ?? []).map(resolve),
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

function readFilter(value: unknown, options: ParseOptions, file: string): RuleFilter {
  const document = check(filterDocument, value, file);
  const { condition, rules, ...searches } = document.filter;
  const anyRule = rules === undefined || rules.some((rule) => rule.toLowerCase() === 'any');
  return {
    title: document.title,
    rules: anyRule ? undefined : rules,
    logsource: document.logsource,
    expression: readDetection(searches, condition, options, document.logsource),
  };
}

function resolver(logsource: Logsource, options: ParseOptions): ResolveField {
  return (name) => {
    const alias = options.alias?.(logsource, name);
    return alias === undefined ? parseFieldPath(name) : { ...parseFieldPath(alias), name };
  };
}

function readDetection(
  searches: Record<string, unknown>,
  conditions: readonly string[],
  options: ParseOptions,
  logsource: Logsource,
): Expression {
  const resolve = resolver(logsource, options);
  const placeholders = options.placeholders ?? {};
  const readMap = (map: Record<string, unknown>, field: ResolveField): Expression => {
    const items = Object.entries(map).map(([key, value]) =>
      parseFieldItem(key, value, placeholders, (inner) => readSearch(inner, elementField), field),
    );
    if (items.length === 0) throw new RuleInvalid('A search is an empty map.');
    return and(items);
  };
  const readSearch = (value: unknown, field: ResolveField): Expression => {
    if (Array.isArray(value)) {
      const of = value.map((item: unknown) =>
        isMap(item)
          ? readMap(item, field)
          : parseFieldItem('', item, placeholders, () => ({ kind: 'constant', value: false })),
      );
      if (of.length === 0) throw new RuleInvalid('A search is an empty list.');
      return or(of);
    }
    if (isMap(value)) return readMap(value, field);
    return parseFieldItem('', value, placeholders, () => ({ kind: 'constant', value: false }));
  };
  const named = new Map<string, Expression>();
  for (const [name, value] of Object.entries(searches)) {
    if (name === 'timeframe') continue;
    named.set(name, readSearch(value, resolve));
  }
  return or(conditions.map((condition) => parseCondition(condition, named)));
}

/** Inside `|any` a path starts at the element. */
const elementField = (name: string): FieldPath => ({ source: 'raw', keys: splitPath(name), name });

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lays filters over the rules they name; an event that a filter matches no longer fires the rule. */
export function applyFilters(rules: readonly Rule[], filters: readonly RuleFilter[]): Rule[] {
  return rules.map((rule) => {
    const over = filters.filter((filter) =>
      filter.rules
        ? filter.rules.includes(rule.id) || (rule.name !== undefined && filter.rules.includes(rule.name))
        : sameSource(filter.logsource, rule.logsource),
    );
    if (over.length === 0) return rule;
    return { ...rule, expression: and([rule.expression, ...over.map((filter) => not(filter.expression))]) };
  });
}

function sameSource(filter: Logsource, rule: Logsource): boolean {
  return (
    (filter.product === undefined || filter.product === rule.product) &&
    (filter.service === undefined || filter.service === rule.service) &&
    (filter.category === undefined || filter.category === rule.category)
  );
}
