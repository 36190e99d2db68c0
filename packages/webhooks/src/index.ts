export type { EstatePort, WebhookContext } from './context.ts';
export {
  type AttemptFacts,
  createDeliverer,
  type Deliverer,
  type DelivererDeps,
  type SendAnswer,
  type SendRequest,
} from './deliverer.ts';
export {
  createDeliveryCommands,
  DELIVERY_CHANNEL,
  type DeliveryCommands,
  type DeliveryView,
} from './delivery-commands.ts';
export { DELIVERY_PAGE_MAX, type DueDelivery, listDeliveries, releaseDeliveries } from './delivery-store.ts';
export {
  type Attempt,
  type Delivery,
  type Endpoint,
  type EndpointInput,
  endpointInput,
  endpointPatch,
  endpointSettings,
  rotationInput,
  signingRotationInput,
} from './endpoint.ts';
export { createEndpointCommands, type EndpointCommands, type MadeEndpoint } from './endpoint-commands.ts';
export { listEndpoints, loadEndpoint } from './endpoint-store.ts';
export { WebhookError, webhookErrors } from './errors.ts';
export { type Feed, feedDeliveries } from './feeder.ts';
export { type ReceivedDelivery, receivedDelivery, takeDeliveries, type Taken } from './received.ts';
export { loadSchemes, type SchemeCatalogue, type ShippedScheme } from './scheme-catalogue.ts';
export { webhookMigrations } from './tables.ts';
export { refreshEntries, sweepDeliveries } from './upkeep.ts';
