import { appendAudit, PersonId } from '@cordon/kernel';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SignalInvalid, SignalReceiverNotFound } from '../errors.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { findPerson, findPersonByLogin } from '../people/person-store.ts';
import { hashSecret } from '../token-secret.ts';
import { refusedAddress } from '../upstream/egress.ts';
import {
  findReceiver,
  findReceiverByHash,
  listOutbox,
  POLL,
  PUSH,
  setSubject,
  settleOutbox,
  type SignalReceiver,
  type Stream,
  type StreamStatus,
  updateReceiver,
} from './receiver-store.ts';
import { signSet } from './set-token.ts';
import { SENT_TYPES, VERIFICATION } from './signal-event.ts';
import { partsOf, subjectSchema } from './subject.ts';
import { authorizationContext, deliveredTypes, OUTBOX_CHANNEL, queueEvent } from './transmitter.ts';

export const SSF_PATH = '/ssf';
const EVENTS_MAX = 50;
const POLL_EVENTS = 50;
const POLL_EVENTS_MAX = 100;
const POLL_IDS_MAX = 500;
const VERIFY_INTERVAL_S = 5;

const deliverySchema = z
  .object({
    method: z.enum([PUSH, POLL]),
    endpoint_url: z.url().max(1_000).optional(),
    authorization_header: z.string().min(1).max(2_000).optional(),
  })
  .refine(({ method, endpoint_url }) => method !== PUSH || endpoint_url !== undefined, 'push needs an endpoint_url');

/** What a receiver may set of its stream (SSF 1.0, section 8.1.1); members that only we set are read over. */
export const streamBody = z.object({
  stream_id: z.string().max(100).optional(),
  delivery: deliverySchema.optional(),
  events_requested: z.array(z.string().max(300)).max(EVENTS_MAX).optional(),
  description: z.string().max(500).optional(),
});
export const statusBody = z.object({
  stream_id: z.string().max(100),
  status: z.enum(['enabled', 'paused', 'disabled']),
  reason: z.string().max(500).optional(),
});
export const subjectBody = z.object({
  stream_id: z.string().max(100),
  subject: subjectSchema,
  verified: z.boolean().optional(),
});
export const verifyBody = z.object({ stream_id: z.string().max(100), state: z.string().max(500).optional() });
export const pollBody = z.object({
  maxEvents: z.int().min(0).max(1_000_000).optional(),
  returnImmediately: z.boolean().optional(),
  ack: z.array(z.string().max(255)).max(POLL_IDS_MAX).optional(),
  setErrs: z
    .record(z.string().max(255), z.object({ err: z.string().max(100), description: z.string().max(500).optional() }))
    .optional(),
});

const invalid = (text: string): never => {
  throw new SignalInvalid(text, { err: 'invalid_request' });
};

/** A receiver's half of SSF 1.0, section 8: its stream, its subjects, its polling. */
export interface Streams {
  metadata(): Record<string, unknown>;
  /** Null: no such token. */
  resolve(token: string): Promise<SignalReceiver | null>;
  show(receiver: SignalReceiver): Record<string, unknown>;
  /** `mode` as the method: POST makes one, PATCH keeps what isn't named, PUT doesn't. */
  write(
    receiver: SignalReceiver,
    mode: 'POST' | 'PATCH' | 'PUT',
    body: z.output<typeof streamBody>,
  ): Promise<SignalReceiver>;
  remove(receiver: SignalReceiver): Promise<void>;
  setStatus(receiver: SignalReceiver, body: z.output<typeof statusBody>): Promise<SignalReceiver>;
  changeSubject(receiver: SignalReceiver, body: z.output<typeof subjectBody>, included: boolean): Promise<void>;
  verify(receiver: SignalReceiver, state: string | undefined): Promise<void>;
  /** What is acknowledged and what waits (RFC 8936, section 2). */
  poll(
    receiver: SignalReceiver,
    body: z.output<typeof pollBody>,
  ): Promise<{ sets: Record<string, string>; moreAvailable: boolean }>;
}

