import { hash as digest } from 'node:crypto';
import type { TokenEntry } from '@cordon/policy';
import { assuranceRefusal, nonceRefusal } from '../challenges.ts';
import { clientThumbprint } from '../client-certificate.ts';
import { type CheckedProof, checkProof, DPOP_ALGORITHMS } from '../dpop-proof.ts';
import { type GatewayErrorCode, type HeaderList, Refusal } from '../errors.ts';
import type { Exchange, Identity } from '../exchange.ts';
import { IntrospectionBusy, INTROSPECTED_MS_MAX } from '../identity-cache.ts';
import { checkJwt, isJwt } from '../jwt-token.ts';
import { findToken, type PresentedToken, TOKEN_CHARS_MAX, withoutParameter } from '../presented-token.ts';
import type { ProofUse } from '../proof-memory.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';

const ASSURANCE = { m0: 0, m1: 1, m2: 2 } as const;
const GET_TOKEN = 'Obtain an access token with the integration’s client credentials at the token endpoint.';

/** RFC 6750, section 3: no error code when the request carried no authentication at all. */
function challenge(error?: 'invalid_token' | 'invalid_request', description?: string): HeaderList {
  const parts = ['Bearer realm="cordon"'];
  if (error) parts.push(`error="${error}"`);
  if (description)
    parts.push(`error_description="${description.replaceAll('’', "'").replace(/[^\x20-\x7e]|["\\]/g, '')}"`);
  return [['WWW-Authenticate', parts.join(', ')]];
}

function invalid(code: GatewayErrorCode, description: string, advice: string): Refusal {
  return new Refusal(code, `${description} ${advice}`, { headers: challenge('invalid_token', description) });
}

/** One per second after a burst: a source that guesses tokens is slowed, its neighbours with good tokens are not. */
function failureRate(exchange: Exchange) {
  return { count: 1, periodMs: 1_000, burst: exchange.runtime.limits.failuresPerSource };
}

function checkSource(exchange: Exchange): void {
  checkLock(exchange);
  const verdict = exchange.runtime.failures.peek(exchange.sourceAddress, failureRate(exchange));
  if (verdict.remaining >= 1) return;
  const seconds = Math.max(
    1,
    Math.ceil(verdict.resetMs / 1000 / Math.max(1, exchange.runtime.limits.failuresPerSource)),
  );
  countForLock(exchange);
  throw new Refusal(
    'gateway.source_slowed',
    'Too many calls from this address carried no valid token. Wait before trying another one.',
    { headers: [['Retry-After', String(seconds)]] },
  );
}

function checkLock(exchange: Exchange): void {
  const { runtime, sourceAddress, startedAt: now } = exchange;
  const wait = runtime.locks.wait(sourceAddress, now, exchange.tables!); // the accept step refused the call otherwise
  if (wait === 0) return;
  throw new Refusal(
    'gateway.source_locked',
    'This address is locked after too many calls without a valid token. A security engineer can unlock it under Locks.',
    {
      headers: [['Retry-After', String(Math.ceil(wait / 1000))]],
      detail: { retry_after_seconds: Math.ceil(wait / 1000) },
    },
  );
}

function countForLock({ runtime, sourceAddress, startedAt, notes }: Exchange): void {
  const lock = runtime.locks.count(sourceAddress, startedAt);
  if (!lock) return;
  notes.push('source-locked');
  runtime.reportLock(lock);
}

function fail(exchange: Exchange, refusal: Refusal): Refusal {
  exchange.runtime.failures.take(exchange.sourceAddress, failureRate(exchange));
  countForLock(exchange);
  return refusal;
}

