import type { IncomingMessage, ServerResponse } from 'node:http';
import { type errors, type KoaContextWithOIDC, Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { type IdentityContext, tablesOf } from '../context.ts';
import { authenticationEvent } from '../events.ts';
import { hashSecret } from '../token-secret.ts';
import { secretMatches } from './client-metadata.ts';
import { touchClient } from './client-store.ts';
import type { Approvals, BackchannelAnswers } from '../approvals/approvals.ts';
import { createCertificateEndpoint } from '../certificates/certificate-endpoint.ts';
import type { Certificates } from '../certificates/certificates.ts';
import type { PeerCertificates } from '../certificates/peer-certificate.ts';
import { addBackchannelDelivery, type BackchannelDelivery, CIBA } from './backchannel-delivery.ts';
import { backchannelAnswers } from './backchannel-answers.ts';
import { type ConfigurationParts, oidcConfiguration } from './oidc-configuration.ts';
import { type CertificateTokens, createCertificateTokens } from './certificate-token.ts';
import { KEYS_CHANNEL, type SigningKeys } from './signing-keys.ts';
import { addTokenExchange } from './token-exchange.ts';
import type { TokenGuard } from './token-guard.ts';
import { addWorkloadGrant } from './workload-grant.ts';
import { createIssuedAnnouncer, type IssuedAnnouncer } from './token-announcement.ts';
import { rememberJti } from './token-store.ts';

/** When a client last got a token is kept this precisely. */
const TOUCH_STEP_MS = 60_000;

export interface OauthServer {
  /**
   * Answers `/oauth/*` and `/.well-known/*`; must get the request with its body unread. `mtls`: it came by the listener
   * that asks for client certificates.
   */
  handle(req: IncomingMessage, res: ServerResponse, via?: 'mtls'): Promise<void>;
  /** A token for whoever proved to a gateway that this certificate (DER) is its own; null for nobody's. */
  readonly tokenForCertificate: CertificateTokens;
  /** Gives waiting clients the decisions of people. */
  readonly answers: BackchannelAnswers;
  /** Sends what waits and stops listening for new signing keys. */
  stop(): Promise<void>;
}

/** What of an issued token is told on; the library's model carries more. */
interface IssuedToken {
  readonly jti: string;
  readonly clientId?: string | undefined;
  readonly client?: object | undefined;
  readonly format?: string | undefined;
  readonly jkt?: string | undefined;
  readonly 'x5t#S256'?: string | undefined;
}

/** What the server is made of beside the library; see identity.ts. */
export interface OauthParts {
  readonly peers: PeerCertificates;
  readonly guard: TokenGuard;
  readonly approvals: Approvals;
  readonly certificates: Certificates;
}

export async function startOauthServer(
  context: IdentityContext,
  keys: SigningKeys,
  oauthParts: OauthParts,
): Promise<OauthServer> {
  const announcer = createIssuedAnnouncer(context.db, context.logger);
  const publicUrl = new URL(context.config.publicUrl);
  const mtlsUrl = new URL(context.config.mtlsUrl ?? context.config.publicUrl);
  const { nonceSecret } = context.config.clients;
  const parts = {
    ...oauthParts,
    nonceSecret: nonceSecret === undefined ? context.random(32) : Buffer.from(nonceSecret, 'hex'),
  };
  const { peers, guard } = parts;
  const certificateEndpoint = createCertificateEndpoint(context, parts.certificates, guard);
  const deliveries: BackchannelDelivery[] = [];
  let provider = await buildProvider(context, keys, announcer, parts, deliveries);
  let handler = provider.callback();
  const reload = async (): Promise<void> => {
    try {
      provider = await buildProvider(context, keys, announcer, parts, deliveries);
      handler = provider.callback();
    } catch (error) {
      context.logger.error({ err: error }, 'could not load the new signing keys');
    }
  };
  const listener = await context.db.listen(KEYS_CHANNEL, () => void reload());
  return {
    answers: backchannelAnswers(() => provider),
    tokenForCertificate: createCertificateTokens(context, peers, () => provider),
    async handle(req, res, via) {
      const asks = (req.url ?? '').startsWith('/oauth/');
      if (asks && !(await guard.admit(req, res))) return;
      const peer = await peers.load(req);
      pinAddress(req, via === 'mtls' ? mtlsUrl : publicUrl);
      if (await certificateEndpoint(req, res, peer)) return;
      await handler(req, res);
    },
    async stop() {
      await Promise.all(deliveries.map((delivery) => delivery.stop()));
      await announcer.flush();
      await listener.stop();
    },
  };
}

/**
 * The library makes addresses, and the audiences that it accepts in assertions and DPoP proofs, from what a request
 * names. Only the configured public address is ours, whatever a client or a proxy in between says.
 */
export function pinAddress(req: IncomingMessage, publicUrl: URL): void {
  req.headers.host = publicUrl.host;
  req.headers['x-forwarded-proto'] = publicUrl.protocol.slice(0, -1);
  delete req.headers['x-forwarded-host'];
  delete req.headers['x-forwarded-for'];
}

type GrantHandler = (ctx: KoaContextWithOIDC) => void | Promise<void>;
type GrantParameters = string | readonly string[] | ReadonlySet<string>;

/** The library's own grants are not offered for reuse; they pass by here when it registers them. */
function capturingProvider(captured: Map<string, GrantHandler>): typeof Provider {
  class CapturingProvider extends Provider {
    override registerGrantType<Params extends object>(
      name: string,
      handler: (ctx: TokenEndpointGrantContext<Params>) => void | Promise<void>,
      ...rest: [params?: GrantParameters, duplicates?: GrantParameters]
    ): void {
      captured.set(name, handler as GrantHandler); // called with the context of the token endpoint, as here
      super.registerGrantType(name, handler, ...rest);
    }
  }
  return CapturingProvider;
}

async function buildProvider(
  context: IdentityContext,
  keys: SigningKeys,
  announcer: IssuedAnnouncer,
  parts: ConfigurationParts,
  deliveries: BackchannelDelivery[],
): Promise<Provider> {
  const grants = new Map<string, GrantHandler>();
  const Class = capturingProvider(grants);
  const provider = new Class(context.config.publicUrl, oidcConfiguration(context, await keys.load(), parts));
  // The scheme comes from the header that pinAddress sets: behind a TLS proxy the socket itself is plain.
  provider.proxy = true;
  replaceSecretComparison(context, provider);
  replaceReplayDetection(context, provider);
  addWorkloadGrant(context, provider);
  const issue = grants.get('client_credentials');
  if (!issue) throw new Error('the library registered no client_credentials grant');
  addTokenExchange(context, provider, issue);
  const answer = grants.get(CIBA);
  if (!answer) throw new Error('the library registered no CIBA grant');
  deliveries.push(addBackchannelDelivery(context, provider, parts.approvals, answer));
  reportTokens(context, provider, announcer);
  countFailures(context, provider, parts.guard);
  return provider;
}

/** Failures that somebody who guesses makes; a wrong scope or a missing nonce is none. */
const COUNTED_ERRORS = new Set(['invalid_client', 'invalid_grant', 'invalid_dpop_proof']);

function countFailures(context: IdentityContext, provider: Provider, guard: TokenGuard): void {
  const onError = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    if (!COUNTED_ERRORS.has(error.error)) return;
    const { Client: client } = ctx.oidc.entities;
    const guessable = client?.tokenEndpointAuthMethod === 'client_secret_basic' && error.error === 'invalid_client';
    guard
      .countFailure(ctx.req, guessable ? client.clientId : undefined, error.error_detail ?? error.message)
      .catch((failure: unknown) => context.logger.error({ err: failure }, 'could not count a failure'));
  };
  provider.on('grant.error', onError);
  provider.on('backchannel_authentication.error', onError);
  provider.on('introspection.error', onError);
  provider.on('revocation.error', onError);
}

