import { randomUUID } from 'node:crypto';
import { type Actor, appendAudit, type Clock, type Database, type Logger } from '@cordon/kernel';
import { findApp, loadApp, lockApp } from '../app-store.ts';
import { VendorRefused } from '../errors.ts';
import type { CredentialRow } from './credential-status.ts';
import { claimDue, claimOne, storeFailure, storeRenewed } from './lease-store.ts';
import { mint, type MintDeps, openSecrets, sourceOf } from './minting.ts';
import { publishPlace } from './vault-publication.ts';
import { eraseOverlaps, listExpired, loadCredential, markExpired } from './vault-store.ts';

/** The actor of everything that the vault does by itself. */
export const VAULT: Actor = { kind: 'system', name: 'vault' };

/** Longer than any answer of a vendor is waited for. */
const LEASE_MS = 30_000;
/** A vendor that refuses a token which is as young as this refuses something else. */
const YOUNG_MS = 10_000;
const WAIT_MS_MAX = 8_000;
const WAIT_STEP_MS = 100;
const AT_ONCE_MAX = 8;
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 300_000;
const EXPIRED_MAX = 100;

export interface RenewalDeps extends MintDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** renewed: there is a newer token. young: it was renewed a moment ago. failed: the vendor said no. */
export type RenewalResult = 'renewed' | 'young' | 'failed';

export type Renewals = ReturnType<typeof createRenewals>;

function placeOf(row: CredentialRow) {
  return { appId: row.app_id, integrationId: row.integration_id };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** When to try again after a failure: twice as late each time; never when asking again can't help. */
function retryAt(row: CredentialRow, permanent: boolean, now: number): Date | null {
  if (permanent) return null;
  return new Date(now + Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(row.failures, 10)));
}

/**
 * Keeps minted tokens fresh. Any number of workers and controls may run this: whoever takes the lease in the
 * credential's row asks the vendor, everyone else goes on or waits for what comes of it.
 */
export function createRenewals(deps: RenewalDeps) {
  const { db, clock, logger } = deps;

  const targetOf = (row: CredentialRow, name: string) => ({ type: 'app', id: row.app_id, name });

  const fail = async (row: CredentialRow, leaseId: string, error: unknown): Promise<void> => {
    const permanent = error instanceof VendorRefused && error.detail['permanent'] === true;
    const problem = error instanceof VendorRefused ? error.message : 'The credential could not be renewed.';
    const at = clock.now();
    logger.warn({ err: error, app: row.app_id, credential: row.id, permanent }, 'a vendor credential was not renewed');
    await db.transaction(async (tx) => {
      const app = await lockApp(tx, row.app_id);
      if (!(await storeFailure(tx, row.id, leaseId, { problem, retryAt: retryAt(row, permanent, at) }))) return;
      if (row.stage === 'current') await publishPlace(tx, placeOf(row), at);
      const detail = { credential: row.id, problem, permanent, integration: row.integration_id };
      await appendAudit(tx, {
        actor: VAULT,
        action: 'app.credential_renewal_failed',
        target: targetOf(row, app.name),
        detail,
        at,
      });
    });
  };

  /** The caller holds the lease. */
  const renew = async (row: CredentialRow, leaseId: string): Promise<RenewalResult> => {
    try {
      const app = await loadApp(db, row.app_id);
      const minted = await mint(deps, {
        credentialId: row.id,
        appId: row.app_id,
        source: sourceOf(row),
        secrets: openSecrets(deps.envelope, row),
        reach: app.settings,
        now: clock.now(),
      });
      const at = clock.now();
      const stored = await db.transaction(async (tx) => {
        const locked = await lockApp(tx, row.app_id);
        if (!(await storeRenewed(tx, row.id, leaseId, { ...minted, at: new Date(at) }))) return false;
        if (row.stage === 'current') await publishPlace(tx, placeOf(row), at);
        const detail = { credential: row.id, integration: row.integration_id };
        const target = targetOf(row, locked.name);
        await appendAudit(tx, { actor: VAULT, action: 'app.credential_renewed', target, detail, at });
        return true;
      });
      if (!stored) logger.warn({ credential: row.id }, 'a credential was replaced while it was renewed');
      return stored ? 'renewed' : 'failed';
    } catch (error) {
      await fail(row, leaseId, error);
      return 'failed';
    }
  };

  const claim = () => {
    const now = clock.now();
    return { now: new Date(now), leaseId: randomUUID(), until: new Date(now + LEASE_MS) };
  };

  /** Waits, bounded, for what whoever holds the lease makes of it. */
  const follow = async (id: string, generation: number): Promise<RenewalResult> => {
    for (let waited = 0; waited < WAIT_MS_MAX; waited += WAIT_STEP_MS) {
      const row = await loadCredential(db, id);
      if (row.generation > generation) return 'renewed';
      if (row.lease_id === null) return 'failed';
      await pause(WAIT_STEP_MS);
    }
    return 'failed';
  };

  return {
    /** Renews whatever is due, some at a time. Returns how many were tried. */
    async renewDue(): Promise<number> {
      const claims = Array.from({ length: AT_ONCE_MAX }, async () => {
        const mine = claim();
        const row = await claimDue(db, mine);
        if (!row) return 0;
        await renew(row, mine.leaseId);
        return 1;
      });
      const done: number[] = await Promise.all(claims);
      return done.reduce((sum, one) => sum + one, 0);
    },

    /**
     * A gateway whose vendor refused the token of `generation`. However many ask, the vendor is asked once.
     *
     * @throws {NotFound} when the credential is gone.
     */
    async renewRefused(id: string, generation: number): Promise<RenewalResult> {
      const row = await loadCredential(db, id);
      if (row.generation > generation) return 'renewed';
      if (row.refreshed_at !== null && clock.now() - row.refreshed_at.getTime() < YOUNG_MS) return 'young';
      const mine = claim();
      const claimed = await claimOne(db, id, generation, mine);
      return claimed ? renew(claimed, mine.leaseId) : follow(id, generation);
    },

    /** At once, because a person wants it. */
    async renewNow(id: string): Promise<RenewalResult> {
      const row = await loadCredential(db, id);
      const mine = claim();
      const claimed = await claimOne(db, id, row.generation, mine);
      return claimed ? renew(claimed, mine.leaseId) : follow(id, row.generation);
    },

    /** Makes what has ended visible and unusable, and erases what was kept for a while. */
    async sweep(): Promise<void> {
      const at = clock.now();
      const now = new Date(at);
      await eraseOverlaps(db, now);
      for (const row of await listExpired(db, now, EXPIRED_MAX)) {
        if (!(await findApp(db, { id: row.app_id }))) continue;
        await db.transaction(async (tx) => {
          const app = await lockApp(tx, row.app_id);
          if (!(await markExpired(tx, row.id, now))) return;
          await publishPlace(tx, placeOf(row), at);
          const detail = { credential: row.id, integration: row.integration_id, problem: row.problem };
          const target = targetOf(row, app.name);
          await appendAudit(tx, { actor: VAULT, action: 'app.credential_expired', target, detail, at });
        });
      }
    },
  };
}
