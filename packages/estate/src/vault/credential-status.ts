import type { Selectable } from 'kysely';
import type { CredentialState, EstateTables, Stage } from '../tables.ts';
import { schemeOf, vaultSource } from './vault-source.ts';

export type CredentialRow = Selectable<EstateTables['credentials']>;

/** A credential as anyone may see it: what it is and how it fares, never what it holds. Times in ms since the epoch. */
export interface CredentialStatus {
  readonly id: string;
  readonly kind: string;
  /** The integration whose calls it is for; null: the app's own. */
  readonly integrationId: string | null;
  readonly stage: Stage;
  readonly state: CredentialState;
  readonly expiresAt: number | null;
  readonly refreshAt: number | null;
  readonly refreshedAt: number | null;
  readonly verifyPath: string | null;
  readonly verifiedAt: number | null;
  /** Why the last renewal or verification failed. */
  readonly problem: string | null;
  readonly switchAt: number | null;
  readonly overlapUntil: number | null;
  /** Somebody can go through the vendor's consent page. */
  readonly connects: boolean;
  /** Tokens are minted from it. */
  readonly renews: boolean;
  readonly createdAt: number;
  readonly createdBy: string;
}

const time = (date: Date | null): number | null => date?.getTime() ?? null;

export function toStatus(row: CredentialRow): CredentialStatus {
  const shape = row.shape as { kind: string }; // written by the vault's store only
  const source = row.source === null ? null : vaultSource.parse(row.source);
  return {
    id: row.id,
    kind: source?.kind ?? shape.kind,
    integrationId: row.integration_id,
    stage: row.stage,
    state: row.state,
    expiresAt: time(row.expires_at),
    refreshAt: time(row.refresh_at),
    refreshedAt: time(row.refreshed_at),
    verifyPath: row.verify_path,
    verifiedAt: time(row.verified_at),
    problem: row.problem,
    switchAt: time(row.switch_at),
    overlapUntil: time(row.overlap_until),
    connects: source?.kind === 'oauth2-authorization-code',
    renews: source !== null,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
  };
}

/** What of a row decides about what gateways get. */
export type PublishedParts = Pick<
  CredentialRow,
  'id' | 'shape' | 'sealed' | 'source' | 'state' | 'generation' | 'expires_at' | 'refresh_at'
>;

/** What gateways get of a credential. Only what is attached to calls: never a refresh token or a client's secret. */
export function snapshotCredential(row: PublishedParts): object {
  if (row.state === 'pending') return { kind: 'unavailable', reason: 'not-connected' };
  if (row.state === 'expired') return { kind: 'unavailable', reason: 'expired' };
  const shape = row.shape as { kind: string }; // written by the vault's store only
  if (row.source === null) return { ...shape, sealed: row.sealed };
  return {
    kind: 'bearer',
    scheme: schemeOf(vaultSource.parse(row.source)),
    sealed: row.sealed,
    expiresAt: time(row.expires_at),
    renewal: row.refresh_at === null ? null : { id: row.id, generation: row.generation },
  };
}
