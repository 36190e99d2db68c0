import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Estate, listApps, listGrants, loadIntegration } from '@cordon/estate';
import type { Actor, Clock, Database, SecretEnvelope } from '@cordon/kernel';
import {
  createFileReader,
  createVendors,
  type CutOffProof,
  type EstatePort,
  loadClauses,
  loadForms,
} from '@cordon/vendors';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));

/** Integrations with a grant on one of the apps, and their grants on all apps. */
async function reaching(db: Database, appIds: readonly string[]) {
  const apps = new Set(appIds);
  const grants = await listGrants(db);
  const byIntegration = Map.groupBy(grants, ({ integrationId }) => integrationId);
  const found = [];
  for (const [id, all] of byIntegration) {
    const theirs = all.filter(({ appId }) => apps.has(appId));
    if (theirs.length === 0) continue;
    const { name, status } = await loadIntegration(db, id);
    if (status !== 'revoked') found.push({ id, name, grants: theirs, isOnlyTheirs: theirs.length === all.length });
  }
  return found;
}

/** What the vendors' register needs of the estate: an integration that serves others too loses only its grants. */
export function createEstatePort(db: Database, estate: Estate): EstatePort {
  return {
    async listApps() {
      const apps = await listApps(db);
      return apps.map(({ id, name, title, settings }) => ({
        id,
        name,
        title,
        host: new URL(settings.upstream).hostname,
      }));
    },
    async cutOff(actor: Actor, appIds: readonly string[], reason: string) {
      const proofs: CutOffProof[] = [];
      for (const { id, name, grants, isOnlyTheirs } of await reaching(db, appIds)) {
        if (isOnlyTheirs) {
          const { cutOffId } = await estate.integrations.revoke(actor, id, reason);
          proofs.push({ integrationId: id, name, scope: 'integration', cutOffId });
        } else {
          for (const grant of grants) await estate.grants.remove(actor, grant.id);
          proofs.push({ integrationId: id, name, scope: 'grants', cutOffId: null });
        }
      }
      return proofs;
    },
    stillReach: async (appIds) => (await reaching(db, appIds)).map(({ name }) => name),
  };
}

export interface VendorParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly estate: Estate;
  readonly publicUrl: string;
}

export function createVendorParts({ db, clock, envelope, estate, publicUrl }: VendorParts) {
  const files = createFileReader();
  const vendors = createVendors({
    db,
    clock,
    envelope,
    random: randomBytes,
    files,
    clauses: loadClauses(CONTENT),
    forms: loadForms(CONTENT),
    estate: createEstatePort(db, estate),
    publicUrl,
  });
  return { vendors, vendorFiles: files, vendorEnvelope: envelope };
}
