export {
  createInjectionDetector,
  FINDINGS_MAX,
  type InjectionDetector,
  type InspectOptions,
  type SchemaLookup,
} from './detector.ts';
export { type FieldKind, kindByName, kindBySchema, type SchemaHint } from './field-kind.ts';
export { INJECTION_KINDS, type InjectionFinding, type InjectionKind, type InjectionPlace } from './finding.ts';
