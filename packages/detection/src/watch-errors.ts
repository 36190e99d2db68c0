import { type ErrorTable } from '@cordon/kernel';
import { DetectionError } from './errors.ts';

/** Input that a schema accepts and the rest of the system does not. */
export class WatchInputInvalid extends DetectionError {
  readonly code = 'detection.input_invalid';
}

export class SourceUnknown extends DetectionError {
  readonly code = 'detection.source_unknown';
}

export class SourceExists extends DetectionError {
  readonly code = 'detection.source_exists';
}

export class AlertUnknown extends DetectionError {
  readonly code = 'detection.alert_unknown';
}

export class RuleUnknown extends DetectionError {
  readonly code = 'detection.rule_unknown';
}

/** A change that the alert's status does not allow. */
export class AlertStatusConflict extends DetectionError {
  readonly code = 'detection.alert_status';
}

export class TargetUnknown extends DetectionError {
  readonly code = 'detection.target_unknown';
}

export class SloUnknown extends DetectionError {
  readonly code = 'detection.slo_unknown';
}

export const watchErrors: ErrorTable = {
  'detection.input_invalid': { status: 400, expose: true, level: 'info' },
  'detection.source_unknown': { status: 404, expose: true, level: 'debug' },
  'detection.source_exists': { status: 409, expose: true, level: 'info' },
  'detection.alert_unknown': { status: 404, expose: true, level: 'debug' },
  'detection.rule_unknown': { status: 404, expose: true, level: 'debug' },
  'detection.alert_status': { status: 409, expose: true, level: 'info' },
  'detection.slo_unknown': { status: 404, expose: true, level: 'debug' },
  'detection.target_unknown': { status: 404, expose: true, level: 'debug' },
};
