import { createWire, type Wire } from './wire.ts';
import type { AppName } from './vendors.ts';

/** Where the gateway serves one app. */
export interface GatewayAddress {
  /** `http://127.0.0.1:8080/github`: for SDKs that keep a path prefix. No slash at the end. */
  readonly prefixUrl: string;
  /** `http://127.0.0.1:18002`: for SDKs that drop it. */
  readonly portUrl?: string;
  /** `https://localhost:18443`: for SDKs that drop it and insist on TLS. */
  readonly tlsPortUrl?: string;
}

/** What an integration is given: addresses and a token of its own, never a vendor's secret. */
export interface IntegrationContext {
  addressOf(app: AppName): GatewayAddress;
  /** A valid access token of Cordon; ask before each use, as it may have been renewed. */
  token(): Promise<string>;
  /** One line of progress. */
  readonly report: (note: string) => void;
  /** Origins of the upstreams themselves; none of them may be seen in an answer. Empty where they are called directly. */
  readonly upstreamOrigins: readonly string[];
}

/** What an integration did: the answers on the wire and how the SDK put a refusal. */
export interface IntegrationRun {
  readonly wire: Wire;
  /** The SDK's own words for the last refusal; absent when all calls were served. */
  readonly sdkError?: string;
  /** Counts for the table: pages, issues, served, limited. */
  readonly counts: Readonly<Record<string, number>>;
}

const silent = (): void => undefined;
/** Octokit logs each refusal to the console; the table shows it. */
export const SILENT_LOG = { debug: silent, info: silent, warn: silent, error: silent };

export function startRun(context: IntegrationContext): Wire {
  return createWire(context.upstreamOrigins);
}

/** The SDK's message, short enough for a line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
