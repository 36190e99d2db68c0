/** Base of every error this package throws; `code` is stable and documented in docs/errors.md. */
export abstract class OpenApiError extends Error {
  abstract readonly code: OpenApiErrorCode;
  readonly detail: Record<string, unknown>;

  constructor(message: string, detail: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.detail = detail;
  }
}

/** Not a description this package reads: not JSON or YAML, not OpenAPI 3.0 or 3.1, without paths. */
export class DescriptionInvalid extends OpenApiError {
  readonly code = 'openapi.description_invalid';
}

export class DescriptionTooBig extends OpenApiError {
  readonly code = 'openapi.description_too_big';
}

/** A stored operation table that isn't one, or of another build's format. */
export class TableInvalid extends OpenApiError {
  readonly code = 'openapi.table_invalid';
}

/** A state that no learner wrote. */
export class StateUnreadable extends OpenApiError {
  readonly code = 'openapi.state_unreadable';
}

export type OpenApiErrorCode =
  | 'openapi.description_invalid'
  | 'openapi.description_too_big'
  | 'openapi.table_invalid'
  | 'openapi.state_unreadable';

/** How a role that answers HTTP renders each code. */
export const openApiErrors: Record<
  OpenApiErrorCode,
  { status: number; expose: boolean; level: 'debug' | 'info' | 'warn' | 'error' }
> = {
  'openapi.description_invalid': { status: 422, expose: true, level: 'info' },
  'openapi.description_too_big': { status: 413, expose: true, level: 'info' },
  'openapi.state_unreadable': { status: 422, expose: true, level: 'warn' },
  'openapi.table_invalid': { status: 500, expose: false, level: 'error' },
};