function takeToken(exchange: Exchange): PresentedToken {
  // The proxy asked who the connection belongs to; what the call itself carries is the SDK's idea of a vendor key.
  if (exchange.listener.proxied) return { text: exchange.listener.proxied.token, scheme: 'field' };
  const presented = findToken(exchange.request.headers, exchange.path, exchange.app.entry.credential);
  if (presented === 'malformed') {
    throw fail(
      exchange,
      new Refusal(
        'gateway.token_ambiguous',
        'The Authorization field holds no token that Cordon can read: send Bearer, token or Basic.',
        {
          headers: challenge('invalid_request'),
        },
      ),
    );
  }
  if (!presented) {
    throw new Refusal('gateway.token_missing', `This call carries no token. ${GET_TOKEN}`, { headers: challenge() });
  }
  if (presented.text.length > TOKEN_CHARS_MAX || presented.text.length < 8) {
    throw fail(exchange, invalid('gateway.token_unknown', 'The token is not one of Cordon’s.', GET_TOKEN));
  }
  return presented;
}

/** The token's entry from what is at hand: the snapshot, or an earlier proof. */
function lookUp(
  exchange: Exchange,
  tables: SnapshotTables,
  hash: string,
): { token: TokenEntry; via: Identity['via'] } | undefined {
  const listed = tables.token(hash);
  if (listed) return { token: listed, via: 'opaque' };
  const proved = exchange.runtime.identities.get(hash, tables.epoch, exchange.startedAt);
  return proved ? { token: proved, via: 'jwt' } : undefined;
}

function proveJwt(exchange: Exchange, tables: SnapshotTables, text: string, hash: string): TokenEntry {
  checkSource(exchange);
  const verdict = checkJwt(text, {
    now: exchange.startedAt,
    audience: exchange.runtime.config.audience,
    findKey: (kid) => tables.key(kid),
  });
  if (!verdict.ok) {
    const code = verdict.expired ? 'gateway.token_expired' : 'gateway.token_invalid';
    throw fail(exchange, invalid(code, `The access token is refused: ${verdict.why}.`, GET_TOKEN));
  }
  const { claims } = verdict;
  const integration = tables.integrationByClient(claims.clientId);
  if (!integration) {
    throw fail(
      exchange,
      invalid('gateway.token_unknown', 'The token’s client is no integration known here.', GET_TOKEN),
    );
  }
  const token: TokenEntry = {
    integrationId: integration.id,
    clientId: claims.clientId,
    expiresAt: claims.expiresAt,
    cnf: claims.cnf,
    scope: [...claims.scope],
    audience: [...claims.audience],
    assurance: claims.cnf ? 'm1' : 'm0',
    approval: null,
  };
  exchange.runtime.identities.set(hash, token, tables.epoch);
  return token;
}

async function introspect(exchange: Exchange, tables: SnapshotTables, hash: string): Promise<TokenEntry> {
  const { identities, source, clock } = exchange.runtime;
  checkSource(exchange);
  const unknown = () => invalid('gateway.token_unknown', 'The access token is unknown or was withdrawn.', GET_TOKEN);
  if (identities.hasMissed(hash, exchange.startedAt)) throw fail(exchange, unknown());
  let answer;
  try {
    answer = await identities.ask(hash, source);
  } catch (error) {
    // Not a failure of the caller's: its token may be good. But nobody gets in on a guess.
    const busy = error instanceof IntrospectionBusy;
    throw new Refusal(
      'gateway.introspection_unavailable',
      busy
        ? 'Too many unknown tokens are being checked. Try again.'
        : 'This token is new here and control cannot be asked now. Try again.',
      { headers: [['Retry-After', '1']], cause: error },
    );
  }
  if (!answer.active) {
    identities.miss(hash, clock.now());
    throw fail(exchange, unknown());
  }
  identities.set(hash, answer.token, tables.epoch, Math.min(answer.token.expiresAt, clock.now() + INTROSPECTED_MS_MAX));
  return answer.token;
}

