export { type DataMap, loadDataMap, type MapQuery } from './data-map.ts';
export { dataObject } from './data-object.ts';
export { GovernanceError, governanceErrors, NotAvailable } from './errors.ts';
export { type DpvDocument, exportDpv } from './dpv.ts';
export { exportFideslang, type Fideslang } from './fideslang.ts';
export { createFieldCategories, type FieldCategories, type FieldNames } from './field-category.ts';
export { fingerprint, guessKind, normaliseIdentifier, PRINT_KINDS, type PrintKind } from './fingerprint.ts';
export {
  ensureFingerprintKey,
  forgetPrint,
  type KeyDeps,
  loadFingerprintKey,
  type PublishEntries,
  rotateFingerprintKey,
} from './fingerprint-key.ts';
export { describeFlow, flowInput, LEGAL_BASES } from './flow-commands.ts';
export { type Flow, type FlowQuery, listFlows } from './flow-store.ts';
export {
  createInventory,
  type Inventory,
  type InventoryDeps,
  type SampledRecord,
  type SampledSchema,
} from './inventory.ts';
export {
  type DataField,
  type DataSet,
  listFields,
  listPlacesOfData,
  listSets,
  type SetQuery,
} from './inventory-store.ts';
export { type Label, LABELS, type LabelPolicy, type LabelReason } from './label.ts';
export { createLabelCommands, type LabelChange, type LabelCommands, pinInput, placeInput } from './label-commands.ts';
export { governanceMigrations } from './migrations.ts';
export { type ObservationLine } from './observation.ts';
export { BodyObserver, type ObservedBody } from './observer.ts';
export { listPlaces, listSpreads, type Spread, type SpreadPlace } from './print-store.ts';
export { listProcessing, type ProcessingActivity, processingCsv } from './processing-record.ts';
export {
  createRetentionCommands,
  type RetentionCommands,
  retentionExceptionInput,
  retentionHoldInput,
  retentionRuleInput,
  startDueRetention,
} from './retention-commands.ts';
export { listExceptions, listHolds, type RetentionException, type RetentionHold } from './retention-exemptions.ts';
export {
  ANONYMISED_TEXT,
  type RetentionItemRead,
  type RetentionSource,
  type RetentionTools,
} from './retention-ports.ts';
export { type RetentionScope, retentionScope } from './retention-rule.ts';
export { createRetentionWorkflow } from './retention-run.ts';
export {
  listItems,
  listRules,
  listRuns,
  loadRun,
  RUN_STATUSES,
  type RetentionItem,
  type RetentionRun,
} from './retention-store.ts';
export { rewrapGovernanceSecrets } from './rewrap.ts';
export { scan, type ScanDeps, type ScanResult } from './scan.ts';
export {
  createSubjectCommands,
  type SubjectBundle,
  type SubjectCommands,
  subjectRequestInput,
  sweepSubjectBundles,
} from './subject-commands.ts';
export type { SubjectRecord, SubjectSource, SubjectTools, SubjectWay } from './subject-ports.ts';
export { createSubjectWorkflow } from './subject-run.ts';
export {
  listSubjectRequests,
  listTargets,
  loadSubjectRequest,
  SUBJECT_KINDS,
  SUBJECT_STATUSES,
  type SubjectRequest,
  type SubjectTarget,
  TARGET_STATUSES,
} from './subject-store.ts';
export { parseObservations, type TakeDeps, takeObservations } from './take-observations.ts';
export { type DpvTerms, loadTaxonomy, type Regions } from './taxonomy.ts';
export { TRANSFER_INSTRUMENTS } from './transfer-instrument.ts';
export { describeTransfer, listTransfers, type Transfer, transferInput, transfersCsv } from './transfer-register.ts';
