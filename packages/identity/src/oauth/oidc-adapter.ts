import { type Actor, appendAudit } from '@cordon/kernel';
import { type Adapter, errors, Provider } from 'oidc-provider';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import { createArtifactStore, deleteArtifactsOfGrant } from './artifact-store.ts';
import { clientMetadata } from './client-metadata.ts';
import type { PeerCertificates } from '../certificates/peer-certificate.ts';
import type { TokenGuard } from './token-guard.ts';
import { exchangeOf } from './token-exchange.ts';
import { endTokens } from './token-revocation.ts';
import { consumeToken, deleteTokens, findTokenPayload, insertToken } from './token-store.ts';

const TOKEN_KINDS = new Set(['AccessToken', 'ClientCredentials', 'RefreshToken']);
const payloadSchema = z.record(z.string(), z.unknown());

/** What the adapter asks about the request that is being answered. */
export interface AdapterParts {
  readonly peers: PeerCertificates;
  readonly guard: TokenGuard;
}

/** Storage of oidc-provider on our tables; one adapter per model. */
export function createOidcAdapter(context: IdentityContext, model: string, parts: AdapterParts): Adapter {
  if (model === 'Client') return clientAdapter(context, parts);
  return TOKEN_KINDS.has(model) ? tokenAdapter(context, model, parts) : artifactAdapter(context, model);
}

/** Never called: models that can't be looked up that way. */
async function nothing(): Promise<undefined> {
  return undefined;
}

function clientAdapter(context: IdentityContext, { guard }: AdapterParts): Adapter {
  return {
    async find(id) {
      const client = await clientMetadata(context, id);
      // Only a secret can be guessed: nobody shuts a client with a key out by failing in its name.
      if (client?.token_endpoint_auth_method !== 'client_secret_basic') return client;
      const wait = await guard.clientWait(id);
      if (wait > 0) throw lockedError(Math.ceil(wait / 1000));
      return client;
    },
    findByUid: nothing,
    findByUserCode: nothing,
    // Clients are made and ended by commands, with their audit; dynamic registration is off.
    upsert: () => Promise.reject(new Error('clients are not registered through oidc-provider')),
    destroy: () => Promise.reject(new Error('clients are not deleted through oidc-provider')),
    consume: nothing,
    revokeByGrantId: nothing,
  };
}

/** RFC 6585's status with an error code that clients know how to wait on. */
function lockedError(seconds: number): Error {
  Provider.ctx?.set('retry-after', String(seconds));
  const error = new errors.CustomOIDCProviderError('slow_down', `too many failures; try again in ${seconds} seconds`);
  return Object.assign(error, { statusCode: 429, status: 429 });
}

function tokenAdapter(context: IdentityContext, kind: string, { peers }: AdapterParts): Adapter {
  const { db, clock } = context;
  return {
    async upsert(id, payload, expiresIn = 0) {
      const { jti: _, ...rest } = payload; // the jti is the token itself: only its hash is kept
      const cnf = {
        ...(typeof payload.jkt === 'string' ? { jkt: payload.jkt } : {}),
        ...(typeof payload['x5t#S256'] === 'string' ? { 'x5t#S256': payload['x5t#S256'] } : {}),
      };
      const issuedAt = (payload.iat ?? Math.floor(clock.now() / 1000)) * 1000;
      const stored = await insertToken(tablesOf(db), {
        hash: hashSecret(id),
        kind,
        clientId: payload.clientId ?? '',
        grantHash: payload.grantId === undefined ? null : hashSecret(payload.grantId),
        payload: JSON.stringify(rest),
        cnf: Object.keys(cnf).length === 0 ? null : JSON.stringify(cnf),
        scope: payload.scope ?? null,
        issuedAt: new Date(issuedAt),
        expiresAt: new Date(payload.exp === undefined ? issuedAt + expiresIn * 1000 : payload.exp * 1000),
        sourceHash: exchangeOf(Provider.ctx)?.source ?? null,
        peerKey: Provider.ctx ? (peers.of(Provider.ctx.req)?.keyThumbprint ?? null) : null,
      });
      // The client was revoked between its authentication and this moment.
      if (!stored) throw new errors.InvalidClient('client is not active');
    },
    async find(id) {
      const row = await findTokenPayload(tablesOf(db), kind, hashSecret(id));
      if (!row) return undefined;
      const consumed = row.consumedAt ? { consumed: Math.floor(row.consumedAt.getTime() / 1000) } : {};
      return { ...payloadSchema.parse(row.payload), ...consumed, jti: id };
    },
    findByUid: nothing,
    findByUserCode: nothing,
    consume: (id) => consumeToken(tablesOf(db), hashSecret(id), clock.now()),
    async destroy(id) {
      await db.transaction(async (tx) => {
        const hash = hashSecret(id);
        const found = await tablesOf(tx)
          .selectFrom('oauth_tokens')
          .innerJoin('oauth_clients', 'oauth_clients.id', 'oauth_tokens.client_id')
          .select(['oauth_clients.id', 'oauth_clients.name'])
          .where('oauth_tokens.hash', '=', hash)
          .executeTakeFirst();
        if (!found) return;
        const actor: Actor = { kind: 'client', id: found.id, name: found.name, roles: [] };
        const reason = 'The client revoked its token.';
        await endTokens(context, tx, { hash }, { actor, reason });
        const target = { type: 'access-token', id: hash.toString('hex') };
        await appendAudit(tx, { actor, action: 'token.revoked', target, detail: { reason }, at: clock.now() });
      });
    },
    async revokeByGrantId(grantId) {
      await deleteTokens(tablesOf(db), { grantHash: hashSecret(grantId) });
      await deleteArtifactsOfGrant(tablesOf(db), hashSecret(grantId));
    },
  };
}

function artifactAdapter(context: IdentityContext, model: string): Adapter {
  const { db, clock } = context;
  const store = createArtifactStore(tablesOf(db), context.envelope, model);
  return {
    upsert: (id, payload, expiresIn = 0) =>
      // Without a lifetime the row stays until it is destroyed.
      store.put(id, payload, expiresIn > 0 ? new Date(clock.now() + expiresIn * 1000) : null),
    find: (id) => store.find(id),
    findByUid: (uid) => store.findByUid(uid),
    findByUserCode: nothing,
    consume: (id) => store.consume(id, new Date(clock.now())),
    destroy: (id) => store.remove(id),
    revokeByGrantId: (grantId) => deleteArtifactsOfGrant(tablesOf(db), hashSecret(grantId)),
  };
}
