import type { Transaction } from '@cordon/kernel';
import { uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { findPerson } from '../people/person-store.ts';
import { PersonId } from '@cordon/kernel';
import type { Person } from '../people/person.ts';
import { createUpstreamFetch } from '../upstream/egress.ts';
import {
  claimOutbox,
  findReceiver,
  insertOutbox,
  isSubject,
  listReceivers,
  type OutboxRow,
  settleOutbox,
  type SignalReceiver,
  takeFacts,
} from './receiver-store.ts';
import { EVENT_TYPES, nameOfEvent, payloadOf, SENT_TYPES, VERIFICATION } from './signal-event.ts';
import { SET_TYPE, signSet } from './set-token.ts';
import type { Subject } from './subject.ts';

/** Waits between tries: seconds first, because what is told is that somebody must be out. Then it is dead, and shown so. */
export const RETRY_MS = [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000] as const;
/** Something waits for whoever polls. */
export const OUTBOX_CHANNEL = 'cordon_signals_out';

export function authorizationContext(receiverId: string): string {
  return `identity.signal-authorization:${receiverId}`;
}

/** What a stream delivers: what was asked for, as far as it is sent at all (SSF 1.0, section 8.1.1). */
export function deliveredTypes({ stream }: SignalReceiver): readonly string[] {
  if (!stream) return [];
  return stream.eventsRequested.length === 0
    ? SENT_TYPES
    : SENT_TYPES.filter((type) => stream.eventsRequested.includes(type));
}

function userOf(context: IdentityContext, receiver: SignalReceiver, person: Person, email: string): Subject {
  return receiver.subjectFormat === 'email'
    ? { format: 'email', email }
    : { format: 'iss_sub', iss: `${context.config.publicUrl}/sso`, sub: person.id };
}

/** Writes an event for a receiver; delivered by whoever serves next. */
export async function queueEvent(
  context: IdentityContext,
  tx: Pick<Transaction, 'tables'>,
  receiver: SignalReceiver,
  event: {
    readonly type: string;
    readonly subject: unknown;
    readonly payload: object;
    readonly personId: string | null;
    readonly txn?: string;
  },
): Promise<string> {
  const at = context.clock.now();
  const id = uuidv7(at);
  const claims = {
    aud: receiver.audience,
    sub_id: event.subject,
    ...(event.txn === undefined ? {} : { txn: event.txn }),
    events: { [event.type]: event.payload },
  };
  const shown = event.type === VERIFICATION ? 'verification' : (nameOfEvent(event.type) ?? event.type);
  await insertOutbox(tablesOf(tx), {
    id,
    receiverId: receiver.id,
    event: shown,
    claims,
    personId: event.personId,
    createdAt: at,
  });
  return id;
}

export interface Transmitter {
  /** Makes events of what happened and pushes what is due. */
  run(): Promise<void>;
}

export function createTransmitter(context: IdentityContext, keys: SigningKeys): Transmitter {
  const { db, clock, envelope, config } = context;
  const fetch = createUpstreamFetch(config.signOnPrivateHosts);

  /** One transaction for the facts and the events made of them: none is lost, none is told twice. */
  const expand = async (): Promise<boolean> =>
    db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      const facts = await takeFacts(tables);
      if (facts.length === 0) return false;
      const receivers = (await listReceivers(tables)).filter(({ stream, status }) => stream && status !== 'disabled');
      for (const fact of facts) {
        const type = Object.entries(EVENT_TYPES).find(([name]) => name === fact.kind)?.[1];
        const payload = payloadOf(fact);
        const person = await findPerson(tables, PersonId.parse(fact.personId));
        if (type === undefined || payload === null || !person) continue;
        const txn = uuidv7(fact.at);
        for (const receiver of receivers) {
          if (fact.origin !== null && fact.origin === receiver.audience) continue;
          if (!deliveredTypes(receiver).includes(type) || !(await isSubject(tables, receiver, person.id))) continue;
          const before = fact.detail['before'];
          const named = fact.kind === 'identifier-changed' && typeof before === 'string' ? before : person.email;
          const user = userOf(context, receiver, person, named);
          const { session } = fact.detail;
          const subject =
            typeof session === 'string'
              ? { format: 'complex', user, session: { format: 'opaque', id: session } }
              : user;
          await queueEvent(context, tx, receiver, { type, subject, payload, personId: person.id, txn });
        }
      }
      await tx.notify(OUTBOX_CHANNEL, '');
      return true;
    });

  const push = async (receiver: SignalReceiver, row: OutboxRow): Promise<{ status: number; text: string }> => {
    const authorization =
      receiver.sealedAuthorization &&
      envelope.open(receiver.sealedAuthorization, authorizationContext(receiver.id)).toString('utf8');
    const response = await fetch(receiver.stream?.endpointUrl ?? '', {
      method: 'POST',
      headers: {
        'content-type': SET_TYPE,
        accept: 'application/json',
        ...(authorization === null ? {} : { authorization }),
      },
      body: await signSet(keys, { issuer: config.publicUrl, jti: row.id, claims: row.claims, at: clock.now() }),
    });
    return { status: response.status, text: (await response.text()).slice(0, 300) };
  };

  const deliver = async (row: OutboxRow): Promise<void> => {
    const tables = tablesOf(db);
    const settle = (state: OutboxRow['state'], outcome: string, nextAt?: number) =>
      settleOutbox(
        tables,
        { receiverId: row.receiverId, ids: [row.id] },
        { state, outcome, ...(nextAt === undefined ? {} : { nextAt }) },
        clock.now(),
      );
    const receiver = await findReceiver(tables, row.receiverId);
    if (!receiver?.stream?.endpointUrl) return void (await settle('dead', 'The receiver is gone.'));
    let outcome: string;
    try {
      const { status, text } = await push(receiver, row);
      if (status >= 200 && status < 300) return void (await settle('delivered', `HTTP ${status}`));
      outcome = `HTTP ${status} ${text}`;
      // RFC 8935, section 2.3: the receiver looked at the token and will never take it.
      if (status === 400 && !/authentication_failed|access_denied/.test(text))
        return void (await settle('dead', outcome));
    } catch (error) {
      const detail = error instanceof Error && 'detail' in error ? JSON.stringify(error.detail) : '';
      outcome = `${error instanceof Error ? error.message : String(error)} ${detail}`;
    }
    const wait = RETRY_MS[row.attempts - 1];
    await (wait === undefined ? settle('dead', outcome) : settle('waiting', outcome, clock.now() + wait));
    return undefined;
  };

  return {
    async run() {
      while (await expand()) continue;
      for (;;) {
        const due = await claimOutbox(tablesOf(db), clock.now());
        if (due.length === 0) return;
        await Promise.all(due.map(deliver));
      }
    },
  };
}
