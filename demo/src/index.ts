export {
  type AccessToken,
  type AppPlace,
  type CordonClient,
  type CordonClientOptions,
  type CutOffReach,
  createCordonClient,
} from './cordon-client.ts';
export { createDrillClient, type DrillClient } from './drill-client.ts';
export { CordonCallFailed, DemoError, demoErrors, EstateFailed, IntegrationBroken } from './errors.ts';
export { type EmulatedApp, type Estate, type EstateOptions, type ListenerKind, startEstate } from './estate.ts';
export type { GatewayAddress } from './integration.ts';
export { renderTable, type TableOptions } from './render-table.ts';
export { type EverydayOptions, keepWorking } from './everyday-work.ts';
export { playLiveFire } from './live-fire.ts';
export { playScenarios, prepareStage, type RunOptions, runScenarios } from './run-scenarios.ts';
export type { Outcome, ScenarioResult, Stage } from './scenario.ts';
export type { VendorReport, Violation } from './vendor-shim.ts';
export { APP_NAMES, type AppName } from './vendors.ts';