/** What holds for a token may change at any time: looked at on every call. */
function admit(
  exchange: Exchange,
  presented: PresentedToken,
  tokenHash: string,
  token: TokenEntry,
  via: Identity['via'],
): void | Promise<void> {
  const tables = exchange.tables!; // the accept step refused the call otherwise
  if (tables.isRevoked(tokenHash)) {
    throw fail(
      exchange,
      invalid(
        'gateway.token_revoked',
        'The access token was revoked.',
        'Ask the integration’s owner why before obtaining another.',
      ),
    );
  }
  if (token.expiresAt <= exchange.startedAt) {
    throw fail(exchange, invalid('gateway.token_expired', 'The access token has expired.', GET_TOKEN));
  }
  const integration = tables.integration(token.integrationId);
  if (!integration) {
    throw fail(
      exchange,
      invalid('gateway.token_unknown', 'The token’s integration does not exist any more.', GET_TOKEN),
    );
  }
  exchange.identity = { tokenHash, integration, token, via };
  exchange.tokenText = presented.text;
  exchange.tokenHeader = presented.header;
  if (presented.parameter !== undefined) exchange.path = withoutParameter(exchange.path, presented.parameter);
  checkIntegration(exchange);
  checkBinding(exchange, presented, token);
  checkApprovedApp(exchange, token);
  if (exchange.proof) return checkUse(exchange, exchange.proof);
}

/** RFC 9449, section 11.1: a proof that this process or another one took already is a replay. */
function checkUse(exchange: Exchange, { name }: CheckedProof): void | Promise<void> {
  const use = exchange.runtime.counters.useProof(name, exchange.caller.integration.id);
  return typeof use === 'string' ? judgeUse(exchange, use) : use.then((late) => judgeUse(exchange, late));
}

function judgeUse(exchange: Exchange, use: ProofUse): void {
  const { config } = exchange.runtime;
  if (use === 'first') return;
  if (use === 'used') {
    throw fail(exchange, dpopRefusal('invalid_dpop_proof', 'The DPoP proof is refused: it was used before.'));
  }
  if (use === 'full') {
    throw new Refusal(
      'gateway.proofs_exhausted',
      'This integration has used as many DPoP proofs in two minutes as are remembered for one. Make fewer calls.',
      { detail: { integration: exchange.caller.integration.name }, headers: [['Retry-After', '30']] },
    );
  }
  if (config.unsharedProofs === 'refuse') {
    throw new Refusal(
      'gateway.proof_unshared',
      'The gateways can’t tell each other which DPoP proofs were used, and are set to refuse them meanwhile. Try again.',
      { headers: [['Retry-After', '2']] },
    );
  }
  exchange.notes.push('proof-unshared');
}

/** Whatever way a call is judged further on, a token for one approved call opens no other app. */
function checkApprovedApp(exchange: Exchange, { approval }: TokenEntry): void {
  const { entry } = exchange.app;
  if (approval === null || approval.call.app === entry.name) return;
  throw new Refusal('gateway.approval_mismatch', 'This token is good for one approved call to another app.', {
    detail: { approval: approval.id, approved: approval.call },
    headers: [['WWW-Authenticate', 'Bearer realm="cordon", error="insufficient_scope"']],
  });
}

function checkIntegration(exchange: Exchange): void {
  const { integration } = exchange.caller;
  if (integration.status !== 'active') {
    throw new Refusal(
      'gateway.integration_suspended',
      `The integration ${integration.name} is ${integration.status}: all its calls are refused. Its owner or a security engineer can say why.`,
      { detail: { integration: integration.name } },
    );
  }
  if (integration.expiresAt !== null && integration.expiresAt <= exchange.startedAt) {
    throw new Refusal(
      'gateway.integration_expired',
      `The integration ${integration.name} reached its end date. Its owner can extend it.`,
      { detail: { integration: integration.name } },
    );
  }
}

function checkBinding(exchange: Exchange, presented: PresentedToken, token: TokenEntry): void {
  const { integration } = exchange.caller;
  const needed = Math.max(ASSURANCE[exchange.app.entry.assurance], ASSURANCE[integration.assurance]);
  if (ASSURANCE[token.assurance] < needed) throw assuranceRefusal(exchange, needed === 2 ? 'm2' : 'm1');
  if (token.audience.length > 0 && !matchesAudience(exchange, token.audience)) {
    throw invalid(
      'gateway.token_audience',
      'The access token was issued for another app.',
      'Name this app as resource when obtaining one.',
    );
  }
  const thumbprint = token.cnf?.['x5t#S256'] ?? null;
  if (thumbprint !== null && thumbprint !== shownThumbprint(exchange)) {
    throw fail(
      exchange,
      invalid(
        'gateway.token_invalid',
        'The access token is bound to a client certificate that this connection did not show.',
        'Connect with the integration’s certificate.',
      ),
    );
  }
  checkDpop(exchange, presented, token.cnf?.jkt ?? null);
}

