import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class OwnDetectorError extends CordonError {}

export class OwnDetectorInvalid extends OwnDetectorError {
  readonly code = 'own_detector.invalid';
}

export class OwnDetectorUnknown extends OwnDetectorError {
  readonly code = 'own_detector.unknown';
}

/** Another has the name, or there are as many as there may be. */
export class OwnDetectorConflict extends OwnDetectorError {
  readonly code = 'own_detector.conflict';
}

export const ownDetectorErrors: ErrorTable = {
  'own_detector.invalid': { status: 400, expose: true, level: 'info' },
  'own_detector.unknown': { status: 404, expose: true, level: 'info' },
  'own_detector.conflict': { status: 409, expose: true, level: 'info' },
};
