import { hash as digest } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { TokenEntry } from '@cordon/policy';
import { type GatewayErrorCode, type HeaderList, Refusal } from '../errors.ts';
import type { Identity } from '../exchange.ts';
import { INTROSPECTED_MS_MAX } from '../identity-cache.ts';
import { checkJwt, isJwt } from '../jwt-token.ts';
import { TOKEN_CHARS_MAX } from '../presented-token.ts';
import type { GatewayRuntime } from '../runtime.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';

/** Asks the token endpoint for a token on behalf of a client that gave its id and secret. Null: it said no. */
export type TokenRequest = (clientId: string, secret: string) => Promise<string | null>;

/** The same for a client that proved to hold the key of a certificate (DER). */
export type CertificateTokenRequest = (certificate: Buffer) => Promise<string | null>;

export interface ProxyCaller {
  readonly identity: Identity;
  /** The access token, presented or obtained: what the steps of an opened connection identify by. */
  readonly token: string;
  /** Of the certificate that the connection showed. */
  readonly thumbprint: string | null;
}

/** RFC 9110, section 11.7.1. curl and the SDKs answer a Basic challenge with the user info of HTTPS_PROXY. */
const CHALLENGE: HeaderList = [
  ['Proxy-Authenticate', 'Basic realm="cordon"'],
  ['Proxy-Authenticate', 'Bearer realm="cordon"'],
];
const HOW =
  'Set HTTPS_PROXY=http://CLIENT_ID:CLIENT_SECRET@HOST:PORT, send Proxy-Authorization: Bearer with an access token, or ' +
  "connect to the proxy by TLS with the integration's certificate.";
const GRANTS_MAX = 5_000;
/** A token that was obtained for a client is used until shortly before it ends. */
const RENEW_BEFORE_MS = 30_000;

export function refuseProxy(code: GatewayErrorCode, message: string): Refusal {
  return new Refusal(code, message, { headers: CHALLENGE });
}

interface Presented {
  readonly token?: string;
  readonly client?: { readonly id: string; readonly secret: string };
}

function readAuthorization(value: string | undefined): Presented | null {
  const match = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]{1,16384})$/.exec(value ?? '');
  const scheme = match?.[1]?.toLowerCase();
  if (!match || scheme === undefined) return null;
  if (scheme === 'bearer') return { token: match[2]! };
  if (scheme !== 'basic') return null;
  const text = Buffer.from(match[2]!, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return null;
  const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)];
  // A token in either place, as vendors' keys are given: `token:<token>@`, `<token>:@`.
  if (secret === '') return { token: id };
  return { token: secret, client: { id: decode(id), secret: decode(secret) } };
}

/** RFC 6749, section 2.3.1: clients may have form-encoded both halves. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // then it wasn't encoded
  }
}

/** DER of the certificate whose key the client holds; null on a plain connection, and when it showed none. */
function shownCertificate({ socket }: IncomingMessage): Buffer | null {
  return (socket as Partial<TLSSocket>).getPeerCertificate?.()?.raw ?? null; // plain sockets lack the method
}

/** Who stands behind a connection to the proxy. Every CONNECT is asked anew, so that a revocation holds at once. */
export class ProxyIdentities {
  readonly #runtime: GatewayRuntime;
  readonly #requestToken: TokenRequest | undefined;
  readonly #requestCertificateToken: CertificateTokenRequest;
  readonly #obtained = new Map<string, { token: string; until: number }>();
  readonly #pending = new Map<string, Promise<string | null>>();

  constructor(
    runtime: GatewayRuntime,
    requestToken: TokenRequest | undefined,
    requestCertificateToken: CertificateTokenRequest,
  ) {
    this.#runtime = runtime;
    this.#requestToken = requestToken;
    this.#requestCertificateToken = requestCertificateToken;
  }

  /** @throws {Refusal} with a Proxy-Authenticate challenge. */
  async identify(request: IncomingMessage, tables: SnapshotTables): Promise<ProxyCaller> {
    const source = request.socket.remoteAddress ?? '';
    const field = request.headers['proxy-authorization'];
    const shown = field === undefined ? shownCertificate(request) : null;
    const presented = readAuthorization(field);
    if (!presented && !shown) throw refuseProxy('gateway.proxy_authentication', `The proxy asks who you are. ${HOW}`);
    this.#checkSource(source);
    try {
      if (presented) return await this.#prove(presented, request, tables);
      return await this.#proveCertificate(shown!, request, tables); // one of both is there
    } catch (error) {
      if (error instanceof Refusal && error.status === 407) this.#runtime.failures.take(source, this.#rate());
      throw error;
    }
  }

  #rate() {
    return { count: 1, periodMs: 1_000, burst: this.#runtime.limits.failuresPerSource };
  }

  #checkSource(source: string): void {
    if (this.#runtime.failures.peek(source, this.#rate()).remaining >= 1) return;
    throw new Refusal('gateway.source_slowed', 'Too many failed sign-ins from this address. Wait before another one.', {
      headers: [['Retry-After', '1']],
    });
  }

