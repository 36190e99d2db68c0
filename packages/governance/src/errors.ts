import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class GovernanceError extends CordonError {}

export class InputInvalid extends GovernanceError {
  readonly code = 'governance.input_invalid';
}

export class DataUnknown extends GovernanceError {
  readonly code = 'governance.data_unknown';
}

export class ChangeWaiting extends GovernanceError {
  readonly code = 'governance.change_waiting';
}

/** Who asked for a downgrade may not grant it. */
export class ApproverSame extends GovernanceError {
  readonly code = 'governance.approver_same';
}

export class NameTaken extends GovernanceError {
  readonly code = 'governance.name_taken';
}

export class StateConflict extends GovernanceError {
  readonly code = 'governance.state_conflict';
}

/** A port has nobody behind it here. */
export class NotAvailable extends GovernanceError {
  readonly code = 'governance.not_available';
}

export class SketchInvalid extends GovernanceError {
  readonly code = 'governance.sketch_invalid';
}

export const governanceErrors: ErrorTable = {
  'governance.input_invalid': { status: 400, expose: true, level: 'info' },
  'governance.data_unknown': { status: 404, expose: true, level: 'info' },
  'governance.change_waiting': { status: 409, expose: true, level: 'info' },
  'governance.approver_same': { status: 403, expose: true, level: 'warn' },
  'governance.name_taken': { status: 409, expose: true, level: 'info' },
  'governance.state_conflict': { status: 409, expose: true, level: 'info' },
  'governance.not_available': { status: 503, expose: true, level: 'warn' },
  'governance.sketch_invalid': { status: 500, expose: false, level: 'error' },
};
