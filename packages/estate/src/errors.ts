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

export const estateErrors: ErrorTable = {
  'estate.not_found': { status: 404, expose: true, level: 'info' },
  'estate.name_taken': { status: 409, expose: true, level: 'info' },
  'estate.input_invalid': { status: 400, expose: true, level: 'info' },
  'estate.description_invalid': { status: 400, expose: true, level: 'info' },
  'estate.state_conflict': { status: 409, expose: true, level: 'info' },
  'estate.declaration_invalid': { status: 400, expose: true, level: 'info' },
};
