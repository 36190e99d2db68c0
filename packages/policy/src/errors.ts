/** Base of every error this package throws; `code` is stable and documented in docs/errors.md. */
export abstract class PolicyError extends Error {
  abstract readonly code: PolicyErrorCode;
  readonly detail: Record<string, unknown>;

  constructor(message: string, detail: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.detail = detail;
  }
}

/** The signature doesn't match the payload: altered on the way, on disk, or never signed by this key. */
export class SnapshotTampered extends PolicyError {
  readonly code = 'policy.snapshot_tampered';
}

/** Signed with a key that the reader doesn't trust. */
export class SnapshotKeyUnknown extends PolicyError {
  readonly code = 'policy.snapshot_key_unknown';
}

/** Older than what the reader has already seen: a replay, or a control plane restored from a backup. */
export class SnapshotOlder extends PolicyError {
  readonly code = 'policy.snapshot_older';
}

/** Larger than the reader accepts. */
export class SnapshotTooBig extends PolicyError {
  readonly code = 'policy.snapshot_too_big';
}

/** Correctly signed, but not a document this build understands. */
export class SnapshotInvalid extends PolicyError {
  readonly code = 'policy.snapshot_invalid';
}

/** The delta starts from another version or digest than the snapshot at hand: fetch the full one. */
export class SnapshotBaseMismatch extends PolicyError {
  readonly code = 'policy.snapshot_base_mismatch';
}

/** A value that JSON can't carry exactly (NaN, undefined, a function, a lone surrogate). */
export class NotCanonical extends PolicyError {
  readonly code = 'policy.not_canonical';
}

/** Cedar text that doesn't parse or doesn't fit the schema. `detail.problems` lists line, column, message, help. */
export class PolicyTextInvalid extends PolicyError {
  readonly code = 'policy.text_invalid';
}

/** A grant selector that can't be read. */
export class SelectorInvalid extends PolicyError {
  readonly code = 'policy.selector_invalid';
}

export type PolicyErrorCode =
  | 'policy.snapshot_tampered'
  | 'policy.snapshot_key_unknown'
  | 'policy.snapshot_older'
  | 'policy.snapshot_too_big'
  | 'policy.snapshot_invalid'
  | 'policy.snapshot_base_mismatch'
  | 'policy.not_canonical'
  | 'policy.text_invalid'
  | 'policy.selector_invalid';

/** How a role that answers HTTP renders each code. */
export const policyErrors: Record<
  PolicyErrorCode,
  { status: number; expose: boolean; level: 'debug' | 'info' | 'warn' | 'error' }
> = {
  'policy.snapshot_tampered': { status: 500, expose: false, level: 'error' },
  'policy.snapshot_key_unknown': { status: 500, expose: false, level: 'error' },
  'policy.snapshot_older': { status: 409, expose: false, level: 'error' },
  'policy.snapshot_too_big': { status: 500, expose: false, level: 'error' },
  'policy.snapshot_invalid': { status: 500, expose: false, level: 'error' },
  'policy.snapshot_base_mismatch': { status: 409, expose: false, level: 'warn' },
  'policy.not_canonical': { status: 500, expose: false, level: 'error' },
  'policy.text_invalid': { status: 422, expose: true, level: 'info' },
  'policy.selector_invalid': { status: 422, expose: true, level: 'info' },
};
