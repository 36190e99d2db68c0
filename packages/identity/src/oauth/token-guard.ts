import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { type Actor, appendAudit, authorize, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { LockNotFound } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import {
  type ClientLock,
  countLockFailure,
  deleteLock,
  findWait,
  listLocks,
  type LockKind,
  saveLock,
} from './lock-store.ts';

/** Slows down and locks out whoever fails again and again at the token endpoint. */
export interface TokenGuard {
  /** Answers 429 and returns false while the request's address is locked. */
  admit(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Milliseconds until a client that has a secret may try again. */
  clientWait(clientId: string): Promise<number>;
  /** Counts one failure against the address and, for a client whose secret could be guessed, the client. */
  countFailure(request: IncomingMessage, clientId: string | undefined, reason: string): Promise<void>;
  /** A gateway locked an address: shown to people, who may unlock it. */
  note(lock: {
    readonly address: string;
    readonly failures: number;
    readonly since: number;
    readonly lockedUntil: number;
  }): Promise<void>;
  list(actor: Actor): Promise<ClientLock[]>;
  /** Lets an address or client try again at once. */
  unlock(actor: Actor, kind: LockKind, value: string, reason: string): Promise<void>;
}

/** RFC 6585, section 4. The token endpoint has no code for it in RFC 6749; `slow_down` is RFC 8628's. */
export function lockedBody(seconds: number): Record<string, unknown> {
  return {
    error: 'slow_down',
    error_description: `too many failures; try again in ${seconds} seconds`,
    type: 'urn:cordon:error:identity.sign_in_throttled',
    status: 429,
    code: 'identity.sign_in_throttled',
    detail:
      'Too many requests from this address, or for this client, failed. A security engineer can unlock it under Locks.',
  };
}

const LOOPBACK = /^(?:127\.|::1$)/;

/**
 * Whose failure it is. A proxy on this machine, or one that is configured, says so in the last entry of
 * X-Forwarded-For, which it wrote itself; from anyone else the field is a claim.
 */
export function readAddress(request: IncomingMessage, proxies: readonly string[]): string {
  const peer = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
  if (!LOOPBACK.test(peer) && !proxies.includes(peer)) return peer;
  const forwarded = request.headers['x-forwarded-for'];
  const last = typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined;
  return last !== undefined && isIP(last) !== 0 ? last : peer;
}

export function createTokenGuard(context: IdentityContext): TokenGuard {
  const { db, clock } = context;
  // Read when the request comes: the field is taken away before the library sees the request.
  const addresses = new WeakMap<IncomingMessage, string>();
  const addressOf = (request: IncomingMessage): string => {
    const known = addresses.get(request) ?? readAddress(request, context.config.clients.trustedProxies);
    addresses.set(request, known);
    return known;
  };

  const report = (lock: ClientLock, address: string): void => {
    if (lock.lockedUntil === null) return;
    const seconds = Math.ceil((lock.lockedUntil - clock.now()) / 1000);
    const what = lock.kind === 'client' ? `The client ${lock.value}` : `The address ${lock.value}`;
    context.emit(
      authenticationEvent('other', {
        at: clock.now(),
        outcome: 'failure',
        severity: 'medium',
        activityName: 'Locked',
        reason: `${what} is locked for ${seconds} s after ${lock.failures} failures: ${lock.reason}`,
        methods: ['client'],
        ip: address,
        ...(lock.kind === 'client' ? { clientId: lock.value, user: { id: lock.value } } : {}),
      }),
    );
  };

  return {
    async admit(request, response) {
      const wait = await findWait(tablesOf(db), 'address', addressOf(request), clock.now());
      if (wait === 0) return true;
      const seconds = Math.ceil(wait / 1000);
      request.resume();
      response.writeHead(429, {
        'content-type': 'application/json',
        'retry-after': String(seconds),
        'cache-control': 'no-store',
      });
      response.end(JSON.stringify(lockedBody(seconds)));
      return false;
    },
    clientWait: (clientId) => findWait(tablesOf(db), 'client', clientId, clock.now()),
    async countFailure(request, clientId, reason) {
      const address = addressOf(request);
      const now = clock.now();
      // In order of the key, so that two failures never wait for each other in a circle.
      const locks = await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const first = await countLockFailure(tables, { kind: 'address', value: address, reason, now });
        if (clientId === undefined) return [first];
        return [first, await countLockFailure(tables, { kind: 'client', value: clientId, reason, now })];
      });
      for (const lock of locks) report(lock, address);
    },
    async note({ address, failures, since, lockedUntil }) {
      const reason = 'calls without a valid token';
      const lock = { kind: 'gateway', value: address, failures, since, lockedUntil, reason } as const;
      await saveLock(tablesOf(db), lock);
      report(lock, address);
    },
    async list(actor) {
      authorize(actor, 'lock.read');
      return listLocks(tablesOf(db), clock.now());
    },
    async unlock(actor, kind, value, reason) {
      authorize(actor, 'lock.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        if (!(await deleteLock(tablesOf(tx), kind, value))) throw new LockNotFound('This is not locked.');
        if (kind === 'gateway') await context.onUnlocked?.(tx, value);
        const target = { type: `${kind}-lock`, id: uuidv7(at), name: value };
        await appendAudit(tx, { actor, action: 'lock.removed', target, detail: { kind, value, reason }, at });
      });
    },
  };
}
