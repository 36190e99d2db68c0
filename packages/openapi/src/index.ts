export type { CanonicalPath, PathRefusal, RefusedPath } from './canonical-path.ts';
export { canonicalPath, PATH_BYTES_MAX } from './canonical-path.ts';
export type { JsonFault, JsonLimits } from './check-json.ts';
export { checkJson, JSON_LIMITS } from './check-json.ts';
export type { CompiledDescription } from './compile.ts';
export { compileDescription } from './compile.ts';
export type { DescriptionProblem } from './document.ts';
export { DESCRIPTION_BYTES_MAX } from './document.ts';
export type { OpenApiErrorCode } from './errors.ts';
export {
  DescriptionInvalid,
  DescriptionTooBig,
  OpenApiError,
  openApiErrors,
  StateUnreadable,
  TableInvalid,
} from './errors.ts';
export type { JsonSchemaCheck } from './json-schema.ts';
export { createJsonSchemaCheck } from './json-schema.ts';
export type { Operations } from './operations.ts';
export { createOperations } from './operations.ts';
export type { ParameterSource } from './parameter-values.ts';
export type { Resolution, Resolved } from './router.ts';
export type { DescribedField } from './schema-fields.ts';
export type { Operation } from './table.ts';
export { TABLE_BYTES_MAX } from './table.ts';
export type { Violation } from './violation.ts';
export { VIOLATIONS_MAX } from './violation.ts';
export type { LearnedField, LearnedOperation } from './learned-description.ts';
export type { LearnedState } from './learned-state.ts';
export type { Learner, ObservedCall, Proposal } from './learner.ts';
export { createLearner, observedForm } from './learner.ts';
