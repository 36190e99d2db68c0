import type { CordonClient } from './cordon-client.ts';
import type { Estate } from './estate.ts';
import type { GatewayAddress, IntegrationContext } from './integration.ts';
import type { Planter } from './planter.ts';
import type { AppName } from './vendors.ts';

export type Outcome = 'allowed' | 'redacted' | 'refused' | 'limited' | 'cut off';

/** One line of the table. */
export interface ScenarioResult {
  readonly name: string;
  /** The integration that acted. */
  readonly who: string;
  readonly expected: string;
  readonly happened: string;
  /** What Cordon did; `allowed` too when it should have done something and did not. */
  readonly outcome: Outcome;
  /** The gateway's own words where it refused. */
  readonly reason: string;
  /** Whether everything came out as it should. */
  readonly ok: boolean;
  /** Pages, counts, milliseconds. */
  readonly measured: Readonly<Record<string, number>>;
}

/** An app as the scenarios use it: registered, with the gateway's address. */
export interface RegisteredApp {
  readonly id: string;
  readonly gateway: GatewayAddress;
}

/** An integration with credentials of its own and the means to run its program. */
export interface RegisteredIntegration {
  readonly id: string;
  readonly name: string;
  readonly context: IntegrationContext;
}

export interface Stage {
  readonly cordon: CordonClient;
  readonly estate: Estate;
  readonly planter: Planter;
  /** Base URLs that each lead to one gateway process; one URL is enough where the processes share a port. */
  readonly gatewayOrigins: readonly string[];
  /** PEM of the authority that signed the gateway's certificate, when a TLS listener is used. */
  readonly ca?: string;
  /** How long the last events may take to reach the lake. */
  readonly recordMsMax: number;
  readonly now: () => number;
  app(name: AppName): RegisteredApp;
  integration(name: IntegrationName): RegisteredIntegration;
}

export const INTEGRATION_NAMES = [
  'issue-sync',
  'payment-notifier',
  'drive-exporter',
  'billing-report',
  'issue-writer',
  'directory-reader',
  'access-review',
] as const;
export type IntegrationName = (typeof INTEGRATION_NAMES)[number];

export interface Scenario {
  readonly name: string;
  readonly who: IntegrationName;
  readonly expected: string;
  play(stage: Stage): Promise<Omit<ScenarioResult, 'name' | 'who' | 'expected'>>;
}
