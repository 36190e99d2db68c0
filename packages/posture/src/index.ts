export { type Catalogue, type CheckFile, createCatalogue, parseCheck } from './catalogue.ts';
export { loadCatalogue } from './catalogue-folder.ts';
export { type Check, type CheckSample, type Result, type Severity, results, severities } from './check.ts';
export { compare, type Drift, type DriftKind, since } from './drift.ts';
export {
  CaseInvalid,
  CheckDuplicate,
  CheckInvalid,
  ExpressionInvalid,
  PostureError,
  type PostureErrorCode,
  postureErrors,
} from './errors.ts';
export type { CompiledCheck, EvaluateOptions, PostureResult } from './evaluate.ts';
export { type CaseVerdict, evaluateCases, type EvaluateCasesOptions } from './evaluate-cases.ts';
export type { Evidence } from './evidence.ts';
export {
  applyExceptions,
  EXCEPTION_DAYS_MAX,
  type ExceptedResult,
  exceptionProblem,
  type PostureException,
} from './exception.ts';
export { toCsv } from './export-csv.ts';
export { type FindingResource, toComplianceFinding } from './export-ocsf.ts';
export { type JudgedApp, type OscalOptions, toAssessmentOfApps, toAssessmentResults } from './export-oscal.ts';
export { namedFunctions } from './expression.ts';
export { controlsOf, type Framework, FRAMEWORKS, type ResultFilter, resultsWhere } from './overview.ts';
export { type PostureScore, score, SEVERITY_WEIGHTS } from './score.ts';
