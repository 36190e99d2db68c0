import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class WebhookError extends CordonError {}

export class EndpointUnknown extends WebhookError {
  readonly code = 'webhook.endpoint_unknown';
}

export class DeliveryUnknown extends WebhookError {
  readonly code = 'webhook.delivery_unknown';
}

export class EndpointExists extends WebhookError {
  readonly code = 'webhook.name_taken';
}

export class EndpointInvalid extends WebhookError {
  readonly code = 'webhook.input_invalid';
}

export class ContentErased extends WebhookError {
  readonly code = 'webhook.content_erased';
}

export class SchemeInvalid extends WebhookError {
  readonly code = 'webhook.scheme_invalid';
}

export const webhookErrors: ErrorTable = {
  'webhook.endpoint_unknown': { status: 404, expose: true, level: 'info' },
  'webhook.delivery_unknown': { status: 404, expose: true, level: 'info' },
  'webhook.name_taken': { status: 409, expose: true, level: 'info' },
  'webhook.input_invalid': { status: 400, expose: true, level: 'info' },
  'webhook.content_erased': { status: 409, expose: true, level: 'info' },
  'webhook.scheme_invalid': { status: 500, expose: false, level: 'error' },
};
