import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class ConnectorsError extends CordonError {}

export class ManifestInvalid extends ConnectorsError {
  readonly code = 'connectors.manifest_invalid';
}
export class ConnectionUnknown extends ConnectorsError {
  readonly code = 'connectors.connection_unknown';
}
export class StreamUnknown extends ConnectorsError {
  readonly code = 'connectors.stream_unknown';
}
export class ActionUnknown extends ConnectorsError {
  readonly code = 'connectors.action_unknown';
}
export class ConnectorInputInvalid extends ConnectorsError {
  readonly code = 'connectors.input_invalid';
}
export class ConnectionNameTaken extends ConnectorsError {
  readonly code = 'connectors.name_taken';
}
export class ConnectorBusy extends ConnectorsError {
  readonly code = 'connectors.busy';
}
/** The tool could not be asked, or answered what nobody can use. */
export class ToolFailed extends ConnectorsError {
  readonly code = 'connectors.tool_failed';
}
/** The tool refuses the credential. */
export class ToolRefused extends ConnectorsError {
  readonly code = 'connectors.tool_refused';
}
/** The customer's plan, the scope or the role lacks it: neither there nor absent. */
export class NotVisible extends ConnectorsError {
  readonly code = 'connectors.not_visible';
}
export class MappingFailed extends ConnectorsError {
  readonly code = 'connectors.mapping_failed';
}
/** A dry run or a check was about to change something; the transport stopped it. */
export class WriteForbidden extends ConnectorsError {
  readonly code = 'connectors.write_forbidden';
}
export class UndoUnavailable extends ConnectorsError {
  readonly code = 'connectors.undo_unavailable';
}

export const connectorsErrors: ErrorTable = {
  'connectors.manifest_invalid': { status: 500, expose: true, level: 'error' },
  'connectors.connection_unknown': { status: 404, expose: true, level: 'info' },
  'connectors.stream_unknown': { status: 404, expose: true, level: 'info' },
  'connectors.action_unknown': { status: 404, expose: true, level: 'info' },
  'connectors.input_invalid': { status: 400, expose: true, level: 'info' },
  'connectors.name_taken': { status: 409, expose: true, level: 'info' },
  'connectors.busy': { status: 409, expose: true, level: 'info' },
  'connectors.tool_failed': { status: 502, expose: true, level: 'warn' },
  'connectors.tool_refused': { status: 502, expose: true, level: 'warn' },
  'connectors.not_visible': { status: 409, expose: true, level: 'info' },
  'connectors.mapping_failed': { status: 502, expose: true, level: 'warn' },
  'connectors.write_forbidden': { status: 409, expose: true, level: 'error' },
  'connectors.undo_unavailable': { status: 409, expose: true, level: 'info' },
};
