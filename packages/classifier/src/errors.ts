/** Base of the classifier's typed errors. The package is pure, so it carries its own base instead of the kernel's. */
export abstract class ClassifierError extends Error {
  abstract readonly code: ClassifierErrorCode;
  /** Facts safe to show to the caller: never scanned content. */
  readonly detail: Record<string, unknown>;

  constructor(message: string, detail: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.detail = detail;
  }
}

export type ClassifierErrorCode =
  | 'classifier.detector_invalid'
  | 'classifier.type_unknown'
  | 'classifier.custom_invalid'
  | 'classifier.redaction_invalid'
  | 'classifier.token_invalid'
  | 'classifier.domain_too_small'
  | 'classifier.input_invalid';

/** A detector file under content/ does not hold what a detector file must hold. */
export class DetectorInvalid extends ClassifierError {
  readonly code = 'classifier.detector_invalid';
}

/** A type name was asked for that no loaded detector has. */
export class TypeUnknown extends ClassifierError {
  readonly code = 'classifier.type_unknown';
}

/** A custom dictionary, regex, list or fingerprint is not usable as given. */
export class CustomInvalid extends ClassifierError {
  readonly code = 'classifier.custom_invalid';
}

/** Findings don't fit the bytes they are to be redacted in, or the chosen mode lacks its key. */
export class RedactionInvalid extends ClassifierError {
  readonly code = 'classifier.redaction_invalid';
}

/** A reversible token was tampered with, or was made under another key or category. */
export class TokenInvalid extends ClassifierError {
  readonly code = 'classifier.token_invalid';
}

/** Format-preserving encryption refused: fewer than a million values fit the format (NIST SP 800-38G rev. 1). */
export class DomainTooSmall extends ClassifierError {
  readonly code = 'classifier.domain_too_small';
}

/** A line of the batch mode is not what it must be. */
export class InputInvalid extends ClassifierError {
  readonly code = 'classifier.input_invalid';
}

/** How each code is answered: HTTP status, whether the message may leave the server, how loud the log is. */
export const classifierErrors: Readonly<
  Record<ClassifierErrorCode, { status: number; expose: boolean; level: 'debug' | 'info' | 'warn' | 'error' }>
> = {
  'classifier.detector_invalid': { status: 500, expose: false, level: 'error' },
  'classifier.type_unknown': { status: 400, expose: true, level: 'info' },
  'classifier.custom_invalid': { status: 400, expose: true, level: 'info' },
  'classifier.redaction_invalid': { status: 500, expose: false, level: 'error' },
  'classifier.token_invalid': { status: 400, expose: true, level: 'warn' },
  'classifier.domain_too_small': { status: 400, expose: true, level: 'info' },
  'classifier.input_invalid': { status: 400, expose: true, level: 'info' },
};
