import { type Actor, appendAudit, authorize, type Transaction, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SignalNameTaken, SignalReceiverNotFound, SignalSourceNotFound, SignalTransmitterFailed } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';
import { createUpstreamFetch, refusedAddress } from '../upstream/egress.ts';
import { sourceTokenContext } from './intake.ts';
import { liftHold, listHolds, type PersonState } from './person-state-store.ts';
import {
  findReceiver,
  insertReceiver,
  listOutbox,
  listReceivers,
  type OutboxRow,
  POLL,
  PUSH,
  removeReceiver,
  settleOutbox,
  type SignalReceiver,
  type StreamStatus,
  updateReceiver,
} from './receiver-store.ts';
import { EVENT_TYPES, SIGNAL_NAMES, STREAM_UPDATED } from './signal-event.ts';
import {
  deleteSource,
  findSource,
  insertSource,
  listReceived,
  listSources,
  type ReceivedSignal,
  type SignalActs,
  type SignalSource,
  updateSource,
} from './source-store.ts';
import { SSF_PATH, type Streams } from './streams.ts';
import { authorizationContext, queueEvent } from './transmitter.ts';

export const RECEIVER_TOKEN_PREFIX = 'cordon_ssf_';

export interface NewReceiver {
  readonly name: string;
  readonly audience: string;
  readonly subjectFormat: 'email' | 'iss_sub';
  readonly allSubjects: boolean;
  /** A receiver that can't make its stream itself is pushed to here. */
  readonly push: { readonly endpointUrl: string; readonly authorization?: string | undefined } | null;
}

export interface NewSource {
  readonly name: string;
  readonly issuer: string;
  readonly audience?: string | undefined;
  readonly delivery: 'push' | 'poll';
  /** Ours at the transmitter; without it an administrator there makes the stream. */
  readonly token?: string | undefined;
  readonly acts: SignalActs;
}

/** What an administrator enters at a transmitter that lets nobody make streams. */
export interface SourceAddress {
  readonly endpointUrl: string;
  readonly authorization: string;
}

const metadataSchema = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  configuration_endpoint: z.url().optional(),
  verification_endpoint: z.url().optional(),
});
const streamAnswer = z.object({
  stream_id: z.string().max(300),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  delivery: z.object({ endpoint_url: z.url().optional() }).optional(),
});

/** `https://a.example/t` → `https://a.example/.well-known/ssf-configuration/t` (SSF 1.0, section 7.2). */
export function wellKnownOf(issuer: string): string {
  const url = new URL(issuer);
  return `${url.origin}/.well-known/ssf-configuration${url.pathname === '/' ? '' : url.pathname}`;
}

