import {
  type Actor,
  appendAudit,
  authorize,
  isAllowed,
  type IntegrationId,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { ClientInvalid, ClientNotFound, TokenNotFound } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import type { TokenBinding } from '../tables.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';
import { ClientId, type OauthClient, parsePublicKeys } from './client.ts';
import {
  type ClientSecret,
  findClient,
  insertClient,
  insertClientSecret,
  listClients,
  listClientSecrets,
  lockClient,
  moveClients,
  retireClientSecrets,
  setClientStatus,
  updateClientKeys,
} from './client-store.ts';
import { type LiveToken, listLiveTokens } from './token-store.ts';
import { isNotificationEndpoint } from './public-fetch.ts';
import { parseFederation } from './federation.ts';
import { dropEnrolments, revokeCertificates } from '../certificates/certificate-store.ts';
import { trustDomainOf } from '../certificates/peer-certificate.ts';
import { endTokens, type EndedTokens } from './token-revocation.ts';

export const CLIENT_SECRET_PREFIX = 'cordon_sec_';
/** The end of a secret is shown in lists, so that people can tell two apart; 24 of 256 bits. */
const HINT_CHARS = 4;
const TOKENS_PAGE = 200;
const TOKEN_TTL_S_MAX = 86_400;
const OVERLAP_MS_MAX = 7 * 24 * 60 * 60_000;

/** How a new client proves who it is. */
export type ClientAuthInput =
  | { readonly method: 'client_secret_basic' }
  | { readonly method: 'private_key_jwt'; readonly jwks: unknown }
  | { readonly method: 'self_signed_tls_client_auth'; readonly jwks: unknown }
  /** A certificate of a trusted authority, known by its subject or by its one URI name (a SPIFFE id). */
  | { readonly method: 'tls_client_auth'; readonly subject: string }
  | { readonly method: 'tls_client_auth'; readonly uri: string }
  | {
      readonly method: 'federated';
      readonly issuer: string;
      readonly subject: string;
      readonly audience: string;
      readonly jwks?: unknown;
      readonly jwksUri?: string | undefined;
    };

export interface NewClient {
  readonly integrationId: IntegrationId | null;
  readonly name: string;
  readonly auth: ClientAuthInput;
  readonly binding?: TokenBinding;
  /** Lifetime of its access tokens, seconds: 60 to 86,400. */
  readonly tokenTtlS?: number;
  /** DPoP proofs must carry a nonce (RFC 9449, section 8). */
  readonly dpopNonce?: boolean;
  /** How it learns of decisions about its calls; by polling when absent. */
  readonly delivery?: { readonly mode: 'ping' | 'push'; readonly endpoint: string } | undefined;
  readonly expiresAt?: number;
  /** May ask about any token (gateways). Only the system makes such clients. */
  readonly introspects?: boolean;
}

export interface OauthClients {
  list(actor: Actor, integrationId?: IntegrationId): Promise<OauthClient[]>;
  get(actor: Actor, id: ClientId): Promise<{ client: OauthClient; secrets: Omit<ClientSecret, 'hash'>[] }>;
  /** The secret, where there is one, is returned this once. */
  create(actor: Actor, input: NewClient): Promise<{ client: OauthClient; secret: string | null }>;
  /** The same inside the caller's transaction; call `report` after the commit. */
  createIn(
    tx: Transaction,
    actor: Actor,
    input: NewClient,
  ): Promise<{ client: OauthClient; secret: string | null; report: () => void }>;
  /** A new secret; the old one works on for `overlapMs` (at most a week, none by default). */
  rotateSecret(actor: Actor, id: ClientId, overlapMs?: number): Promise<{ secret: string }>;
  /** New public keys. Tokens that the old keys obtained live on until they expire or are revoked. */
  replaceKeys(actor: Actor, id: ClientId, jwks: unknown): Promise<void>;
  /** For good: the client can't authenticate again, and its tokens are gone. */
  revoke(actor: Actor, id: ClientId, reason: string): Promise<EndedTokens>;
  /** Live opaque tokens of an integration, in the order of their hash; page on with `next`. */
  listTokens(
    actor: Actor,
    integrationId: IntegrationId,
    after?: string,
  ): Promise<{ tokens: LiveToken[]; next: string | null }>;
  /** One access token, by its value or by the hex SHA-256 of it. */
  revokeToken(actor: Actor, token: { value: string } | { hash: string }, reason: string): Promise<void>;
  /** Every token of an integration; its clients may obtain new ones. */
  revokeTokens(actor: Actor, integrationId: IntegrationId, reason: string): Promise<EndedTokens>;
  /** Identity's half of a cut-off, in the estate's transaction: clients suspended, tokens deleted. */
  endAccess(
    tx: Transaction,
    input: { readonly integrationId: string; readonly actor: Actor; readonly reason: string },
  ): Promise<void>;
  /** Identity's half of a restoration: suspended clients may obtain tokens again. */
  restoreAccess(tx: Transaction, input: { readonly integrationId: string; readonly actor: Actor }): Promise<void>;
}

function checkInput(context: IdentityContext, input: NewClient): Omit<OauthClient, 'id' | 'createdAt' | 'updatedAt'> {
  const { auth } = input;
  const binding = input.binding ?? 'none';
  const tokenTtlS = input.tokenTtlS ?? context.config.tokenTtlS;
  if (!Number.isInteger(tokenTtlS) || tokenTtlS < 60 || tokenTtlS > TOKEN_TTL_S_MAX) {
    throw new ClientInvalid(`A token lives between 60 and ${TOKEN_TTL_S_MAX} seconds.`, { field: 'tokenTtlS' });
  }
  if (input.expiresAt !== undefined && input.expiresAt <= context.clock.now()) {
    throw new ClientInvalid('The expiry of a client is in the future.', { field: 'expiresAt' });
  }
  if (auth.method === 'tls_client_auth' && 'uri' in auth) {
    if (trustDomainOf(auth.uri) === null) {
      throw new ClientInvalid('The certificate’s URI name is a SPIFFE id like spiffe://example.org/sync.', {
        field: 'uri',
      });
    }
  } else if (auth.method === 'tls_client_auth' && !/^[A-Za-z0-9=,.+ _@*:/-]{3,400}$/.test(auth.subject)) {
    throw new ClientInvalid('The certificate subject is a distinguished name like CN=sync,O=Example.', {
      field: 'subject',
    });
  }
  if (auth.method === 'federated' && binding !== 'none') {
    throw new ClientInvalid('The tokens of a federated client can’t be bound.', { field: 'binding' });
  }
  checkDelivery(input, binding);
  return {
    integrationId: input.integrationId,
    name: input.name,
    authMethod: auth.method,
    jwks: auth.method !== 'federated' && 'jwks' in auth ? parsePublicKeys(auth.jwks) : null,
    federation: auth.method === 'federated' ? parseFederation(auth, context.fetchJson !== undefined) : null,
    tlsSubject: auth.method === 'tls_client_auth' && 'subject' in auth ? auth.subject : null,
    tlsUri: auth.method === 'tls_client_auth' && 'uri' in auth ? auth.uri : null,
    dpopNonce: input.dpopNonce ?? false,
    deliveryMode: input.delivery?.mode ?? 'poll',
    notificationEndpoint: input.delivery?.endpoint ?? null,
    binding,
    tokenTtlS,
    introspects: input.introspects ?? false,
    status: 'active',
    expiresAt: input.expiresAt ?? null,
    lastTokenAt: null,
  };
}

function checkDelivery({ delivery, auth }: NewClient, binding: TokenBinding): void {
  if (!delivery) return;
  const field = 'delivery';
  if (!isNotificationEndpoint(delivery.endpoint)) {
    throw new ClientInvalid('Decisions are told to an https address of the public internet.', { field });
  }
  if (auth.method === 'federated') throw new ClientInvalid('A federated client asks for no approvals.', { field });
  // A pushed token comes without a proof of possession, so there is nothing that it could be bound to.
  if (delivery.mode === 'push' && binding !== 'none') {
    throw new ClientInvalid('Pushed tokens can’t be bound to a key: use ping.', { field });
  }
}

export function createOauthClients(context: IdentityContext): OauthClients {
  const { db, clock, emit } = context;

  const makeSecret = async (tx: Transaction, id: ClientId): Promise<string> => {
    const { value, hash } = mintSecret(context.random, CLIENT_SECRET_PREFIX);
    const hint = value.slice(-HINT_CHARS);
    await insertClientSecret(tablesOf(tx), id, {
      id: uuidv7(clock.now()),
      hash,
      hint,
      createdAt: clock.now(),
      expiresAt: null,
    });
    return value;
  };

  const reportClient = (
    activity: 'create' | 'update' | 'delete',
    actor: Actor,
    client: OauthClient,
    reason?: string,
  ): void =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        actor,
        entity: { type: 'oauth-client', id: client.id, name: client.name },
        ...(client.integrationId === null ? {} : { integrationId: client.integrationId }),
        ...(reason === undefined ? {} : { reason }),
      }),
    );

  const reportTokens = (actor: Actor, ended: EndedTokens, reason: string, integrationId?: string): void =>
    emit(
      entityManagementEvent('delete', {
        at: clock.now(),
        outcome: 'success',
        actor,
        reason: `${ended.tokens} access tokens revoked: ${reason}`,
        entity: { type: 'access-token', id: integrationId ?? 'one' },
        ...(integrationId === undefined ? {} : { integrationId }),
      }),
    );

  /** What a role allows in general, the estate allows or refuses for the one integration. */
  const checkIntegration = async (actor: Actor, integrationId: IntegrationId | null): Promise<void> => {
    if (actor.kind === 'system') return;
    if (integrationId === null) throw new ClientNotFound('There is no such client.');
    await context.checkIntegration?.(actor, integrationId);
  };

  const loadLocked = async (tx: Transaction, actor: Actor, id: ClientId): Promise<OauthClient> => {
    const client = await lockClient(tablesOf(tx), id);
    if (!client || client.status === 'revoked') throw new ClientNotFound('There is no such client.');
    await checkIntegration(actor, client.integrationId);
    return client;
  };

  const audit = (
    tx: Transaction,
    actor: Actor,
    action: string,
    client: OauthClient,
    detail?: Record<string, unknown>,
  ): Promise<unknown> =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'oauth-client', id: client.id, name: client.name },
      detail: { ...detail, integrationId: client.integrationId },
      at: clock.now(),
    });

  const createIn: OauthClients['createIn'] = async (tx, actor, input) => {
    authorize(actor, 'integration.credential');
    if ((input.introspects || input.integrationId === null) && actor.kind !== 'system') {
      throw new ClientInvalid('A client belongs to an integration.', { field: 'integrationId' });
    }
    await checkIntegration(actor, input.integrationId);
    const at = clock.now();
    const client: OauthClient = {
      id: ClientId.create(at),
      ...checkInput(context, input),
      createdAt: at,
      updatedAt: at,
    };
    await insertClient(tablesOf(tx), client);
    const secret = client.authMethod === 'client_secret_basic' ? await makeSecret(tx, client.id) : null;
    const { authMethod, binding, tokenTtlS, expiresAt } = client;
    await audit(tx, actor, 'oauth_client.created', client, { authMethod, binding, tokenTtlS, expiresAt });
    return { client, secret, report: () => reportClient('create', actor, client) };
  };

  return {
    async list(actor, integrationId) {
      authorize(actor, 'integration.read');
      return listClients(tablesOf(db), integrationId);
    },

    async get(actor, id) {
      authorize(actor, 'integration.read');
      const client = await findClient(tablesOf(db), id);
      if (!client) throw new ClientNotFound('There is no such client.');
      const secrets = await listClientSecrets(tablesOf(db), id, clock.now());
      return {
        client,
        secrets: secrets.map(({ id, hint, createdAt, expiresAt }) => ({ id, hint, createdAt, expiresAt })),
      };
    },

    async create(actor, input) {
      const { report, ...made } = await db.transaction((tx) => createIn(tx, actor, input));
      report();
      return made;
    },
    createIn,

    async rotateSecret(actor, id, overlapMs = 0) {
      authorize(actor, 'integration.credential');
      const overlap = Math.min(Math.max(0, overlapMs), OVERLAP_MS_MAX);
      const { client, secret } = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, actor, id);
        if (found.authMethod !== 'client_secret_basic') throw new ClientInvalid('This client has no secret.');
        await retireClientSecrets(tablesOf(tx), id, clock.now() + overlap, clock.now());
        const value = await makeSecret(tx, id);
        await audit(tx, actor, 'oauth_client.secret_rotated', found, { overlapMs: overlap });
        return { client: found, secret: value };
      });
      reportClient('update', actor, client, 'The secret was rotated.');
      return { secret };
    },

    async replaceKeys(actor, id, jwks) {
      authorize(actor, 'integration.credential');
      const keys = parsePublicKeys(jwks);
      const client = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, actor, id);
        if (found.jwks === null) throw new ClientInvalid('This client has no keys.');
        await updateClientKeys(tablesOf(tx), id, keys, clock.now());
        await audit(tx, actor, 'oauth_client.keys_replaced', found, { keys: keys.keys.length });
        return found;
      });
      reportClient('update', actor, client, 'The keys were replaced.');
    },

    async revoke(actor, id, reason) {
      // Whoever may make a credential may end it; those who only cut off may, too.
      if (!isAllowed(actor, 'integration.credential')) authorize(actor, 'integration.revoke');
      const { client, ended } = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, actor, id);
        await setClientStatus(tablesOf(tx), id, 'revoked', clock.now());
        const done = await endTokens(context, tx, { clientId: id }, { actor, reason, clientId: id });
        await revokeCertificates(tablesOf(tx), { clientId: id }, reason, clock.now());
        await audit(tx, actor, 'oauth_client.revoked', found, { reason, tokens: done.tokens });
        return { client: found, ended: done };
      });
      reportClient('delete', actor, client, reason);
      return ended;
    },

    async listTokens(actor, integrationId, after) {
      authorize(actor, 'integration.read');
      const page = { now: clock.now(), after, limit: TOKENS_PAGE, integrationId };
      const tokens = await listLiveTokens(tablesOf(db), page);
      return { tokens, next: tokens.length === TOKENS_PAGE ? (tokens.at(-1)?.hash ?? null) : null };
    },

    async revokeToken(actor, token, reason) {
      const hash = 'value' in token ? hashSecret(token.value) : Buffer.from(token.hash, 'hex');
      authorize(actor, 'integration.revoke');
      const ended = await db.transaction(async (tx) => {
        const done = await endTokens(context, tx, { hash }, { actor, reason });
        if (done.tokens === 0) throw new TokenNotFound('There is no such live token.');
        const target = { type: 'access-token', id: hash.toString('hex') };
        await appendAudit(tx, { actor, action: 'token.revoked', target, detail: { reason }, at: clock.now() });
        return done;
      });
      reportTokens(actor, ended, reason);
    },

    async revokeTokens(actor, integrationId, reason) {
      authorize(actor, 'integration.revoke');
      await checkIntegration(actor, integrationId);
      const ended = await db.transaction(async (tx) => {
        const done = await endTokens(context, tx, { integrationId }, { actor, reason, integrationId });
        const target = { type: 'integration', id: integrationId };
        const detail = { reason, tokens: done.tokens };
        await appendAudit(tx, { actor, action: 'integration.tokens_revoked', target, detail, at: clock.now() });
        return done;
      });
      reportTokens(actor, ended, reason, integrationId);
      return ended;
    },

    async endAccess(tx, { integrationId, actor, reason }) {
      const clients = await moveClients(tablesOf(tx), integrationId, 'active', 'suspended', clock.now());
      const ended = await endTokens(context, tx, { integrationId }, { actor, reason, integrationId });
      // Whoever may hold a key now shall not come back with it: a restored integration enrols again.
      const certificates = await revokeCertificates(tablesOf(tx), { integrationId }, reason, clock.now());
      await dropEnrolments(tablesOf(tx), integrationId);
      const target = { type: 'integration', id: integrationId };
      const detail = { reason, clients, tokens: ended.tokens, certificates };
      await appendAudit(tx, { actor, action: 'integration.access_ended', target, detail, at: clock.now() });
    },

    async restoreAccess(tx, { integrationId, actor }) {
      const clients = await moveClients(tablesOf(tx), integrationId, 'suspended', 'active', clock.now());
      const target = { type: 'integration', id: integrationId };
      await appendAudit(tx, {
        actor,
        action: 'integration.access_restored',
        target,
        detail: { clients },
        at: clock.now(),
      });
    },
  };
}
