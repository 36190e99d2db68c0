import { CredentialId, type Clock } from '@cordon/kernel';
import type { App } from '../app.ts';
import type { Stage } from '../tables.ts';
import type { ParsedCredential } from './credential-input.ts';
import { mint, type MintDeps, sourceContext } from './minting.ts';
import { takeApart } from './vault-source.ts';
import type { NewCredential } from './vault-store.ts';

export interface PrepareDeps extends MintDeps {
  readonly clock: Clock;
}

/**
 * Makes of a credential as given what is stored: secrets sealed, and the first token minted where that needs nobody's
 * consent.
 *
 * @throws {VendorRefused} when the vendor gives no token for it.
 */
export async function prepare(
  deps: PrepareDeps,
  app: App,
  given: ParsedCredential,
  of: {
    readonly stage: Stage;
    readonly by: string;
    readonly switchAt: number | null;
    readonly overlapMs: number | null;
  },
): Promise<NewCredential> {
  const { envelope, clock } = deps;
  const at = clock.now();
  const id = CredentialId.create(at);
  const base = {
    id,
    appId: app.id,
    integrationId: given.integrationId ?? null,
    stage: of.stage,
    generation: 0,
    verifyPath: given.verifyPath ?? null,
    verifiedAt: null,
    switchAt: of.switchAt === null ? null : new Date(of.switchAt),
    overlapMs: of.overlapMs,
    at: new Date(at),
    by: of.by,
    expiresAt: null,
    refreshAt: null,
    refreshedAt: null,
  };
  const parts = takeApart(given);
  if (parts.as === 'static') {
    const sealed = envelope.seal(parts.secret, `credential:${app.id}`);
    return { ...base, shape: parts.shape, sealed, source: null, sealedSource: null, state: 'ready' };
  }
  const { source, secrets } = parts;
  const shape = { kind: source.kind };
  const sealedSource = envelope.seal(JSON.stringify(secrets), sourceContext(id));
  if (source.kind === 'oauth2-authorization-code') {
    return { ...base, shape, sealed: '', source, sealedSource, state: 'pending' };
  }
  const minted = await mint(deps, {
    credentialId: id,
    appId: app.id,
    source,
    secrets,
    reach: app.settings,
    now: at,
  });
  return { ...base, shape, source, ...minted, refreshedAt: new Date(clock.now()), state: 'ready' };
}

/** The row that a prepared credential will be, for a verification before it is stored. */
export function asRow(credential: NewCredential) {
  return {
    id: credential.id,
    app_id: credential.appId,
    integration_id: credential.integrationId,
    shape: credential.shape,
    sealed: credential.sealed,
    source: credential.source,
    state: credential.state,
    generation: credential.generation,
    expires_at: credential.expiresAt,
    refresh_at: credential.refreshAt,
  };
}
