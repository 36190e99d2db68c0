export type { ActResult, AppPort, ReadItem, RestoreAction, RestoreOp } from './app-port.ts';
export { type BackupCommands, createBackupCommands } from './backup-commands.ts';
export type { BackupRecord } from './backup-record.ts';
export { findJobByKey, ITEMS_PAGE_MAX, listItems, listJobs, listPlans, loadJob, loadPlan } from './backup-store.ts';
export { browse, BROWSE_PAGE_MAX, compareSnapshots, exportRecords, readRecord } from './browse.ts';
export { BackupError, backupErrors, RecoveryKeyWrong, RestoreRefused, SourceFailed } from './errors.ts';
export { createFolderStore } from './folder-store.ts';
export { createBackupWorkflow, runJob, type RunnerDeps } from './job-runner.ts';
export type { SnapshotManifest } from './manifest.ts';
export type { ObjectStore } from './object-store.ts';
export { readFileBytes, readFileFacts, type SourceFile } from './file-bytes.ts';
export { loadOwnSettings, type OwnSettings } from './own-state/own-settings.ts';
export { openOwnState, OWN_SUBJECT, type OwnFile, type OwnSnapshot } from './own-state/own-state.ts';
export {
  type Job,
  JOB_KINDS,
  ownInput,
  type Plan,
  planInput,
  recoveryOf,
  restoreInput,
  type StoredItem,
} from './plan.ts';
export { makeRecoveryKey, readRecovery, recipientOf } from './recovery-key.ts';
export { openRepository, type Repository } from './repository.ts';
export { createS3Store, type FetchS3, type S3Settings, type SignS3 } from './s3-store.ts';
export { backupMigrations } from './tables.ts';
export { takeSnapshot, type SourceStream } from './take-snapshot.ts';
export { verifyRepository } from './verify.ts';