/** What administrators do with shared signals. */
export function createSignalAdmin(context: IdentityContext, streams: Streams) {
  const { db, clock, config, envelope } = context;
  const fetch = createUpstreamFetch(config.signOnPrivateHosts);

  const audit = (
    tx: Transaction,
    actor: Actor,
    action: string,
    target: { type: string; id: string; name: string },
    detail: object = {},
  ) => appendAudit(tx, { actor, action, target, detail: { ...detail }, at: clock.now() });
  const tell = (
    kind: 'create' | 'update' | 'delete',
    actor: Actor,
    entity: { type: string; id: string; name: string },
  ): void =>
    context.emit(
      entityManagementEvent(kind, { at: clock.now(), outcome: 'success', severity: 'medium', actor, entity }),
    );
  const receiverTarget = ({ id, name }: SignalReceiver) => ({ type: 'signal-receiver', id, name });
  const sourceTarget = ({ id, name }: SignalSource) => ({ type: 'signal-source', id, name });

  const receiver = async (id: string): Promise<SignalReceiver> => {
    const found = await findReceiver(tablesOf(db), id);
    if (!found) throw new SignalReceiverNotFound('There is no such receiver.');
    return found;
  };
  const source = async (id: string): Promise<SignalSource> => {
    const found = await findSource(tablesOf(db), id);
    if (!found) throw new SignalSourceNotFound('There is no such source.');
    return found;
  };

  const ask = async (
    url: string,
    token: string | null,
    call: { method: string; body?: object } = { method: 'GET' },
  ): Promise<unknown> => {
    try {
      const response = await fetch(url, {
        method: call.method,
        headers: {
          accept: 'application/json',
          ...(call.body ? { 'content-type': 'application/json' } : {}),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: call.body ? JSON.stringify(call.body) : null,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 200)}`);
      return text === '' ? {} : JSON.parse(text);
    } catch (error) {
      const detail = error instanceof Error && 'detail' in error ? ` ${JSON.stringify(error.detail)}` : '';
      const text = error instanceof Error ? error.message : String(error);
      throw new SignalTransmitterFailed(`The transmitter can’t be used: ${text}${detail}`, {}, error);
    }
  };

  const tokenOf = (one: SignalSource): string | null =>
    one.sealedToken && envelope.open(one.sealedToken, sourceTokenContext(one.id)).toString('utf8');

  const verifySource = async (one: SignalSource): Promise<void> => {
    const { verificationUrl } = one.transmitter;
    if (verificationUrl === null || one.streamId === null) {
      throw new SignalTransmitterFailed('An administrator of the transmitter starts the verification there.');
    }
    const state = context.random(16).toString('base64url');
    await updateSource(tablesOf(db), one.id, { verifyState: state }, clock.now());
    await ask(verificationUrl, tokenOf(one), { method: 'POST', body: { stream_id: one.streamId, state } });
  };

  /** Makes our stream at the transmitter. */
  const subscribe = async (one: SignalSource, authorization: string): Promise<SignalSource> => {
    const { configurationUrl } = one.transmitter;
    const token = tokenOf(one);
    if (configurationUrl === null || token === null) return one;
    const delivery =
      one.delivery === 'push'
        ? {
            method: PUSH,
            endpoint_url: `${config.publicUrl}${SSF_PATH}/in/${one.id}`,
            authorization_header: authorization,
          }
        : { method: POLL };
    const events_requested = SIGNAL_NAMES.filter((name) => one.acts[name] !== 'none').map((name) => EVENT_TYPES[name]);
    const body = { delivery, events_requested, description: `Cordon at ${config.publicUrl}` };
    const made = streamAnswer.parse(await ask(configurationUrl, token, { method: 'POST', body }));
    const aud = [made.aud ?? one.audience].flat()[0] ?? one.audience;
    const pollUrl = one.delivery === 'poll' ? (made.delivery?.endpoint_url ?? null) : null;
    return { ...one, streamId: made.stream_id, audience: aud, transmitter: { ...one.transmitter, pollUrl } };
  };

  return {
    async receivers(actor: Actor): Promise<SignalReceiver[]> {
      authorize(actor, 'sso.read');
      return listReceivers(tablesOf(db));
    },
    show: (one: SignalReceiver) => streams.show(one),

    /** The token is returned once. */
    async addReceiver(actor: Actor, input: NewReceiver): Promise<{ receiver: SignalReceiver; token: string }> {
      authorize(actor, 'sso.write');
      const at = clock.now();
      const { value, hash } = mintSecret(context.random, RECEIVER_TOKEN_PREFIX);
      const id = uuidv7(at);
      const { push } = input;
      if (push) {
        const refused = refusedAddress(push.endpointUrl, config.signOnPrivateHosts);
        if (refused !== null) throw new SignalTransmitterFailed(`The address can’t be used: ${refused}`);
      }
      const made: SignalReceiver = {
        id,
        name: input.name,
        audience: input.audience,
        subjectFormat: input.subjectFormat,
        allSubjects: input.allSubjects,
        stream: push && { method: PUSH, endpointUrl: push.endpointUrl, eventsRequested: [], description: null },
        sealedAuthorization:
          push?.authorization === undefined ? null : envelope.seal(push.authorization, authorizationContext(id)),
        status: 'enabled',
        statusReason: null,
        createdAt: at,
        lastUsedAt: null,
      };
      await db.transaction(async (tx) => {
        if (!(await insertReceiver(tablesOf(tx), made, hash)))
          throw new SignalNameTaken('Another receiver has this name.');
        await audit(tx, actor, 'signal_receiver.added', receiverTarget(made), { audience: made.audience });
      });
      tell('create', actor, receiverTarget(made));
      return { receiver: made, token: value };
    },

    async rotateReceiver(actor: Actor, id: string): Promise<string> {
      authorize(actor, 'sso.write');
      const one = await receiver(id);
      const { value, hash } = mintSecret(context.random, RECEIVER_TOKEN_PREFIX);
      await db.transaction(async (tx) => {
        await updateReceiver(tablesOf(tx), id, { hash }, clock.now());
        await audit(tx, actor, 'signal_receiver.token_rotated', receiverTarget(one));
      });
      return value;
    },

    /** The receiver hears of it as `stream-updated` (SSF 1.0, section 8.1.5). */
    async setReceiverStatus(actor: Actor, id: string, status: StreamStatus, reason: string): Promise<SignalReceiver> {
      authorize(actor, 'sso.write');
      const one = await receiver(id);
      await db.transaction(async (tx) => {
        const subject = { format: 'opaque', id };
        const event = { type: STREAM_UPDATED, subject, payload: { status, reason }, personId: null };
        if (one.stream) await queueEvent(context, tx, one, event);
        await updateReceiver(tablesOf(tx), id, { status, statusReason: reason }, clock.now());
        await audit(tx, actor, 'signal_receiver.status_changed', receiverTarget(one), { status, reason });
        await tx.notify('cordon_signals', '');
      });
      tell('update', actor, receiverTarget(one));
      return receiver(id);
    },

    async verifyReceiver(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'sso.write');
      await streams.verify(await receiver(id), undefined);
    },

    async removeReceiver(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'sso.write');
      const one = await receiver(id);
      await db.transaction(async (tx) => {
        await removeReceiver(tablesOf(tx), id, clock.now());
        await audit(tx, actor, 'signal_receiver.removed', receiverTarget(one));
      });
      tell('delete', actor, receiverTarget(one));
    },

    async outbox(actor: Actor, id: string, state?: OutboxRow['state']): Promise<OutboxRow[]> {
      authorize(actor, 'sso.read');
      return listOutbox(tablesOf(db), { receiverId: (await receiver(id)).id, state });
    },

    /** Tries dead letters again. How many. */
    async requeue(actor: Actor, id: string, ids: readonly string[]): Promise<number> {
      authorize(actor, 'sso.write');
      const one = await receiver(id);
      const count = await db.transaction(async (tx) => {
        const result = { state: 'waiting', outcome: 'Tried again by a person.', nextAt: clock.now() } as const;
        const changed = await settleOutbox(tablesOf(tx), { receiverId: id, ids }, result, clock.now());
        await audit(tx, actor, 'signal_receiver.requeued', receiverTarget(one), { count: changed });
        await tx.notify('cordon_signals', '');
        return changed;
      });
      return count;
    },

    async sources(actor: Actor): Promise<SignalSource[]> {
      authorize(actor, 'sso.read');
      return listSources(tablesOf(db));
    },

    /** Reads the transmitter's metadata, makes our stream there when we have a token, and asks for a verification. */
    async addSource(actor: Actor, input: NewSource): Promise<{ source: SignalSource; address: SourceAddress }> {
      authorize(actor, 'sso.write');
      const metadata = metadataSchema.safeParse(await ask(wellKnownOf(input.issuer), null));
      if (!metadata.success) throw new SignalTransmitterFailed('Its ssf-configuration lacks what is needed.');
      if (metadata.data.issuer !== input.issuer)
        throw new SignalTransmitterFailed('Its ssf-configuration names another issuer.');
      const at = clock.now();
      const id = uuidv7(at);
      const authorization = `Bearer ${mintSecret(context.random, 'cordon_ssfin_').value}`;
      const draft: SignalSource = {
        id,
        name: input.name,
        issuer: input.issuer,
        audience: input.audience ?? config.publicUrl,
        jwksUri: metadata.data.jwks_uri,
        delivery: input.delivery,
        pushHash: input.delivery === 'push' ? hashSecret(authorization) : null,
        transmitter: {
          configurationUrl: metadata.data.configuration_endpoint ?? null,
          verificationUrl: metadata.data.verification_endpoint ?? null,
          pollUrl: null,
        },
        sealedToken: input.token === undefined ? null : envelope.seal(input.token, sourceTokenContext(id)),
        streamId: null,
        acts: input.acts,
        status: 'active',
        verifiedAt: null,
        verifyState: null,
        lastAt: null,
        lastError: null,
        createdAt: at,
      };
      const made = await subscribe(draft, authorization);
      await db.transaction(async (tx) => {
        if (!(await insertSource(tablesOf(tx), made))) throw new SignalNameTaken('Another source has this name.');
        await audit(tx, actor, 'signal_source.added', sourceTarget(made), {
          issuer: made.issuer,
          delivery: made.delivery,
        });
      });
      tell('create', actor, sourceTarget(made));
      if (made.streamId !== null && made.transmitter.verificationUrl !== null)
        await verifySource(made).catch(() => undefined);
      return {
        source: await source(id),
        address: { endpointUrl: `${config.publicUrl}${SSF_PATH}/in/${id}`, authorization },
      };
    },

    async changeSource(
      actor: Actor,
      id: string,
      change: { readonly status?: SignalSource['status']; readonly acts?: SignalActs },
    ): Promise<SignalSource> {
      authorize(actor, 'sso.write');
      const one = await source(id);
      await db.transaction(async (tx) => {
        await updateSource(tablesOf(tx), id, change, clock.now());
        await audit(tx, actor, 'signal_source.changed', sourceTarget(one), change);
      });
      tell('update', actor, sourceTarget(one));
      return source(id);
    },

    async verifySource(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'sso.write');
      await verifySource(await source(id));
    },

    /** Ends our stream there, too, if the transmitter can be reached. */
    async removeSource(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'sso.write');
      const one = await source(id);
      const { configurationUrl } = one.transmitter;
      if (configurationUrl !== null && one.streamId !== null) {
        const url = `${configurationUrl}?stream_id=${encodeURIComponent(one.streamId)}`;
        await ask(url, tokenOf(one), { method: 'DELETE' }).catch((error: unknown) =>
          context.logger.warn({ err: error }, 'the stream at the transmitter could not be ended'),
        );
      }
      await db.transaction(async (tx) => {
        await deleteSource(tablesOf(tx), id);
        await audit(tx, actor, 'signal_source.removed', sourceTarget(one));
      });
      tell('delete', actor, sourceTarget(one));
    },

    async received(actor: Actor, id: string): Promise<ReceivedSignal[]> {
      authorize(actor, 'sso.read');
      return listReceived(tablesOf(db), (await source(id)).id);
    },

    /** People who may not sign in because of a signal. */
    async holds(actor: Actor): Promise<PersonState[]> {
      authorize(actor, 'person.read');
      return listHolds(tablesOf(db));
    },

    async liftHold(actor: Actor, personId: string): Promise<void> {
      authorize(actor, 'person.suspend');
      await db.transaction(async (tx) => {
        if (!(await liftHold(tablesOf(tx), personId))) throw new SignalSourceNotFound('This person isn’t held.');
        await appendAudit(tx, {
          actor,
          action: 'signal.hold_lifted',
          target: { type: 'person', id: personId },
          at: clock.now(),
        });
      });
    },
  };
}
export type SignalAdmin = ReturnType<typeof createSignalAdmin>;
