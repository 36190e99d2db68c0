import type { Transaction } from '@cordon/kernel';
import { appSnapshotEntry } from '../app-store.ts';
import { publish } from '../publication.ts';
import { snapshotCredential } from './credential-status.ts';
import { type CredentialPlace, findInStage } from './vault-store.ts';

export const credentialKey = (appId: string, integrationId: string): string => `credential:${appId}.${integrationId}`;

/** Gives gateways what is in use at a place now. The caller holds the app's row. */
export async function publishPlace(tx: Transaction, place: CredentialPlace, at: number): Promise<void> {
  const { appId, integrationId } = place;
  if (integrationId === null) {
    await publish(tx, { set: [await appSnapshotEntry(tx, appId)], at });
    return;
  }
  const key = credentialKey(appId, integrationId);
  const row = await findInStage(tx, place, 'current');
  await publish(
    tx,
    row
      ? { set: [[key, { id: `${appId}.${integrationId}`, credential: snapshotCredential(row) }]], at }
      : { remove: [key], at },
  );
}
