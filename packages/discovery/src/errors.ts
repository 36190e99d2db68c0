import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class DiscoveryError extends CordonError {}

/** Content of `content/catalogue` that can't be read. A broken build, not a request. */
export class CatalogueInvalid extends DiscoveryError {
  readonly code = 'discovery.catalogue_invalid';
}

export class FoundAppUnknown extends DiscoveryError {
  readonly code = 'discovery.app_unknown';
}

export class DiscoveryInputInvalid extends DiscoveryError {
  readonly code = 'discovery.input_invalid';
}

/** The app has gone on since the caller looked: no decision is made on what it was. */
export class DecisionRefused extends DiscoveryError {
  readonly code = 'discovery.decision_refused';
}

export class LogFormatUnknown extends DiscoveryError {
  readonly code = 'discovery.format_unknown';
}

/** Nothing in the file could be read in the format that was named. */
export class LogUnreadable extends DiscoveryError {
  readonly code = 'discovery.log_unreadable';
}

export class FoundKeyUnknown extends DiscoveryError {
  readonly code = 'discovery.key_unknown';
}

export const discoveryErrors: ErrorTable = {
  'discovery.catalogue_invalid': { status: 500, expose: false, level: 'error' },
  'discovery.app_unknown': { status: 404, expose: true, level: 'info' },
  'discovery.input_invalid': { status: 400, expose: true, level: 'info' },
  'discovery.decision_refused': { status: 409, expose: true, level: 'info' },
  'discovery.format_unknown': { status: 400, expose: true, level: 'info' },
  'discovery.log_unreadable': { status: 422, expose: true, level: 'info' },
  'discovery.key_unknown': { status: 404, expose: true, level: 'info' },
};
