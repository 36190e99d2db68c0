import type { JWK } from 'jose';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SignalInvalid } from '../errors.ts';
import { createIssuerKeys } from '../oauth/issuer-keys.ts';
import { hashSecret, sameHash } from '../token-secret.ts';
import { createUpstreamFetch } from '../upstream/egress.ts';
import { type ReceivedSet, refuseSet, SET_CHARS_MAX, verifySet } from './set-token.ts';
import { nameOfEvent, STREAM_UPDATED, VERIFICATION } from './signal-event.ts';
import { createSignalActs } from './signal-acts.ts';
import {
  claimPolls,
  findSource,
  insertReceived,
  settleReceived,
  type SignalSource,
  updateSource,
} from './source-store.ts';

export const POLL_MS = 5_000;
const POLL_EVENTS = 50;
const POLL_ROUNDS_MAX = 20;

export function sourceTokenContext(id: string): string {
  return `identity.signal-source:${id}`;
}

/** What others tell us: checked, kept once, acted on. */
export interface Intake {
  /** A pushed token (RFC 8935). Throws `SignalInvalid` with the code to answer. */
  push(sourceId: string, authorization: string | undefined, token: string): Promise<void>;
  /** Asks every source that is due (RFC 8936). */
  pollAll(): Promise<void>;
}

const pollAnswer = z.object({
  sets: z.record(z.string().max(255), z.string().max(SET_CHARS_MAX)).default({}),
  moreAvailable: z.boolean().default(false),
});

export function createIntake(context: IdentityContext): Intake {
  const { db, clock, config, envelope, logger } = context;
  const fetch = createUpstreamFetch(config.signOnPrivateHosts);
  const keys = createIssuerKeys(clock, async (url) => (await fetch(url)).json());
  const act = createSignalActs(context);

  const verify = async (source: SignalSource, token: string): Promise<ReceivedSet> => {
    const found = await keys.keysFor({ keys: { jwksUri: source.jwksUri } }, token).catch((error: unknown) => {
      throw new SignalInvalid('The keys of the transmitter can’t be had.', { err: 'invalid_key' }, error);
    });
    const trust = { issuer: source.issuer, audience: source.audience, now: clock.now() };
    // The cast: jose's JWK and ours differ only in how absent members are written.
    return verifySet(token, { ...trust, keys: { keys: found as JWK[] } });
  };

  const noteVerified = async (source: SignalSource, set: ReceivedSet): Promise<void> => {
    if (source.verifyState !== null && set.event['state'] !== undefined && set.event['state'] !== source.verifyState) {
      refuseSet('invalid_state', 'This is not the state that was asked for.');
    }
    const at = clock.now();
    await updateSource(tablesOf(db), source.id, { verifiedAt: at, lastAt: at, lastError: null, verifyState: null }, at);
  };

  const keep = async (source: SignalSource, set: ReceivedSet): Promise<void> => {
    const name = nameOfEvent(set.type);
    const which = { sourceId: source.id, jti: set.jti };
    let report = (): void => undefined;
    await db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      const row = { jti: set.jti, at: clock.now(), event: name ?? set.type, personId: null, subject: set.subject };
      // A second delivery of the same token is acknowledged and does nothing (RFC 8935, section 2).
      if (!(await insertReceived(tables, source.id, row))) return;
      if (name === null) {
        const isOwn = set.type === STREAM_UPDATED;
        await settleReceived(tables, which, {
          personId: null,
          outcome: isOwn ? 'the stream changed' : 'unknown event',
          detail: isOwn ? { ...set.event } : {},
        });
        return;
      }
      const done = await act(tx, source, set, name);
      await settleReceived(tables, which, done.result);
      report = done.report;
    });
    report();
    await updateSource(tablesOf(db), source.id, { lastAt: clock.now(), lastError: null }, clock.now());
  };

  const take = async (source: SignalSource, token: string): Promise<void> => {
    const set = await verify(source, token);
    try {
      await (set.type === VERIFICATION ? noteVerified(source, set) : keep(source, set));
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      refuseSet('invalid_request', 'The event lacks what its type asks for.', error);
    }
  };

  const noteError = async (source: SignalSource, error: unknown): Promise<void> => {
    const text = error instanceof Error ? error.message : String(error);
    await updateSource(tablesOf(db), source.id, { lastError: text }, clock.now());
  };

  const poll = async (source: SignalSource): Promise<void> => {
    const token =
      source.sealedToken && envelope.open(source.sealedToken, sourceTokenContext(source.id)).toString('utf8');
    let ack: string[] = [];
    let setErrs: Record<string, { err: string; description: string }> = {};
    for (let round = 0; round < POLL_ROUNDS_MAX; round += 1) {
      const response = await fetch(source.transmitter.pollUrl ?? '', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ maxEvents: POLL_EVENTS, returnImmediately: true, ack, setErrs }),
      });
      if (response.status !== 200) throw new Error(`the transmitter answered ${response.status}`);
      const { sets, moreAvailable } = pollAnswer.parse(await response.json());
      ack = [];
      setErrs = {};
      for (const [jti, set] of Object.entries(sets).slice(0, POLL_EVENTS)) {
        try {
          await take(source, set);
          ack.push(jti);
        } catch (error) {
          if (!(error instanceof SignalInvalid)) throw error;
          await noteError(source, error);
          setErrs[jti] = { err: String(error.detail['err']), description: error.message };
        }
      }
      // Once more to acknowledge, also when nothing else is waiting.
      if (!moreAvailable && ack.length === 0 && Object.keys(setErrs).length === 0) return;
    }
  };

  return {
    async push(sourceId, authorization, token) {
      const source = /^[0-9a-f-]{36}$/.test(sourceId) ? await findSource(tablesOf(db), sourceId) : undefined;
      const shown = hashSecret(authorization ?? '');
      if (!source?.pushHash || !sameHash(source.pushHash, shown)) {
        return refuseSet('authentication_failed', 'The Authorization is not the one that this stream was made with.');
      }
      if (source.status !== 'active') return refuseSet('access_denied', 'This source is paused.');
      try {
        await take(source, token);
      } catch (error) {
        await noteError(source, error);
        throw error;
      }
      return undefined;
    },
    async pollAll() {
      for (const source of await claimPolls(tablesOf(db), clock.now(), POLL_MS)) {
        await poll(source).catch(async (error: unknown) => {
          logger.warn({ err: error, source: source.name }, 'a source of shared signals could not be polled');
          await noteError(source, error);
        });
      }
    },
  };
}
