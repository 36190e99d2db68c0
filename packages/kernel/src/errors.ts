/** Base of every typed error: a stable `code` that documentation, logs and clients can rely on. */
export abstract class CordonError extends Error {
  abstract readonly code: string;
  /** Facts safe to show to the caller: never a secret, never a stack. */
  readonly detail: Record<string, unknown>;

  constructor(message: string, detail: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.detail = detail;
  }
}

/** How a code is answered: HTTP status, whether the message may leave the server, and how loud the log is. */
export interface ErrorRule {
  readonly status: number;
  readonly expose: boolean;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

export type ErrorTable = Readonly<Record<string, ErrorRule>>;

/** RFC 9457 problem details. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly instance: string;
  readonly [extension: string]: unknown;
}

const OPAQUE: ErrorRule = { status: 500, expose: false, level: 'error' };

/** An error with a stable code: ours, or a pure package's, which has the same members without knowing the kernel. */
type CodedError = Error & { readonly code: string; readonly detail: Record<string, unknown> };

function isCoded(error: unknown): error is CodedError {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return 'detail' in error && typeof error.detail === 'object' && error.detail !== null;
}

/** The rule for an error: from its package's table, else an opaque 500. */
export function ruleFor(error: unknown, tables: readonly ErrorTable[]): ErrorRule {
  if (!isCoded(error)) return OPAQUE;
  for (const table of tables) {
    const rule = Object.hasOwn(table, error.code) ? table[error.code] : undefined;
    if (rule) return rule;
  }
  return OPAQUE;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Sign-in needed',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  422: 'Not valid',
  429: 'Too many requests',
  500: 'Something went wrong',
  503: 'Not available now',
};

/** Renders any error as RFC 9457 problem details; what no table lists stays opaque. */
export function toProblem(error: unknown, tables: readonly ErrorTable[], requestId: string): Problem {
  const rule = ruleFor(error, tables);
  const known = isCoded(error) && rule.expose;
  const code = known ? error.code : 'internal';
  return {
    ...(known ? error.detail : {}),
    type: `urn:cordon:error:${code}`,
    title: TITLES[rule.status] ?? 'Refused',
    status: rule.status,
    detail: known ? error.message : `An unexpected error happened. Give the request id ${requestId} to your operator.`,
    code,
    instance: `urn:cordon:request:${requestId}`,
  };
}

export class ConfigInvalid extends CordonError {
  readonly code = 'kernel.config_invalid';
}

export class IdInvalid extends CordonError {
  readonly code = 'kernel.id_invalid';
}

export class AccessDenied extends CordonError {
  readonly code = 'kernel.access_denied';
}

export class StepUpRequired extends CordonError {
  readonly code = 'kernel.step_up_required';
}

export class SecretUnreadable extends CordonError {
  readonly code = 'kernel.secret_unreadable';
}

export class MigrationConflict extends CordonError {
  readonly code = 'kernel.migration_conflict';
}

export class PostgresUnavailable extends CordonError {
  readonly code = 'kernel.postgres_unavailable';
}

export class CertificateRequestInvalid extends CordonError {
  readonly code = 'kernel.certificate_request_invalid';
}

export class AuditBroken extends CordonError {
  readonly code = 'kernel.audit_broken';
}

export const kernelErrors: ErrorTable = {
  'kernel.config_invalid': { status: 500, expose: false, level: 'error' },
  'kernel.certificate_request_invalid': { status: 422, expose: true, level: 'info' },
  'kernel.id_invalid': { status: 400, expose: true, level: 'info' },
  'kernel.access_denied': { status: 403, expose: true, level: 'info' },
  'kernel.step_up_required': { status: 401, expose: true, level: 'info' },
  'kernel.secret_unreadable': { status: 500, expose: false, level: 'error' },
  'kernel.migration_conflict': { status: 500, expose: false, level: 'error' },
  'kernel.postgres_unavailable': { status: 503, expose: false, level: 'error' },
  'kernel.audit_broken': { status: 500, expose: true, level: 'error' },
};
