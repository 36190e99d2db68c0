import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class BackupError extends CordonError {}

/** The store can't be reached, or answered what nobody can use. */
export class StoreFailed extends BackupError {
  readonly code = 'backup.store_failed';
}
export class ObjectMissing extends BackupError {
  readonly code = 'backup.object_missing';
}
/** Bytes that were sealed do not open: changed, cut off or moved. */
export class PackDamaged extends BackupError {
  readonly code = 'backup.pack_damaged';
}
/** No key that is at hand opens this repository. */
export class KeyMissing extends BackupError {
  readonly code = 'backup.key_missing';
}
/** Somebody else writes to the repository. */
export class RepositoryBusy extends BackupError {
  readonly code = 'backup.repository_busy';
}
export class SnapshotUnknown extends BackupError {
  readonly code = 'backup.snapshot_unknown';
}
export class RecordUnknown extends BackupError {
  readonly code = 'backup.record_unknown';
}
export class PlanUnknown extends BackupError {
  readonly code = 'backup.plan_unknown';
}
export class JobUnknown extends BackupError {
  readonly code = 'backup.job_unknown';
}
export class BackupInputInvalid extends BackupError {
  readonly code = 'backup.input_invalid';
}
/** More than one repository takes. */
export class BackupTooLarge extends BackupError {
  readonly code = 'backup.too_large';
}
/** Not the key that this repository was sealed for. */
export class RecoveryKeyWrong extends BackupError {
  readonly code = 'backup.recovery_key_wrong';
}
/** Cordon's own state can't be put back: into this place, or by this version. */
export class RestoreRefused extends BackupError {
  readonly code = 'backup.restore_refused';
}
/** The data to be backed up could not be read whole. */
export class SourceFailed extends BackupError {
  readonly code = 'backup.source_failed';
}

export const backupErrors: ErrorTable = {
  'backup.store_failed': { status: 502, expose: true, level: 'error' },
  'backup.object_missing': { status: 502, expose: true, level: 'error' },
  'backup.pack_damaged': { status: 500, expose: true, level: 'error' },
  'backup.key_missing': { status: 500, expose: true, level: 'error' },
  'backup.repository_busy': { status: 409, expose: true, level: 'info' },
  'backup.snapshot_unknown': { status: 404, expose: true, level: 'info' },
  'backup.record_unknown': { status: 404, expose: true, level: 'info' },
  'backup.plan_unknown': { status: 404, expose: true, level: 'info' },
  'backup.job_unknown': { status: 404, expose: true, level: 'info' },
  'backup.input_invalid': { status: 400, expose: true, level: 'info' },
  'backup.too_large': { status: 422, expose: true, level: 'warn' },
  'backup.recovery_key_wrong': { status: 400, expose: true, level: 'warn' },
  'backup.restore_refused': { status: 409, expose: true, level: 'warn' },
  'backup.source_failed': { status: 502, expose: true, level: 'warn' },
};
