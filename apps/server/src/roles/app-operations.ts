import { loadApp, readBlob } from '@cordon/estate';
import type { Database } from '@cordon/kernel';
import { createOperations } from '@cordon/openapi';
import { protocolOperations } from '../control/protocol-operations.ts';

/** The operations that an app's compiled description holds, and those that no description names. */
export async function operationsOf(db: Database, appId: string) {
  const app = await loadApp(db, appId);
  const blob = app.description ? await readBlob(db, app.description.sha256) : null;
  const described = blob ? createOperations(blob, { upstream: app.settings.upstream }).list : [];
  return [...described, ...(await protocolOperations(db, app))];
}
