import {
  appendAudit,
  type Actor,
  type Clock,
  type Database,
  type SecretEnvelope,
  type Transaction,
} from '@cordon/kernel';
import { appEntry, credential as credentialSchema } from '@cordon/policy';
import { appSnapshotEntry, lockApp } from '../app-store.ts';
import { StateConflict, VendorRefused } from '../errors.ts';
import { type CredentialRow, type PublishedParts, snapshotCredential } from './credential-status.ts';
import { VAULT } from './renewal.ts';
import { publishPlace } from './vault-publication.ts';
import {
  type CredentialPlace,
  eraseStage,
  failStaged,
  findInStage,
  listDueSwitches,
  loadCredential,
  moveStage,
} from './vault-store.ts';
import type { VendorClient } from './vendor-client.ts';

export const OVERLAP_MS_DEFAULT = 86_400_000;
const SWITCHES_MAX = 20;

export interface RotationDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly vendor: VendorClient;
  readonly envelope: SecretEnvelope;
}

/**
 * Tries a credential at the vendor.
 *
 * @throws {VendorRefused} when the vendor doesn't answer 2xx.
 */
export async function probe(
  { db, vendor }: RotationDeps,
  row: PublishedParts & Pick<CredentialRow, 'app_id'>,
  path: string,
): Promise<void> {
  const [, entry] = await appSnapshotEntry(db, row.app_id);
  const credential = credentialSchema.parse(snapshotCredential(row));
  let status: number;
  try {
    status = await vendor.probe(appEntry.parse(entry), credential, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new VendorRefused(`The verification call ${path} got no answer: ${reason}`, { permanent: false }, error);
  }
  if (status >= 200 && status < 300) return;
  throw new VendorRefused(`The vendor answered the verification call ${path} with ${status}.`, {
    permanent: status === 401 || status === 403,
    status,
  });
}

export const placeOf = (row: CredentialRow): CredentialPlace => ({
  appId: row.app_id,
  integrationId: row.integration_id,
});

/** Puts what is staged in the place of what is in use, which is kept for a while. The caller holds the app's row. */
async function exchangeStages(tx: Transaction, row: CredentialRow, at: number, verified: boolean): Promise<void> {
  const place = placeOf(row);
  const current = await findInStage(tx, place, 'current');
  await eraseStage(tx, place, 'overlap', new Date(at));
  if (current) {
    const overlapMs = row.overlap_ms ?? OVERLAP_MS_DEFAULT;
    if (overlapMs === 0) await eraseStage(tx, place, 'current', new Date(at));
    else await moveStage(tx, current.id, 'overlap', { overlapUntil: new Date(at + overlapMs) });
  }
  await moveStage(tx, row.id, 'current', {
    overlapUntil: null,
    ...(verified ? { verifiedAt: new Date(at) } : {}),
  });
  await publishPlace(tx, place, at);
}

/** Switching from one vendor credential to the next, and back. Calls in flight end with the one they began with. */
export function createRotation(deps: RotationDeps) {
  const { db, clock } = deps;

  /**
   * Verifies what is staged, then switches to it.
   *
   * @throws {VendorRefused} when verification fails; what was in use stays in use.
   */
  const switchTo = async (actor: Actor, id: string): Promise<void> => {
    const row = await loadCredential(db, id);
    if (row.stage !== 'staged') throw new StateConflict('This credential is not waiting for a switch.');
    if (row.state === 'pending') throw new StateConflict('This credential is not connected yet.');
    if (row.verify_path !== null) await probe(deps, row, row.verify_path);
    const at = clock.now();
    await db.transaction(async (tx) => {
      const app = await lockApp(tx, row.app_id);
      const still = await loadCredential(tx, id);
      if (still.stage !== 'staged') throw new StateConflict('Somebody else switched a moment ago.');
      await exchangeStages(tx, still, at, row.verify_path !== null);
      const detail = { credential: id, integration: row.integration_id, verified: row.verify_path !== null };
      const target = { type: 'app', id: row.app_id, name: app.name };
      await appendAudit(tx, { actor, action: 'app.credential_rotated', target, detail, at });
    });
  };

  return {
    switchTo,

    /** Switches whose time has come. One that fails its verification is taken off the calendar, and said so. */
    async switchDue(): Promise<void> {
      for (const row of await listDueSwitches(db, new Date(clock.now()), SWITCHES_MAX)) {
        if (row.state === 'pending') continue;
        try {
          await switchTo(VAULT, row.id);
        } catch (error) {
          if (!(error instanceof VendorRefused) && !(error instanceof StateConflict)) throw error;
          const at = clock.now();
          await db.transaction(async (tx) => {
            const app = await lockApp(tx, row.app_id);
            await failStaged(tx, row.id, error.message);
            const detail = { credential: row.id, integration: row.integration_id, problem: error.message };
            const target = { type: 'app', id: row.app_id, name: app.name };
            await appendAudit(tx, { actor: VAULT, action: 'app.credential_rotation_failed', target, detail, at });
          });
        }
      }
    },

    /** Goes back to what was in use before the last switch, and keeps what is in use now in its place. */
    async rollBack(tx: Transaction, place: CredentialPlace, at: number): Promise<string> {
      const before = await findInStage(tx, place, 'overlap');
      const current = await findInStage(tx, place, 'current');
      if (!before || !current) throw new StateConflict('There is nothing to go back to.');
      await eraseStage(tx, place, 'staged', new Date(at));
      await moveStage(tx, current.id, 'staged', { overlapUntil: null });
      await moveStage(tx, before.id, 'current', { overlapUntil: null });
      await moveStage(tx, current.id, 'overlap', { overlapUntil: before.overlap_until });
      await publishPlace(tx, place, at);
      return before.id;
    },
  };
}
