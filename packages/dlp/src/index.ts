export { dlpErrors, NotShown } from './errors.ts';
export { imageTexts, isImage } from './image-metadata.ts';
export {
  assignInput,
  createIncidentCommands,
  decisionInput,
  labelMapInput,
  listLabelNames,
  remedyInput,
} from './incident-commands.ts';
export {
  countIncidents,
  type Incident,
  INCIDENT_STATUSES,
  listIncidents,
  listNotes,
  loadIncident,
} from './incident-store.ts';
export { foundClass } from './judge-record.ts';
export { labelSyncInput, syncLabels } from './label-drift.ts';
export { dlpMigrations } from './migrations.ts';
export { type StoppedCall, sweepStoppedCalls, takeStoppedCall } from './motion.ts';
export { forgetOwnRecord, hasOwnRecord, OWN_OBJECTS, type OwnObject, readOwnRecords } from './own-records.ts';
export { createPassCommands, type InspectionPass, listPasses, passInput, sweepPasses } from './pass-commands.ts';
export type { DlpTools, FileText, JudgementSource, ReadRecord, RecordPage, RemedyAction, TextPart } from './ports.ts';
export { createRemedyWorkflow, enforceScan, type RemedyDeps } from './remedy-run.ts';
export { listRemedies, type Remedy, REMEDY_ACTIONS, REMEDY_STATUSES } from './remedy-store.ts';
export {
  createScanCommands,
  listSchedules,
  type ScanCommandDeps,
  scanInput,
  scheduleInput,
  type ScanTarget,
  startDueScans,
} from './scan-commands.ts';
export { createScanWorkflow, type ScanDeps } from './scan-run.ts';
export { listScans, loadScan, type Scan, SCAN_MODES, SCAN_STATUSES } from './scan-store.ts';
export {
  createTokenCommands,
  deidentifyInput,
  ensureTokenKey,
  openTokens,
  type PublishEntries,
  revealInput,
} from './token-key.ts';
