import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class ProofError extends CordonError {}

/** What was given isn't in the format that it should have. */
export class ProofMalformed extends ProofError {
  readonly code = 'proof.malformed';
}

/** The evidence contradicts itself or the key: something was changed, removed, added or moved. */
export class ProofBroken extends ProofError {
  readonly code = 'proof.broken';
}

export class ProofNotFound extends ProofError {
  readonly code = 'proof.not_found';
}

export class WitnessInvalid extends ProofError {
  readonly code = 'proof.witness_invalid';
}

export const proofErrors: ErrorTable = {
  'proof.malformed': { status: 400, expose: true, level: 'info' },
  'proof.broken': { status: 409, expose: true, level: 'error' },
  'proof.not_found': { status: 404, expose: true, level: 'info' },
  'proof.witness_invalid': { status: 400, expose: true, level: 'info' },
};
