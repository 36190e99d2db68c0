export {
  CONFIDENCE_INLINE_MIN,
  createClassifier,
  type Classifier,
  type ClassifierOptions,
  type ScanOptions,
  type ScanStream,
} from './classifier.ts';
export { classifyCommand, type ClassifiedSpan, type ClassifyOptions } from './classify-command.ts';
export type { CustomDictionary, CustomDocument, CustomExact, CustomRegex, CustomRule } from './custom.ts';
export {
  OWN_DOCUMENT_CHARS_MAX,
  OWN_TERMS_MAX,
  packExactList,
  packOwnRule,
  unpackOwnRule,
  type OwnRule,
  type OwnRuleKind,
} from './own-rule.ts';
export { createDeidentifier, type Deidentifier, type DeidentifyKeys, type DeidentifyMode } from './deidentify.ts';
export { LABELS, type CatalogueEntry, type Detector, type Label } from './detector.ts';
export { detectorCatalogue, DETECTORS_FOLDER, loadDetectors, parseDetectorFile } from './detector-load.ts';
export { classifierErrors, ClassifierError, type ClassifierErrorCode } from './errors.ts';
export { createExactHasher, ExactList, type ExactHasher, type ExactListData, hashExactValues } from './exact-list.ts';
export { createFieldClassifier, type FieldClassifier, type FieldFinding } from './field.ts';
export {
  fingerprintDocument,
  matchFingerprints,
  type DocumentFingerprint,
  type FingerprintMatch,
} from './fingerprint.ts';
export type { Encoding, Evidence, Finding } from './finding.ts';
export { redact, type Redacted, type RedactMode, type RedactOptions } from './redact.ts';
