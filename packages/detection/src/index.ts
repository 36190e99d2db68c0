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
export { loadParsers, createParserSet, type ParserSet } from './parser/load-parsers.ts';
export { parserDocument, type ParserDocument } from './parser/parser-schema.ts';
export { parseEventTime } from './parser/event-time.ts';
export { detectReplay, type ReplayLine, type ReplayOptions } from './replay.ts';
export { splitJson, EVENT_BYTES_MAX } from './split-json.ts';
export { lakeEvent, lakeMapping } from './lake-mapping.ts';
