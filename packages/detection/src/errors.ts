import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of every error of this package; `code` is stable. */
export abstract class DetectionError extends CordonError {}

/** A rule file that isn't valid Sigma, with the file and the reason. */
export class RuleInvalid extends DetectionError {
  readonly code = 'detection.rule_invalid';
}

/** A correlation that refers to nothing, or to itself, or lacks what its type needs. */
export class CorrelationInvalid extends DetectionError {
  readonly code = 'detection.correlation_invalid';
}

/** A parser file that doesn't fit the schema, with the file and the path in it. */
export class ParserInvalid extends DetectionError {
  readonly code = 'detection.parser_invalid';
}

/** `--product` named neither one of our products nor a known log type. */
export class ProductUnknown extends DetectionError {
  readonly code = 'detection.product_unknown';
}

/** One event of the input is larger than an event may be. */
export class EventTooLarge extends DetectionError {
  readonly code = 'detection.event_too_large';
}

export type DetectionErrorCode =
  | RuleInvalid['code']
  | CorrelationInvalid['code']
  | ParserInvalid['code']
  | ProductUnknown['code']
  | EventTooLarge['code'];

export const detectionErrors: ErrorTable = {
  'detection.rule_invalid': { status: 422, expose: true, level: 'warn' },
  'detection.correlation_invalid': { status: 422, expose: true, level: 'warn' },
  'detection.parser_invalid': { status: 422, expose: true, level: 'warn' },
  'detection.product_unknown': { status: 404, expose: true, level: 'info' },
  'detection.event_too_large': { status: 413, expose: true, level: 'warn' },
} satisfies Record<DetectionErrorCode, ErrorTable[string]>;
