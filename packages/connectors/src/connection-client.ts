import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import type { Connection } from './connection.ts';
import { openCredential, storeCredential } from './connection-store.ts';
import { findManifest } from './connection-commands.ts';
import type { HttpPort } from './http-port.ts';
import type { LoadedManifest, Manifests } from './load-manifest.ts';
import { fillText } from './request-template.ts';
import { createToolClient, type ToolClient } from './tool-client.ts';

/** What calling tools needs; control has none of it, so it calls none. */
export interface ReachDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly manifests: Manifests;
  /** A port for one connection: its private addresses decide where it may connect. */
  readonly httpFor: (connection: Connection) => HttpPort;
  /** Waits, milliseconds; a test passes its own. */
  readonly pause: (ms: number) => Promise<void>;
}

export interface Reached {
  readonly loaded: LoadedManifest;
  readonly client: (mode: 'read' | 'write') => ToolClient;
  readonly baseUrl: string;
}

/** Opens the credential of a connection and makes clients for it. */
export async function reach(deps: ReachDeps, connection: Connection): Promise<Reached> {
  const loaded = findManifest(deps.manifests, connection.app);
  let secret = await openCredential(deps.db, deps.envelope, connection.id);
  const onRefreshToken = async (refreshToken: string): Promise<void> => {
    if (secret.kind !== 'oauth2_refresh_token') return;
    secret = { ...secret, refreshToken };
    await storeCredential(deps.db, deps.envelope, connection.id, secret);
  };
  const http = deps.httpFor(connection);
  const { clock, pause } = deps;
  const { config, baseUrl } = connection;
  const base = baseUrl ?? fillText(loaded.manifest.baseUrl, { config }) ?? loaded.manifest.baseUrl;
  return {
    loaded,
    baseUrl: base,
    client: (mode) =>
      createToolClient(loaded, { config, secret, baseUrl }, { http, clock, pause, onRefreshToken }, mode),
  };
}
