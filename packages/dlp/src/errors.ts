import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class DlpError extends CordonError {}

export class DlpInputInvalid extends DlpError {
  readonly code = 'dlp.input_invalid';
}

export class DlpUnknown extends DlpError {
  readonly code = 'dlp.unknown';
}

/** The scan, incident or remedy is not in a state for this. */
export class DlpConflict extends DlpError {
  readonly code = 'dlp.conflict';
}

/** The tool does not show a stream or a file: a gap of the scan, and no failure of it. */
export class NotShown extends DlpError {
  readonly code = 'dlp.not_shown';
}

export const dlpErrors: ErrorTable = {
  'dlp.input_invalid': { status: 400, expose: true, level: 'info' },
  'dlp.unknown': { status: 404, expose: true, level: 'info' },
  'dlp.conflict': { status: 409, expose: true, level: 'info' },
  'dlp.not_shown': { status: 502, expose: true, level: 'info' },
};
