import { createHash, randomBytes } from 'node:crypto';
import {
  type Actor,
  appendAudit,
  authorizeOwn,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
} from '@cordon/kernel';
import { z } from 'zod';
import { loadApp, lockApp } from '../app-store.ts';
import { ConnectionInvalid, StateConflict, VendorRefused } from '../errors.ts';
import { tablesOf } from '../tables.ts';
import { mint, openSecrets, sourceOf } from './minting.ts';
import { publishPlace } from './vault-publication.ts';
import { placeOf } from './rotation.ts';
import { loadCredential } from './vault-store.ts';
import type { VaultSource } from './vault-source.ts';
import type { VendorClient } from './vendor-client.ts';

const CONNECTION_MS_MAX = 600_000;
const STATE_BYTES = 32;
/** RFC 7636, section 4.1: 43 characters are 32 bytes. */
const VERIFIER_BYTES = 32;

export interface ConnectionDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly vendor: VendorClient;
  /** Where people reach control; the vendor sends them back there. */
  readonly publicUrl: string;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** One for each app: a code that another vendor's page sends arrives at another address (RFC 9700, section 4.4.2). */
export function redirectUri(publicUrl: string, appId: string): string {
  return `${publicUrl.replace(/\/$/, '')}/connect/${appId}`;
}

/** What the vendor's page sent the person back with. */
export const connectionAnswer = z.strictObject({
  appId: z.uuid(),
  state: z.string().min(20).max(256),
  code: z.string().min(1).max(4_096).optional(),
  iss: z.string().max(2_048).optional(),
  error: z.string().max(256).optional(),
  errorDescription: z.string().max(1_024).optional(),
});
export type ConnectionAnswer = z.output<typeof connectionAnswer>;

type ConsentSource = Extract<VaultSource, { kind: 'oauth2-authorization-code' }>;

