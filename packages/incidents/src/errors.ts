import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of every error of this package; `code` is stable. */
export abstract class IncidentsError extends CordonError {}

/** A document that is no CACAO 2.0 playbook, or one with errors; `problems` says each. */
export class PlaybookInvalid extends IncidentsError {
  readonly code = 'incidents.playbook_invalid';
}
export class PlaybookUnknown extends IncidentsError {
  readonly code = 'incidents.playbook_unknown';
}
/** The playbook holds commands that Cordon doesn't run; it can be simulated. */
export class PlaybookNotRunnable extends IncidentsError {
  readonly code = 'incidents.playbook_not_runnable';
}
export class ConditionInvalid extends IncidentsError {
  readonly code = 'incidents.condition_invalid';
}
export class VariableWrong extends IncidentsError {
  readonly code = 'incidents.variable_wrong';
}
export class ActionInputInvalid extends IncidentsError {
  readonly code = 'incidents.action_input_invalid';
}
/** The act failed outside, and it is known that nothing happened or that what happened was not what was asked. */
export class ActionFailed extends IncidentsError {
  readonly code = 'incidents.action_failed';
}
/** A part of Cordon that this installation doesn't have. */
export class NotAvailable extends IncidentsError {
  readonly code = 'incidents.not_available';
}
/** A dry run tried to reach the outside. */
export class TransportClosed extends IncidentsError {
  readonly code = 'incidents.transport_closed';
}
export class RunUnknown extends IncidentsError {
  readonly code = 'incidents.run_unknown';
}
export class RunStateConflict extends IncidentsError {
  readonly code = 'incidents.run_state_conflict';
}
/** Whoever started a run doesn't approve it. */
export class ApproverWrong extends IncidentsError {
  readonly code = 'incidents.approver_wrong';
}
export class CaseUnknown extends IncidentsError {
  readonly code = 'incidents.case_unknown';
}
export class CaseStateConflict extends IncidentsError {
  readonly code = 'incidents.case_state_conflict';
}
export class IncidentsInputInvalid extends IncidentsError {
  readonly code = 'incidents.input_invalid';
}
/** Stored evidence no longer is what its hash says. */
export class EvidenceBroken extends IncidentsError {
  readonly code = 'incidents.evidence_broken';
}

/** A duty, calendar or template of the product that isn't one; an error of the build. */
export class DutyInvalid extends IncidentsError {
  readonly code = 'incidents.duty_invalid';
}
export class ContactUnknown extends IncidentsError {
  readonly code = 'incidents.contact_unknown';
}
/** A notice that is neither mail nor CSAF. */
export class NoticeUnreadable extends IncidentsError {
  readonly code = 'incidents.notice_unreadable';
}

type IncidentsErrorCode = (
  | PlaybookInvalid
  | PlaybookUnknown
  | PlaybookNotRunnable
  | ConditionInvalid
  | VariableWrong
  | ActionInputInvalid
  | ActionFailed
  | NotAvailable
  | TransportClosed
  | RunUnknown
  | RunStateConflict
  | ApproverWrong
  | CaseUnknown
  | CaseStateConflict
  | IncidentsInputInvalid
  | EvidenceBroken
  | DutyInvalid
  | ContactUnknown
  | NoticeUnreadable
)['code'];

export const incidentsErrors: ErrorTable = {
  'incidents.playbook_invalid': { status: 422, expose: true, level: 'info' },
  'incidents.playbook_unknown': { status: 404, expose: true, level: 'info' },
  'incidents.playbook_not_runnable': { status: 422, expose: true, level: 'info' },
  'incidents.condition_invalid': { status: 422, expose: true, level: 'info' },
  'incidents.variable_wrong': { status: 422, expose: true, level: 'info' },
  'incidents.action_input_invalid': { status: 422, expose: true, level: 'info' },
  'incidents.action_failed': { status: 502, expose: true, level: 'warn' },
  'incidents.not_available': { status: 501, expose: true, level: 'info' },
  'incidents.transport_closed': { status: 409, expose: true, level: 'error' },
  'incidents.run_unknown': { status: 404, expose: true, level: 'info' },
  'incidents.run_state_conflict': { status: 409, expose: true, level: 'info' },
  'incidents.approver_wrong': { status: 403, expose: true, level: 'warn' },
  'incidents.case_unknown': { status: 404, expose: true, level: 'info' },
  'incidents.case_state_conflict': { status: 409, expose: true, level: 'info' },
  'incidents.input_invalid': { status: 422, expose: true, level: 'info' },
  'incidents.evidence_broken': { status: 500, expose: true, level: 'error' },
  'incidents.duty_invalid': { status: 500, expose: false, level: 'error' },
  'incidents.contact_unknown': { status: 404, expose: true, level: 'info' },
  'incidents.notice_unreadable': { status: 422, expose: true, level: 'info' },
} satisfies Record<IncidentsErrorCode, ErrorTable[string]>;
