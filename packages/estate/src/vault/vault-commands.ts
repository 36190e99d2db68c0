import {
  type Actor,
  AppId,
  appendAudit,
  authorize,
  authorizeOwn,
  describeActor,
  type Transaction,
} from '@cordon/kernel';
import { z } from 'zod';
import type { App } from '../app.ts';
import { loadApp, lockApp } from '../app-store.ts';
import type { EstateContext } from '../context.ts';
import { StateConflict, VendorRefused } from '../errors.ts';
import { instant, parseInput } from '../input.ts';
import { loadIntegration } from '../integration-store.ts';
import { type ConnectionAnswer, connectionAnswer, createConnections } from './connection.ts';
import { credentialInput, type ParsedCredential } from './credential-input.ts';
import type { CredentialRow, CredentialStatus } from './credential-status.ts';
import { asRow, prepare } from './preparation.ts';
import { createRenewals } from './renewal.ts';
import { createRotation, OVERLAP_MS_DEFAULT, probe } from './rotation.ts';
import { publishPlace } from './vault-publication.ts';
import {
  eraseStage,
  findInStage,
  insertCredential,
  listCredentials,
  loadCredential,
  type NewCredential,
  noteVerified,
} from './vault-store.ts';
import type { VendorClient } from './vendor-client.ts';

const NOBODY = '';
const OVERLAP_MS_MAX = 30 * 86_400_000;

/** A successor of what is in use: when to switch (null: at once), how long the predecessor is kept. */
export const rotationInput = z.strictObject({
  credential: credentialInput,
  switchAt: instant.nullable().default(null),
  overlapMs: z.int().min(0).max(OVERLAP_MS_MAX).default(OVERLAP_MS_DEFAULT),
});

const NO_VENDOR: VendorClient = {
  send: () => Promise.reject(new Error('this process asks no vendor')),
  probe: () => Promise.reject(new Error('this process asks no vendor')),
};

