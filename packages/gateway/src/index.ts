export { signAws } from './aws-signature.ts';
export type { GatewayHealth } from './admin-server.ts';
export {
  DEFAULT_LIMITS,
  type GatewayConfig,
  type GatewayLimits,
  type ListenerConfig,
  STALENESS_MS_MAX_DEFAULT,
} from './config.ts';
export { checkLiteralHost, guardedLookup } from './egress-guard.ts';
export { GatewayError, type GatewayErrorCode, gatewayErrors, Refusal } from './errors.ts';
export { createLimitReplay, type LimitRefusal, type ReplayedCall } from './limit-replay.ts';
export { createGateway, type Gateway, type GatewayDeps } from './gateway.ts';
export { type BodySchema, compileBodySchema } from './webhooks/body-schema.ts';
export { decodeSecret } from './webhooks/signature-check.ts';
export { webhookPipeline } from './webhooks/webhook-receiver.ts';
export type { NamedStep, StepObserver } from './pipeline.ts';
export { pipelines } from './pipeline.ts';
export { describeProbe } from './vendor-probe.ts';
export { EPOCH_POLL_MS, type Introspection, type SnapshotSource } from './snapshot-source.ts';
