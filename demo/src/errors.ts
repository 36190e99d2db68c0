import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of the demonstration's errors. */
export abstract class DemoError extends CordonError {}

/** The emulated estate did not come up, or its process ended. */
export class EstateFailed extends DemoError {
  readonly code = 'demo.estate_failed';
}

/** Cordon's API answered something other than what the demonstration needs; `detail` holds status and problem. */
export class CordonCallFailed extends DemoError {
  readonly code = 'demo.cordon_call_failed';
}

/** An integration saw something that must not happen, such as a page that did not come from the gateway. */
export class IntegrationBroken extends DemoError {
  readonly code = 'demo.integration_broken';
}

export const demoErrors: ErrorTable = {
  'demo.estate_failed': { status: 500, expose: true, level: 'error' },
  'demo.cordon_call_failed': { status: 502, expose: true, level: 'error' },
  'demo.integration_broken': { status: 500, expose: true, level: 'error' },
};
