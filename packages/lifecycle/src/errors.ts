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

export const lifecycleErrors: ErrorTable = {
  'lifecycle.unknown': { status: 404, expose: true, level: 'info' },
  'lifecycle.task_not_open': { status: 409, expose: true, level: 'info' },
  'lifecycle.note_needed': { status: 400, expose: true, level: 'info' },
};
