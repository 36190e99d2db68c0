export { loadRules, type LoadOptions, type RuleSet } from './load-rules.ts';
export { createMatcher, type Matcher } from './matcher.ts';
export { type DetectionEvent, type Signal } from './signal.ts';
export { parseRuleFile, applyFilters, type ParseOptions, type RuleFile, type RuleFilter } from './sigma/parse.ts';
export { type Rule, type Level, type Logsource, type Expression, type RuleGuidance } from './sigma/ast.ts';
export { type Placeholders } from './sigma/field-item.ts';
export { type FieldPath, type FieldSource } from './field-path.ts';
export { compileToSql, type ColumnRef, type CompiledSql, type SqlMapping } from './sigma/sql.ts';
export { type Correlation } from './correlation/correlation.ts';
export {
  createCorrelator,
  type CorrelationAlert,
  type CorrelationOutput,
  type Correlator,
  type CorrelatorOptions,
  type SkippedWindow,
} from './correlation/correlator.ts';
export {
  CorrelationInvalid,
  DetectionError,
  EventTooLarge,
  ParserInvalid,
  ProductUnknown,
  RuleInvalid,
  detectionErrors,
  type DetectionErrorCode,
} from './errors.ts';