/** The library compares with a stored secret; only hashes are stored here. See client-metadata.ts. */
function replaceSecretComparison(context: IdentityContext, provider: Provider): void {
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', {
    value(this: object, presented: unknown): boolean {
      return secretMatches(this, presented, context.clock.now());
    },
  });
}

/** The library looks a `jti` up and then stores it: two requests at once would both pass. One statement decides here. */
function replaceReplayDetection(context: IdentityContext, provider: Provider): void {
  Object.defineProperty(provider.ReplayDetection, 'unique', {
    value: (iss: string, jti: string, exp: number): Promise<boolean> =>
      rememberJti(
        tablesOf(context.db),
        hashSecret(JSON.stringify([iss, jti])).toString('base64url'),
        new Date(exp * 1000),
      ),
  });
}

function integrationOf(client: object | undefined): string | undefined {
  const id: unknown = client && 'cordon_integration_id' in client ? client.cordon_integration_id : undefined;
  return typeof id === 'string' ? id : undefined;
}

function nameOf(client: object | undefined): string | undefined {
  return client && 'clientName' in client && typeof client.clientName === 'string' ? client.clientName : undefined;
}

function reportTokens(context: IdentityContext, provider: Provider, announcer: IssuedAnnouncer): void {
  const touched = new Map<string, number>();
  const touch = (clientId: string): void => {
    const now = context.clock.now();
    if (now - (touched.get(clientId) ?? 0) < TOUCH_STEP_MS) return;
    touched.set(clientId, now);
    touchClient(tablesOf(context.db), clientId, now).catch((error: unknown) =>
      context.logger.warn({ err: error, clientId }, 'could not note the last use of a client'),
    );
  };

  const onIssued = (token: IssuedToken): void => {
    if (token.format !== 'jwt') announcer.add(hashSecret(token.jti).toString('hex'));
    const clientId = token.clientId ?? '';
    touch(clientId);
    const integrationId = integrationOf(token.client);
    const name = nameOf(token.client);
    context.emit(
      authenticationEvent('ticket', {
        at: context.clock.now(),
        outcome: 'success',
        activityName: 'Access token issued',
        methods: [token.jkt ? 'dpop' : token['x5t#S256'] ? 'mtls' : 'bearer'],
        user: { id: clientId, ...(name === undefined ? {} : { name }) },
        clientId,
        ...(integrationId === undefined ? {} : { integrationId }),
      }),
    );
  };
  provider.on('client_credentials.saved', onIssued);
  provider.on('client_credentials.issued', onIssued);
  provider.on('access_token.saved', onIssued);

  provider.on('grant.error', (ctx: KoaContextWithOIDC, error) => {
    const client = ctx.oidc.entities.Client;
    const name = nameOf(client);
    const integrationId = integrationOf(client);
    const { clientId } = client ?? {};
    context.emit(
      authenticationEvent('ticket', {
        at: context.clock.now(),
        outcome: 'failure',
        severity: 'low',
        activityName: 'Access token refused',
        // The library puts the reason for operators apart from what the client is told.
        reason: error.error_detail ?? error.error_description ?? error.message,
        methods: ['client'],
        ip: ctx.ip,
        ...(clientId === undefined
          ? {}
          : { clientId, user: { id: clientId, ...(name === undefined ? {} : { name }) } }),
        ...(integrationId === undefined ? {} : { integrationId }),
      }),
    );
  });
  provider.on('server_error', (ctx: KoaContextWithOIDC, error) =>
    context.logger.error({ err: error, path: ctx.path }, 'the authorization server failed'),
  );
}
