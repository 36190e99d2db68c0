import { randomUUID } from 'node:crypto';
import type { SecretEnvelope } from '@cordon/kernel';
import { VendorRefused } from '../errors.ts';
import type { AppSettings } from '../app.ts';
import type { CredentialRow } from './credential-status.ts';
import { type CodeExchange, type Minted, parseTokenAnswer, refreshTime, tokenRequest } from './token-request.ts';
import { type VaultSecrets, vaultSecrets, type VaultSource, vaultSource } from './vault-source.ts';
import type { VendorClient } from './vendor-client.ts';

export interface MintDeps {
  readonly vendor: VendorClient;
  readonly envelope: SecretEnvelope;
}

/** A token with what is to be stored of it, sealed. */
export interface SealedMint {
  readonly sealed: string;
  readonly sealedSource: string;
  readonly expiresAt: Date | null;
  readonly refreshAt: Date | null;
}

const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export const sourceContext = (credentialId: string): string => `vault:${credentialId}`;

export function openSecrets(envelope: SecretEnvelope, row: Pick<CredentialRow, 'id' | 'sealed_source'>): VaultSecrets {
  const text = envelope.open(row.sealed_source ?? '', sourceContext(row.id)).toString('utf8');
  return vaultSecrets.parse(JSON.parse(text));
}

/**
 * Asks the vendor for a token.
 *
 * @throws {VendorRefused} when it says no or can't be reached.
 */
export async function mint(
  { vendor, envelope }: MintDeps,
  of: {
    readonly credentialId: string;
    readonly appId: string;
    readonly source: VaultSource;
    readonly secrets: VaultSecrets;
    readonly reach: AppSettings;
    readonly now: number;
    readonly exchange?: CodeExchange;
  },
): Promise<SealedMint> {
  const { credentialId, appId, source, secrets, reach, now, exchange } = of;
  let minted: Minted;
  try {
    const request = tokenRequest(source, secrets, { now, id: randomUUID }, exchange);
    minted = parseTokenAnswer(await vendor.send(request, reach), now);
  } catch (error) {
    if (error instanceof VendorRefused) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new VendorRefused(`The vendor’s token endpoint could not be asked: ${reason}`, { permanent: false }, error);
  }
  // Rotation: the old refresh token is worthless from here on, so the new one must reach the database.
  const next = minted.refreshToken === null ? secrets : { ...secrets, refreshToken: minted.refreshToken };
  return {
    sealed: envelope.seal(minted.accessToken, `credential:${appId}`),
    sealedSource: envelope.seal(JSON.stringify(next), sourceContext(credentialId)),
    expiresAt: date(minted.expiresAt),
    refreshAt: date(refreshTime(source, minted, next, now)),
  };
}

export function sourceOf(row: CredentialRow): VaultSource {
  return vaultSource.parse(row.source);
}