function consentUrl(
  source: ConsentSource,
  of: { readonly state: string; readonly verifier: string; readonly redirectUri: string },
): string {
  const url = new URL(source.authorizeUrl);
  for (const [name, value] of Object.entries(source.parameters)) url.searchParams.set(name, value);
  const fields: Record<string, string> = {
    response_type: 'code',
    client_id: source.clientId,
    redirect_uri: of.redirectUri,
    state: of.state,
    code_challenge: sha256(of.verifier).toString('base64url'),
    code_challenge_method: 'S256',
    ...(source.scopes.length === 0 ? {} : { scope: source.scopes.join(source.scopeSeparator) }),
  };
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

/** RFC 9207, section 2.4: once the issuer is known, an answer that names another one, or none, is somebody else's. */
function checkIssuer(source: ConsentSource, iss: string | undefined): void {
  if (source.issuer === undefined || iss === source.issuer) return;
  throw new ConnectionInvalid(
    iss === undefined
      ? 'The answer does not say which vendor it comes from, and this app expects it to.'
      : 'The answer comes from another vendor than the one that was asked.',
  );
}

/** Connecting an app by its vendor's own consent page: out with state and PKCE, back to one exact address. */
export function createConnections({ db, clock, envelope, vendor, publicUrl }: ConnectionDeps) {
  return {
    /** Returns the page to go to. The answer counts for the same person, once, for ten minutes. */
    async begin(actor: Actor, credentialId: string): Promise<{ authorizeUrl: string; redirectUri: string }> {
      const row = await loadCredential(db, credentialId);
      const app = await loadApp(db, row.app_id);
      authorizeOwn(actor, 'credential.write', app.owner?.id ?? '');
      const source = row.source === null ? null : sourceOf(row);
      if (source?.kind !== 'oauth2-authorization-code') {
        throw new StateConflict('This kind of credential has no consent page.');
      }
      const state = randomBytes(STATE_BYTES).toString('base64url');
      const verifier = randomBytes(VERIFIER_BYTES).toString('base64url');
      const back = redirectUri(publicUrl, app.id);
      const hash = sha256(state).toString('hex');
      await tablesOf(db).deleteFrom('vault_connections').where('expires_at', '<=', new Date(clock.now())).execute();
      await tablesOf(db)
        .insertInto('vault_connections')
        .values({
          state_sha256: hash,
          credential_id: row.id,
          person_id: describeActor(actor).id ?? '',
          sealed_verifier: envelope.seal(verifier, `connection:${hash}`),
          redirect_uri: back,
          expires_at: new Date(clock.now() + CONNECTION_MS_MAX),
        })
        .execute();
      return { authorizeUrl: consentUrl(source, { state, verifier, redirectUri: back }), redirectUri: back };
    },

    /**
     * Takes what the vendor's page sent back and exchanges the code.
     *
     * @throws {ConnectionInvalid} when it belongs to no connection of this person; {VendorRefused} when the vendor
     * says no.
     */
    async finish(actor: Actor, answer: ConnectionAnswer): Promise<{ credentialId: string; appId: string }> {
      const hash = sha256(answer.state).toString('hex');
      const begun = await tablesOf(db)
        .deleteFrom('vault_connections')
        .where('state_sha256', '=', hash)
        .returningAll()
        .executeTakeFirst();
      const mine = begun && begun.person_id === describeActor(actor).id && begun.expires_at.getTime() > clock.now();
      if (!mine || begun.redirect_uri !== redirectUri(publicUrl, answer.appId)) {
        throw new ConnectionInvalid('This answer belongs to no connection that you began in the last ten minutes.');
      }
      const row = await loadCredential(db, begun.credential_id);
      const app = await loadApp(db, row.app_id);
      authorizeOwn(actor, 'credential.write', app.owner?.id ?? '');
      const source = sourceOf(row);
      if (source.kind !== 'oauth2-authorization-code' || app.id !== answer.appId) {
        throw new ConnectionInvalid('This answer belongs to another app.');
      }
      checkIssuer(source, answer.iss);
      if (answer.error !== undefined || answer.code === undefined) {
        const said = [answer.error ?? 'no code', answer.errorDescription].filter(Boolean).join(': ');
        throw new VendorRefused(`The vendor’s page answered: ${said.slice(0, 300)}.`, { permanent: true });
      }
      const minted = await mint(
        { vendor, envelope },
        {
          credentialId: row.id,
          appId: app.id,
          source,
          // A connection begins a new line of refresh tokens.
          secrets: { ...openSecrets(envelope, row), refreshToken: undefined },
          reach: app.settings,
          now: clock.now(),
          exchange: {
            code: answer.code,
            redirectUri: begun.redirect_uri,
            verifier: envelope.open(begun.sealed_verifier, `connection:${hash}`).toString('utf8'),
          },
        },
      );
      const at = clock.now();
      await db.transaction(async (tx) => {
        await lockApp(tx, app.id);
        const stored = await tablesOf(tx)
          .updateTable('credentials')
          .set((eb) => ({
            sealed: minted.sealed,
            sealed_source: minted.sealedSource,
            expires_at: minted.expiresAt,
            refresh_at: minted.refreshAt,
            refreshed_at: new Date(at),
            generation: eb('generation', '+', 1),
            state: 'ready' as const,
            problem: null,
            failures: 0,
            lease_id: null,
          }))
          .where('id', '=', row.id)
          .where('retired_at', 'is', null)
          .executeTakeFirst();
        if (stored.numUpdatedRows === 0n) throw new StateConflict('The credential was replaced meanwhile.');
        if (row.stage === 'current') await publishPlace(tx, placeOf(row), at);
        const detail = { credential: row.id, integration: row.integration_id, scopes: source.scopes };
        const target = { type: 'app', id: app.id, name: app.name };
        await appendAudit(tx, { actor, action: 'app.credential_connected', target, detail, at });
      });
      return { credentialId: row.id, appId: app.id };
    },
  };
}
