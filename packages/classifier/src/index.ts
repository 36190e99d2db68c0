export {
  CONFIDENCE_INLINE_MIN,
  createClassifier,
  type Classifier,
  type ClassifierOptions,
  type ScanOptions,
  type ScanStream,
} from './classifier.ts';
export { LABELS, type CatalogueEntry, type Detector, type Label } from './detector.ts';
export { detectorCatalogue, DETECTORS_FOLDER, loadDetectors, parseDetectorFile } from './detector-load.ts';
export { classifierErrors, ClassifierError, type ClassifierErrorCode } from './errors.ts';
export type { Encoding, Evidence, Finding } from './finding.ts';
export { redact, type Redacted, type RedactMode, type RedactOptions } from './redact.ts';
