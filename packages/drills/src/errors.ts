import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of every error of this package; `code` is stable. */
export abstract class DrillsError extends CordonError {}

/** A scenario file that isn't one; an error of the build. */
export class ScenarioInvalid extends DrillsError {
  readonly code = 'drills.scenario_invalid';
}
export class ScenarioUnknown extends DrillsError {
  readonly code = 'drills.scenario_unknown';
}
export class DrillUnknown extends DrillsError {
  readonly code = 'drills.unknown';
}
export class DrillStateConflict extends DrillsError {
  readonly code = 'drills.state_conflict';
}
/** Another live fire runs: two would measure each other. */
export class DrillBusy extends DrillsError {
  readonly code = 'drills.busy';
}
export class DrillInputInvalid extends DrillsError {
  readonly code = 'drills.input_invalid';
}
/** An app that nobody marked as an emulator or a test system. */
export class TargetUnknown extends DrillsError {
  readonly code = 'drills.target_unknown';
}
/** Something that the drill needs outside itself did not do what it was asked. */
export class DrillBroken extends DrillsError {
  readonly code = 'drills.broken';
}

type DrillsErrorCode = (
  | ScenarioInvalid
  | ScenarioUnknown
  | DrillUnknown
  | DrillStateConflict
  | DrillBusy
  | DrillInputInvalid
  | TargetUnknown
  | DrillBroken
)['code'];

export const drillsErrors: ErrorTable = {
  'drills.scenario_invalid': { status: 500, expose: false, level: 'error' },
  'drills.scenario_unknown': { status: 404, expose: true, level: 'info' },
  'drills.unknown': { status: 404, expose: true, level: 'info' },
  'drills.state_conflict': { status: 409, expose: true, level: 'info' },
  'drills.busy': { status: 409, expose: true, level: 'info' },
  'drills.input_invalid': { status: 422, expose: true, level: 'info' },
  'drills.target_unknown': { status: 404, expose: true, level: 'info' },
  'drills.broken': { status: 502, expose: true, level: 'warn' },
} satisfies Record<DrillsErrorCode, ErrorTable[string]>;
