import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class VendorsError extends CordonError {}

export class NotFound extends VendorsError {
  readonly code = 'vendors.not_found';
}

export class NameTaken extends VendorsError {
  readonly code = 'vendors.name_taken';
}

export class InputInvalid extends VendorsError {
  readonly code = 'vendors.input_invalid';
}

export class StateConflict extends VendorsError {
  readonly code = 'vendors.state_conflict';
}

/** A workbook or list in which nothing of what was looked for could be found. */
export class ContentUnrecognised extends VendorsError {
  readonly code = 'vendors.content_unrecognised';
}

/** A file of `content/` that does not fit its schema. */
export class ContentInvalid extends VendorsError {
  readonly code = 'vendors.content_invalid';
}

/** Guessed, expired, revoked and used up answer alike: nobody learns which. */
export class LinkInvalid extends VendorsError {
  readonly code = 'vendors.link_invalid';
}

export class CodeWrong extends VendorsError {
  readonly code = 'vendors.code_wrong';
}

export class PortalSessionEnded extends VendorsError {
  readonly code = 'vendors.portal_session_ended';
}

export class TooManyAttempts extends VendorsError {
  readonly code = 'vendors.too_many_attempts';
}

export const FILE_REFUSALS = [
  'vendors.file_too_large',
  'vendors.file_kind_unsupported',
  'vendors.file_expands',
  'vendors.file_too_complex',
  'vendors.file_broken',
  'vendors.file_macros',
  'vendors.file_active_content',
  'vendors.file_external_entity',
  'vendors.file_encrypted',
  'vendors.file_polyglot',
  'vendors.file_took_too_long',
  'vendors.file_took_too_much_memory',
] as const;
export type FileRefusalCode = (typeof FILE_REFUSALS)[number];

/** A file that is not read, and why; one class, because the reason comes back from another process as its code. */
export class FileRefused extends VendorsError {
  readonly code: FileRefusalCode;

  constructor(code: FileRefusalCode, message: string, detail: Record<string, unknown> = {}, cause?: unknown) {
    super(message, detail, cause);
    this.code = code;
  }
}

const refusal = { status: 422, expose: true, level: 'info' } as const;

export const vendorsErrors: ErrorTable = {
  'vendors.not_found': { status: 404, expose: true, level: 'info' },
  'vendors.name_taken': { status: 409, expose: true, level: 'info' },
  'vendors.input_invalid': { status: 400, expose: true, level: 'info' },
  'vendors.state_conflict': { status: 409, expose: true, level: 'info' },
  'vendors.content_unrecognised': refusal,
  'vendors.content_invalid': { status: 500, expose: false, level: 'error' },
  'vendors.link_invalid': { status: 404, expose: true, level: 'info' },
  'vendors.code_wrong': { status: 403, expose: true, level: 'info' },
  'vendors.portal_session_ended': { status: 401, expose: true, level: 'info' },
  'vendors.too_many_attempts': { status: 429, expose: true, level: 'info' },
  'vendors.file_too_large': { ...refusal, status: 413 },
  'vendors.file_kind_unsupported': refusal,
  'vendors.file_expands': refusal,
  'vendors.file_too_complex': refusal,
  'vendors.file_broken': refusal,
  'vendors.file_macros': refusal,
  'vendors.file_active_content': refusal,
  'vendors.file_external_entity': refusal,
  'vendors.file_encrypted': refusal,
  'vendors.file_polyglot': refusal,
  'vendors.file_took_too_long': refusal,
  'vendors.file_took_too_much_memory': refusal,
};