  async #prove(presented: Presented, request: IncomingMessage, tables: SnapshotTables): Promise<ProxyCaller> {
    const { token, client } = presented;
    if (token !== undefined && token.length >= 8 && token.length <= TOKEN_CHARS_MAX) {
      const known = await this.#lookUp(token, tables, client === undefined);
      if (known) return this.#admit(token, known, request, tables);
    }
    const obtained = client === undefined ? null : await this.#obtain(client.id, client.secret, tables);
    const entry = obtained === null ? null : await this.#lookUp(obtained, tables, true);
    if (obtained === null || !entry) {
      throw refuseProxy('gateway.proxy_authentication', `The proxy credentials are not known. ${HOW}`);
    }
    return this.#admit(obtained, entry, request, tables);
  }

  /** The handshake proved possession; control says whose the certificate is, once for all connections that show it. */
  async #proveCertificate(shown: Buffer, request: IncomingMessage, tables: SnapshotTables): Promise<ProxyCaller> {
    const key = digest('sha256', Buffer.concat([Buffer.from(`${tables.epoch}\0certificate\0`), shown]), 'hex');
    const obtained = await this.#remember(key, () => this.#requestCertificateToken(shown));
    const entry = obtained === null ? null : await this.#lookUp(obtained, tables, true);
    if (obtained === null || !entry) {
      throw refuseProxy('gateway.proxy_authentication', `The certificate is not one of an integration's. ${HOW}`);
    }
    return this.#admit(obtained, entry, request, tables);
  }

  async #lookUp(
    text: string,
    tables: SnapshotTables,
    ask: boolean,
  ): Promise<Omit<Identity, 'integration' | 'tokenHash'> | null> {
    const { identities, source, clock, config } = this.#runtime;
    const hash = digest('sha256', text, 'hex');
    const now = clock.now();
    const listed = tables.token(hash);
    if (listed) return { token: listed, via: 'opaque' };
    const proved = identities.get(hash, tables.epoch, now);
    if (proved) return { token: proved, via: 'opaque' };
    if (isJwt(text)) {
      const verdict = checkJwt(text, { now, audience: config.audience, findKey: (kid) => tables.key(kid) });
      const integration = verdict.ok ? tables.integrationByClient(verdict.claims.clientId) : undefined;
      if (!verdict.ok || !integration) return null;
      const { clientId, expiresAt, cnf, scope, audience } = verdict.claims;
      const token: TokenEntry = {
        integrationId: integration.id,
        clientId,
        expiresAt,
        cnf,
        scope: [...scope],
        audience: [...audience],
        assurance: cnf ? 'm1' : 'm0',
        approval: null,
      };
      return { token, via: 'jwt' };
    }
    // A password may be a client's secret: control is asked about a token only when it can be one.
    if (!ask && !text.startsWith('cordon_at_')) return null;
    if (identities.hasMissed(hash, now)) return null;
    const answer = await identities.ask(hash, source).catch((error: unknown) => {
      throw new Refusal(
        'gateway.introspection_unavailable',
        'Control cannot be asked about this token now. Try again.',
        {
          headers: [['Retry-After', '1']],
          cause: error,
        },
      );
    });
    if (!answer.active) {
      identities.miss(hash, clock.now());
      return null;
    }
    identities.set(
      hash,
      answer.token,
      tables.epoch,
      Math.min(answer.token.expiresAt, clock.now() + INTROSPECTED_MS_MAX),
    );
    return { token: answer.token, via: 'opaque' };
  }

  /** A token for a client's id and secret, asked for once however many connections begin at the same time. */
  async #obtain(id: string, secret: string, tables: SnapshotTables): Promise<string | null> {
    if (!this.#requestToken) return null;
    // The epoch is part of the key: after a revocation no token of before is used.
    const request = this.#requestToken;
    const key = digest('sha256', `${tables.epoch}\0${id}\0${secret}`, 'hex');
    return this.#remember(key, () => request(id, secret));
  }

  async #remember(key: string, request: () => Promise<string | null>): Promise<string | null> {
    const known = this.#obtained.get(key);
    if (known && known.until > this.#runtime.clock.now()) return known.token;
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = request().finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    const token = await pending.catch((error: unknown) => {
      throw new Refusal(
        'gateway.introspection_unavailable',
        'Control cannot be asked about this client now. Try again.',
        {
          headers: [['Retry-After', '1']],
          cause: error,
        },
      );
    });
    if (token === null) return null;
    if (this.#obtained.size >= GRANTS_MAX) this.#obtained.clear();
    this.#obtained.set(key, { token, until: this.#runtime.clock.now() + RENEW_BEFORE_MS });
    return token;
  }

  #admit(
    text: string,
    found: Omit<Identity, 'integration' | 'tokenHash'>,
    request: IncomingMessage,
    tables: SnapshotTables,
  ): ProxyCaller {
    const tokenHash = digest('sha256', text, 'hex');
    const { token } = found;
    const now = this.#runtime.clock.now();
    const integration = tables.integration(token.integrationId);
    if (!integration || tables.isRevoked(tokenHash) || token.expiresAt <= now) {
      throw refuseProxy('gateway.proxy_authentication', `The access token is unknown, revoked or expired. ${HOW}`);
    }
    if (integration.status !== 'active' || (integration.expiresAt !== null && integration.expiresAt <= now)) {
      throw new Refusal(
        'gateway.integration_suspended',
        `The integration ${integration.name} is not active: the proxy refuses it.`,
      );
    }
    const thumbprint = token.cnf?.['x5t#S256'] ?? null;
    const shown = shownCertificate(request);
    const shownThumbprint = shown && digest('sha256', shown, 'base64url');
    if (thumbprint !== null && shownThumbprint !== thumbprint) {
      throw refuseProxy(
        'gateway.proxy_authentication',
        'The access token is bound to a client certificate that this connection to the proxy did not show.',
      );
    }
    if ((token.cnf?.jkt ?? null) !== null) {
      throw refuseProxy(
        'gateway.proxy_authentication',
        'A DPoP-bound token proves nothing to a proxy. Use a token bound to a client certificate, or an unbound one.',
      );
    }
    return { identity: { tokenHash, integration, ...found }, token: text, thumbprint: shownThumbprint };
  }
}