/** Everything about vendor credentials that changes state. What a vendor has to say is heard before anything changes. */
export function createVaultCommands(context: EstateContext) {
  const { db, clock, envelope, logger } = context;
  const vendor = context.vendor ?? NO_VENDOR;
  const deps = { db, clock, envelope, logger, vendor };
  const rotation = createRotation(deps);
  const renewals = createRenewals(deps);
  const connections = createConnections({ ...deps, publicUrl: context.publicUrl ?? 'http://localhost' });

  const ownApp = async (actor: Actor, id: string): Promise<App> => {
    authorize(actor, 'credential.write');
    const app = await loadApp(db, AppId.parse(id));
    authorizeOwn(actor, 'credential.write', app.owner?.id ?? NOBODY);
    return app;
  };

  const ownCredential = async (actor: Actor, id: string, credentialId: string): Promise<CredentialRow> => {
    const app = await ownApp(actor, id);
    const row = await loadCredential(db, credentialId);
    if (row.app_id !== app.id) throw new StateConflict('The credential belongs to another app.');
    return row;
  };

  const change = async (
    actor: Actor,
    app: App,
    action: string,
    detail: Record<string, unknown>,
    write: (tx: Transaction, at: number) => Promise<void>,
  ): Promise<CredentialStatus[]> => {
    const at = clock.now();
    return db.transaction(async (tx) => {
      const locked = await lockApp(tx, app.id);
      authorizeOwn(actor, 'credential.write', locked.owner?.id ?? NOBODY);
      await write(tx, at);
      const target = { type: 'app', id: app.id, name: app.name };
      await appendAudit(tx, { actor, action, target, detail, at });
      return listCredentials(tx, app.id);
    });
  };

  /** Minted, and verified when there is something to verify it with. */
  const makeReady = async (
    actor: Actor,
    app: App,
    given: ParsedCredential,
    of: { stage: 'current' | 'staged'; switchAt: number | null; overlapMs: number | null; verify: boolean },
  ): Promise<NewCredential> => {
    if (given.integrationId) await loadIntegration(db, given.integrationId);
    const made = await prepare(deps, app, given, { ...of, by: describeActor(actor).name });
    if (!of.verify || made.verifyPath === null || made.state === 'pending') return made;
    await probe(deps, asRow(made), made.verifyPath);
    return { ...made, verifiedAt: new Date(clock.now()) };
  };

  return {
    renewals,
    rotation,

    async list(actor: Actor, id: string): Promise<CredentialStatus[]> {
      authorize(actor, 'app.read');
      return listCredentials(db, AppId.parse(id));
    },

    /** Replaces what is in use at once and erases it. Verified first when the credential says how. */
    async set(actor: Actor, id: string, raw: unknown): Promise<CredentialStatus[]> {
      const app = await ownApp(actor, id);
      const given = parseInput(credentialInput, raw);
      const made = await makeReady(actor, app, given, {
        stage: 'current',
        switchAt: null,
        overlapMs: null,
        verify: true,
      });
      const detail = { kind: given.kind, integration: made.integrationId, verified: made.verifiedAt !== null };
      return change(actor, app, 'app.credential_replaced', detail, async (tx, at) => {
        for (const stage of ['staged', 'overlap', 'current'] as const) await eraseStage(tx, made, stage, new Date(at));
        await insertCredential(tx, made);
        await publishPlace(tx, made, at);
      });
    },

    /**
     * Stages a successor, verifies it, and switches at once or when it is time.
     *
     * @throws {VendorRefused} when it is to be used at once and its verification fails; nothing has changed then.
     */
    async rotate(actor: Actor, id: string, raw: unknown): Promise<CredentialStatus[]> {
      const app = await ownApp(actor, id);
      const { credential: given, switchAt, overlapMs } = parseInput(rotationInput, raw);
      const at = clock.now();
      const isLater = switchAt !== null && switchAt > at;
      const made = await makeReady(actor, app, given, {
        stage: 'staged',
        switchAt: switchAt ?? at,
        overlapMs,
        verify: true,
      });
      const detail = { kind: given.kind, integration: made.integrationId, switchAt, overlapMs };
      await change(actor, app, 'app.credential_staged', detail, async (tx, now) => {
        await eraseStage(tx, made, 'staged', new Date(now));
        await insertCredential(tx, made);
      });
      if (!isLater && made.state !== 'pending') await rotation.switchTo(actor, made.id);
      return listCredentials(db, app.id);
    },

    /** Back to the credential before the last switch, as long as it is kept. */
    async rollBack(actor: Actor, id: string, integrationId: string | null): Promise<CredentialStatus[]> {
      const app = await ownApp(actor, id);
      const detail: Record<string, unknown> = { integration: integrationId };
      return change(actor, app, 'app.credential_rolled_back', detail, async (tx, at) => {
        detail['credential'] = await rotation.rollBack(tx, { appId: app.id, integrationId }, at);
      });
    },

    async renew(actor: Actor, id: string, credentialId: string): Promise<CredentialStatus[]> {
      const row = await ownCredential(actor, id, credentialId);
      if (row.source === null) throw new StateConflict('This credential is sent as it is: rotate it instead.');
      if (row.state === 'pending') throw new StateConflict('This credential is not connected yet.');
      const result = await renewals.renewNow(row.id);
      const after = await loadCredential(db, row.id);
      if (result === 'failed') {
        throw new VendorRefused(after.problem ?? 'The vendor gave no new token.', { permanent: false });
      }
      return listCredentials(db, row.app_id);
    },

    /** Tries a credential at the vendor now. The outcome is noted either way. */
    async verify(actor: Actor, id: string, credentialId: string): Promise<CredentialStatus[]> {
      const row = await ownCredential(actor, id, credentialId);
      if (row.verify_path === null) throw new StateConflict('The credential names no path to verify it with.');
      if (row.state === 'pending') throw new StateConflict('This credential is not connected yet.');
      let failure: unknown;
      await probe(deps, row, row.verify_path).catch((error: unknown) => {
        failure = error;
      });
      const problem = failure instanceof Error ? failure.message : null;
      const app = await loadApp(db, row.app_id);
      const detail = { credential: row.id, ok: problem === null, ...(problem === null ? {} : { problem }) };
      const list = await change(actor, app, 'app.credential_verified', detail, (tx, at) =>
        noteVerified(tx, row.id, new Date(at), problem),
      );
      if (failure) throw failure;
      return list;
    },

    /** Erases a place's credentials. An integration without its own uses the app's. */
    async remove(actor: Actor, id: string, integrationId: string | null): Promise<CredentialStatus[]> {
      const app = await ownApp(actor, id);
      return change(actor, app, 'app.credential_erased', { integration: integrationId }, async (tx, at) => {
        const place = { appId: app.id, integrationId };
        for (const stage of ['staged', 'overlap', 'current'] as const) await eraseStage(tx, place, stage, new Date(at));
        await publishPlace(tx, place, at);
      });
    },

    /** The vendor's consent page for a credential that has one. */
    async connect(actor: Actor, id: string, credentialId: string) {
      const row = await ownCredential(actor, id, credentialId);
      return connections.begin(actor, row.id);
    },

    /** What the vendor's page sent the person back with. A staged credential whose time has come is switched to. */
    async finishConnection(actor: Actor, raw: ConnectionAnswer): Promise<CredentialStatus[]> {
      authorize(actor, 'credential.write');
      const { credentialId, appId } = await connections.finish(actor, parseInput(connectionAnswer, raw));
      const row = await loadCredential(db, credentialId);
      const due = row.switch_at !== null && row.switch_at.getTime() <= clock.now();
      if (row.stage === 'staged' && due) await rotation.switchTo(actor, row.id);
      else if (row.verify_path !== null) {
        let problem: string | null = null;
        await probe(deps, row, row.verify_path).catch((error: unknown) => {
          problem = error instanceof Error ? error.message : String(error);
        });
        await db.transaction((tx) => noteVerified(tx, row.id, new Date(clock.now()), problem));
      }
      return listCredentials(db, appId);
    },

    /** Which credential is in use at a place; null when there is none. */
    async current(id: string, integrationId: string | null): Promise<string | null> {
      return (await findInStage(db, { appId: id, integrationId }, 'current'))?.id ?? null;
    },
  };
}
