/**
 * What can be wrong with posture content or with a case handed in. A setting that is missing is not an error: it is
 * the result `not_visible`.
 */
export abstract class PostureError extends Error {
  abstract readonly code: PostureErrorCode;
}

/** A check file that does not fit its schema, or whose template names something that is not there. */
export class CheckInvalid extends PostureError {
  override readonly name = 'CheckInvalid';
  readonly code = 'posture.check_invalid';

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
  }
}

/** Two check files with one id. */
export class CheckDuplicate extends PostureError {
  override readonly name = 'CheckDuplicate';
  readonly code = 'posture.check_duplicate';

  constructor(id: string, first: string, second: string) {
    super(`check ${id} is in ${first} and in ${second}`);
  }
}

/** A CEL expression that does not parse, or that is larger or nested deeper than the limits allow. */
export class ExpressionInvalid extends PostureError {
  override readonly name = 'ExpressionInvalid';
  readonly code = 'posture.expression_invalid';

  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(`${problem} in the expression: ${source}`, options);
  }
}

/** A line of a case file that is no case. */
export class CaseInvalid extends PostureError {
  override readonly name = 'CaseInvalid';
  readonly code = 'posture.case_invalid';

  constructor(line: number, problem: string, options?: ErrorOptions) {
    super(`line ${line}: ${problem}`, options);
  }
}

export type PostureErrorCode =
  | 'posture.case_invalid'
  | 'posture.check_duplicate'
  | 'posture.check_invalid'
  | 'posture.expression_invalid';

/** How each code is answered over HTTP and logged; the composition root merges the tables of all packages. */
export const postureErrors: Record<
  PostureErrorCode,
  { status: number; expose: boolean; level: 'debug' | 'info' | 'warn' | 'error' }
> = {
  'posture.case_invalid': { status: 400, expose: true, level: 'info' },
  'posture.check_duplicate': { status: 500, expose: false, level: 'error' },
  'posture.check_invalid': { status: 500, expose: false, level: 'error' },
  'posture.expression_invalid': { status: 500, expose: false, level: 'error' },
};