function shownThumbprint({ listener, request, runtime }: Exchange): string | null {
  return listener.proxied ? listener.proxied.thumbprint : clientThumbprint(request, runtime.trustedProxies);
}

/** RFC 9449, section 7.1: a bound token needs its scheme and a fresh proof; neither goes without the other. */
function checkDpop(exchange: Exchange, presented: PresentedToken, thumbprint: string | null): void {
  if (thumbprint === null && presented.scheme !== 'dpop') return;
  const proof = exchange.request.headers['dpop'];
  if (thumbprint === null) {
    throw fail(
      exchange,
      dpopRefusal('invalid_token', 'The access token is not bound to a key, so it is no DPoP token.'),
    );
  }
  if (presented.scheme !== 'dpop' || typeof proof !== 'string') {
    const why = 'The access token is bound to a key: send it as Authorization: DPoP, with a proof in the field DPoP.';
    throw fail(exchange, dpopRefusal('invalid_token', why));
  }
  const { runtime, gatewayBase, startedAt: now, method } = exchange;
  const path = (exchange.request.url ?? '/').split('?', 1)[0]!; // split gives at least one piece
  const url = path.startsWith('/') ? gatewayBase + path : path;
  const checked = checkProof(proof, { now, method, url, token: presented.text, thumbprint });
  if (typeof checked === 'string')
    throw fail(exchange, dpopRefusal('invalid_dpop_proof', `The DPoP proof is refused: ${checked}.`));
  // RFC 9449, section 9: a nonce that is too old, or not ours, is answered with a fresh one.
  if (checked.nonce !== undefined && !runtime.nonces.accepts(checked.nonce, now)) throw nonceRefusal(exchange);
  exchange.proof = checked;
}

function dpopRefusal(error: 'invalid_token' | 'invalid_dpop_proof', description: string): Refusal {
  const value = `DPoP realm="cordon", error="${error}", error_description="${description}", algs="${DPOP_ALGORITHMS}"`;
  return new Refusal('gateway.token_invalid', description, { headers: [['WWW-Authenticate', value]] });
}

function matchesAudience(exchange: Exchange, audience: readonly string[]): boolean {
  const { entry } = exchange.app;
  const base = exchange.gatewayBase + exchange.target.prefix;
  const everywhere = exchange.runtime.config.audience;
  return audience.some(
    (name) =>
      name === entry.id ||
      name === entry.name ||
      name === base ||
      name === entry.upstream ||
      name === everywhere ||
      name === `${everywhere}/${entry.name}`,
  );
}

/** Finds out who calls. Synchronous for every token that the snapshot knows or that was proved before. */
export function loadIdentity(exchange: Exchange): void | Promise<void> {
  const tables = exchange.tables!; // the accept step refused the call otherwise
  const presented = takeToken(exchange);
  const hash = digest('sha256', presented.text, 'hex');
  const known = lookUp(exchange, tables, hash);
  if (known) return admit(exchange, presented, hash, known.token, known.via);
  if (tables.isRevoked(hash)) {
    throw fail(
      exchange,
      invalid(
        'gateway.token_revoked',
        'The access token was revoked.',
        'Ask the integration’s owner why before obtaining another.',
      ),
    );
  }
  if (isJwt(presented.text)) {
    return admit(exchange, presented, hash, proveJwt(exchange, tables, presented.text, hash), 'jwt');
  }
  return introspect(exchange, tables, hash).then((token) => admit(exchange, presented, hash, token, 'opaque'));
}
