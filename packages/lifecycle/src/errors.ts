import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class LifecycleError extends CordonError {}

export class LeaverUnknown extends LifecycleError {
  readonly code = 'lifecycle.unknown';
}

export class TaskNotOpen extends LifecycleError {
  readonly code = 'lifecycle.task_not_open';
}

export class NoteNeeded extends LifecycleError {
  readonly code = 'lifecycle.note_needed';
}

export class ProvisionUnknown extends LifecycleError {
  readonly code = 'lifecycle.provision_unknown';
}

export class ProvisionInvalid extends LifecycleError {
  readonly code = 'lifecycle.provision_invalid';
}

export class PushUnderWay extends LifecycleError {
  readonly code = 'lifecycle.push_under_way';
}

/** A target said no; `status` in the detail. */
export class TargetRefused extends LifecycleError {
  readonly code = 'lifecycle.target_refused';
}

export class TargetUnreachable extends LifecycleError {
  readonly code = 'lifecycle.target_unreachable';
}

export class TooManyLeavers extends LifecycleError {
  readonly code = 'lifecycle.too_many_leavers';
}

export const lifecycleErrors: ErrorTable = {
  'lifecycle.unknown': { status: 404, expose: true, level: 'info' },
  'lifecycle.task_not_open': { status: 409, expose: true, level: 'info' },
  'lifecycle.note_needed': { status: 400, expose: true, level: 'info' },
  'lifecycle.provision_unknown': { status: 404, expose: true, level: 'info' },
  'lifecycle.provision_invalid': { status: 400, expose: true, level: 'info' },
  'lifecycle.push_under_way': { status: 409, expose: true, level: 'info' },
  'lifecycle.target_refused': { status: 502, expose: true, level: 'warn' },
  'lifecycle.target_unreachable': { status: 502, expose: true, level: 'warn' },
  'lifecycle.too_many_leavers': { status: 409, expose: true, level: 'warn' },
};