export function createStreams(context: IdentityContext, keys: SigningKeys): Streams {
  const { db, clock, config, envelope } = context;
  const base = config.publicUrl + SSF_PATH;
  const pollUrl = (id: string): string => `${base}/poll/${id}`;

  const reload = async ({ id }: SignalReceiver): Promise<SignalReceiver> => {
    const found = await findReceiver(tablesOf(db), id);
    if (!found) throw new SignalReceiverNotFound('There is no such stream.');
    return found;
  };
  const record = (
    receiver: SignalReceiver,
    action: string,
    change: Parameters<typeof updateReceiver>[2],
  ): Promise<void> =>
    db.transaction(async (tx) => {
      await updateReceiver(tablesOf(tx), receiver.id, change, clock.now());
      const { sealedAuthorization: _secret, ...detail } = change;
      await appendAudit(tx, {
        actor: { kind: 'system', name: `signal receiver ${receiver.name}` },
        action,
        target: { type: 'signal-receiver', id: receiver.id, name: receiver.name },
        detail: { ...detail },
        at: clock.now(),
      });
    });
  const checkEndpoint = (url: string): void => {
    const refused = refusedAddress(url, config.signOnPrivateHosts);
    if (refused !== null) invalid(`The endpoint can't be used: ${refused}`);
  };

  return {
    metadata: () => ({
      spec_version: '1_0',
      issuer: config.publicUrl,
      jwks_uri: `${config.publicUrl}/oauth/jwks`,
      delivery_methods_supported: [PUSH, POLL],
      configuration_endpoint: `${base}/streams`,
      status_endpoint: `${base}/status`,
      add_subject_endpoint: `${base}/subjects/add`,
      remove_subject_endpoint: `${base}/subjects/remove`,
      verification_endpoint: `${base}/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
      default_subjects: 'ALL',
    }),

    async resolve(token) {
      const hash = hashSecret(token);
      const found = await findReceiverByHash(tablesOf(db), hash, clock.now());
      return found ?? null;
    },

    show(receiver) {
      const { stream } = receiver;
      const isPush = stream?.method === PUSH;
      return {
        stream_id: receiver.id,
        iss: config.publicUrl,
        aud: receiver.audience,
        events_supported: SENT_TYPES,
        events_requested: stream?.eventsRequested ?? [],
        events_delivered: deliveredTypes(receiver),
        // The header is a secret of the receiver's: it isn't shown again.
        delivery: { method: stream?.method, endpoint_url: isPush ? stream.endpointUrl : pollUrl(receiver.id) },
        min_verification_interval: VERIFY_INTERVAL_S,
        ...(stream?.description ? { description: stream.description } : {}),
      };
    },

    async write(receiver, mode, body) {
      const before = mode === 'PATCH' ? receiver.stream : null;
      const { delivery } = body;
      const method = delivery?.method ?? before?.method ?? POLL;
      const endpointUrl = method === PUSH ? (delivery?.endpoint_url ?? before?.endpointUrl ?? null) : null;
      if (endpointUrl !== null) checkEndpoint(endpointUrl);
      const header = delivery?.authorization_header;
      const stream: Stream = {
        method,
        endpointUrl,
        eventsRequested: body.events_requested ?? before?.eventsRequested ?? [],
        description: body.description ?? before?.description ?? null,
      };
      const keepsHeader = mode === 'PATCH' && delivery === undefined;
      await record(receiver, mode === 'POST' ? 'signal_stream.created' : 'signal_stream.changed', {
        stream,
        ...(mode === 'POST' ? { status: 'enabled', statusReason: null } : {}),
        ...(keepsHeader
          ? {}
          : {
              sealedAuthorization:
                header === undefined ? null : envelope.seal(header, authorizationContext(receiver.id)),
            }),
      });
      return reload(receiver);
    },

    async remove(receiver) {
      await record(receiver, 'signal_stream.removed', { stream: null, sealedAuthorization: null });
      const waiting = await listOutbox(tablesOf(db), { receiverId: receiver.id, state: 'waiting' });
      const ids = waiting.map(({ id }) => id);
      const result = { state: 'dead', outcome: 'The receiver deleted its stream.' } as const;
      await settleOutbox(tablesOf(db), { receiverId: receiver.id, ids }, result, clock.now());
    },

    async setStatus(receiver, { status, reason }) {
      const change: { status: StreamStatus; statusReason: string | null } = { status, statusReason: reason ?? null };
      await record(receiver, 'signal_stream.status_changed', change);
      return reload(receiver);
    },

    async changeSubject(receiver, { subject }, included) {
      const tables = tablesOf(db);
      for (const one of partsOf(subject).user) {
        const isOwn =
          one.format === 'iss_sub' && one.iss === `${config.publicUrl}/sso` && /^[0-9a-f-]{36}$/.test(one.sub);
        const person =
          one.format === 'email'
            ? await findPersonByLogin(tables, one.email)
            : isOwn
              ? await findPerson(tables, PersonId.parse(one.sub))
              : undefined;
        if (!person) continue;
        await setSubject(tables, { receiverId: receiver.id, personId: person.id, included, at: clock.now() });
      }
      // Who isn't known is not said: SSF 1.0, section 9.3.2, lets a receiver learn nothing about accounts.
    },

    async verify(receiver, state) {
      await db.transaction(async (tx) => {
        const payload = state === undefined ? {} : { state };
        const subject = { format: 'opaque', id: receiver.id };
        await queueEvent(context, tx, receiver, { type: VERIFICATION, subject, payload, personId: null });
        await tx.notify('cordon_signals', '');
        await tx.notify(OUTBOX_CHANNEL, '');
      });
    },

    async poll(receiver, { ack = [], setErrs = {}, maxEvents }) {
      const tables = tablesOf(db);
      const which = (ids: readonly string[]) => ({
        receiverId: receiver.id,
        ids: ids.filter((id) => /^[0-9a-f-]{36}$/.test(id)),
      });
      await settleOutbox(tables, which(ack), { state: 'delivered', outcome: 'Acknowledged.' }, clock.now());
      for (const [id, { err, description = '' }] of Object.entries(setErrs)) {
        await settleOutbox(tables, which([id]), { state: 'dead', outcome: `${err}: ${description}` }, clock.now());
      }
      if (receiver.status !== 'enabled') return { sets: {}, moreAvailable: false };
      const wanted = Math.min(maxEvents ?? POLL_EVENTS, POLL_EVENTS_MAX);
      const waiting = await listOutbox(tables, { receiverId: receiver.id, state: 'waiting', oldest: wanted + 1 });
      const sets: Record<string, string> = {};
      for (const row of waiting.slice(0, wanted)) {
        sets[row.id] = await signSet(keys, {
          issuer: config.publicUrl,
          jti: row.id,
          claims: row.claims,
          at: clock.now(),
        });
      }
      return { sets, moreAvailable: waiting.length > wanted };
    },
  };
}
