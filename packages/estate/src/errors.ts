import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class EstateError extends CordonError {}

export class NotFound extends EstateError {
  readonly code = 'estate.not_found';
}

export class NameTaken extends EstateError {
  readonly code = 'estate.name_taken';
}

export class InputInvalid extends EstateError {
  readonly code = 'estate.input_invalid';
}

export class DescriptionInvalid extends EstateError {
  readonly code = 'estate.description_invalid';
}

export class StateConflict extends EstateError {
  readonly code = 'estate.state_conflict';
}

export class DeclarationInvalid extends EstateError {
  readonly code = 'estate.declaration_invalid';
}

/** A vendor, or the way to it, refused what Cordon asked of it. `detail.permanent`: asking again won't help. */
export class VendorRefused extends EstateError {
  readonly code = 'estate.vendor_refused';
}

/** A consent page's answer that doesn't belong to a connection that this person began. */
export class ConnectionInvalid extends EstateError {
  readonly code = 'estate.connection_invalid';
}

export const estateErrors: ErrorTable = {
  'estate.not_found': { status: 404, expose: true, level: 'info' },
  'estate.name_taken': { status: 409, expose: true, level: 'info' },
  'estate.input_invalid': { status: 400, expose: true, level: 'info' },
  'estate.description_invalid': { status: 400, expose: true, level: 'info' },
  'estate.state_conflict': { status: 409, expose: true, level: 'info' },
  'estate.declaration_invalid': { status: 400, expose: true, level: 'info' },
  'estate.vendor_refused': { status: 422, expose: true, level: 'info' },
  'estate.connection_invalid': { status: 400, expose: true, level: 'warn' },
};
