import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Logger,
  type Queryable,
  type SecretEnvelope,
  uuidv7,
} from '@cordon/kernel';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { MessageInput } from '../actions/ports.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { IncidentsInputInvalid } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';

const CHANNELS_MAX = 100;
const BATCH_MAX = 50;
/** Together about two days; then a person has to look. */
const ATTEMPTS_MAX = 30;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 2 * 3_600_000;
const SEND_MS_MAX = 20_000;

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected a-z, 0-9 and dashes');
const privateAddresses = z
  .array(z.union([z.ipv4(), z.ipv6()]))
  .max(10)
  .default([]);
export const channelInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('chat'), name, url: z.url({ protocol: /^https?$/ }).max(2_000), privateAddresses }),
  /** `smtps://user:password@host:465`, or `smtp://` with STARTTLS where the server offers it. */
  z.strictObject({
    kind: z.literal('mail'),
    name,
    url: z.url({ protocol: /^smtps?$/ }).max(2_000),
    from: z.email(),
    privateAddresses,
  }),
]);
export type ChannelInput = z.output<typeof channelInput>;

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: 'chat' | 'mail';
  /** Host and sender; the address itself is sealed, for it holds a secret. */
  readonly shown: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface CaseMessage {
  readonly id: string;
  readonly channel: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** `held`: it belongs to an exercise, and was kept back where it would have left. */
  readonly status: 'waiting' | 'sent' | 'failed' | 'held';
  readonly attempts: number;
  readonly sentAt: number | null;
  readonly error: string | null;
  readonly createdAt: number;
}

export async function listChannels(db: Queryable): Promise<Channel[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_channel')
    .selectAll()
    .orderBy('name')
    .limit(CHANNELS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    shown: row.shown,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

export async function listMessages(db: Queryable, caseId: string): Promise<CaseMessage[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_message')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('created_at')
    .limit(500)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    channel: row.channel,
    to: row.recipients,
    subject: row.subject,
    text: row.text,
    status: row.status,
    attempts: row.attempts,
    sentAt: row.sent_at,
    error: row.error,
    createdAt: row.created_at,
  }));
}

/** Puts a message into the outbox, in the caller's transaction; the same key once. */
export async function queueMessage(db: Queryable, message: MessageInput, at: number): Promise<void> {
  const channel = await db
    .tables<IncidentTables>()
    .selectFrom('incident_channel')
    .select('kind')
    .where('name', '=', message.channel)
    .executeTakeFirst();
  if (!channel) throw new IncidentsInputInvalid(`There is no channel ${message.channel}: add it under Channels.`);
  if (channel.kind === 'mail' && message.to.length === 0)
    throw new IncidentsInputInvalid('A mail needs somebody to go to.');
  await db
    .tables<IncidentTables>()
    .insertInto('incident_message')
    .values({
      id: uuidv7(at),
      key: message.key,
      case_id: message.caseId,
      channel: message.channel,
      recipients: JSON.stringify(message.to),
      subject: message.subject,
      text: message.text,
      status: 'waiting',
      next_at: at,
      sent_at: null,
      error: null,
      created_at: at,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}

export function createChannelCommands({
  db,
  clock,
  envelope,
}: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
}) {
  return {
    async add(actor: Actor, input: ChannelInput): Promise<Channel> {
      authorize(actor, 'playbook.write');
      const at = clock.now();
      const id = uuidv7(at);
      const shown = input.kind === 'mail' ? `${input.from} by ${new URL(input.url).host}` : new URL(input.url).host;
      const row = {
        id,
        name: input.name,
        kind: input.kind,
        shown,
        created_at: at,
        created_by: describeActor(actor).name,
      };
      await db.transaction(async (tx) => {
        const known = await listChannels(tx);
        if (known.some((one) => one.name === input.name)) throw new IncidentsInputInvalid('The name is taken.');
        if (known.length >= CHANNELS_MAX)
          throw new IncidentsInputInvalid(`There are ${CHANNELS_MAX} channels already.`);
        const sealed = envelope.seal(JSON.stringify(input), `channel:${id}`);
        await tx
          .tables<IncidentTables>()
          .insertInto('incident_channel')
          .values({ ...row, sealed, private_addresses: JSON.stringify(input.privateAddresses) })
          .execute();
        await appendAudit(tx, {
          actor,
          action: 'channel.created',
          target: { type: 'channel', id, name: input.name },
          detail: { kind: input.kind, shown },
          at,
        });
      });
      return { id, name: input.name, kind: input.kind, shown, createdAt: at, createdBy: row.created_by };
    },
    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'playbook.write');
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<IncidentTables>()
          .deleteFrom('incident_channel')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new IncidentsInputInvalid('There is no such channel.');
        await appendAudit(tx, {
          actor,
          action: 'channel.removed',
          target: { type: 'channel', id, name: row.name },
          at: clock.now(),
        });
      });
    },
  };
}

export type ChannelCommands = ReturnType<typeof createChannelCommands>;

interface Outgoing {
  readonly key: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** Sends one mail. The Message-ID follows from the key, so that a repeat after a crash is known as one. */
export async function sendMail(
  channel: Extract<ChannelInput, { kind: 'mail' }>,
  message: Outgoing,
  resolve: (host: string, allowed: readonly string[]) => Promise<string>,
): Promise<void> {
  const url = new URL(channel.url);
  const isTls = url.protocol === 'smtps:';
  const host = await resolve(url.hostname, channel.privateAddresses);
  const transport = createTransport({
    host,
    port: url.port === '' ? (isTls ? 465 : 587) : Number(url.port),
    secure: isTls,
    // The address was looked up and judged; the certificate is checked against the name all the same.
    tls: { servername: url.hostname },
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
      requireTLS: !isTls,
    }),
    connectionTimeout: SEND_MS_MAX,
    greetingTimeout: SEND_MS_MAX,
    socketTimeout: SEND_MS_MAX,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const domain = channel.from.slice(channel.from.lastIndexOf('@') + 1);
    await transport.sendMail({
      from: channel.from,
      to: [...message.to],
      subject: message.subject.replaceAll(/[\r\n]+/g, ' '),
      text: message.text,
      messageId: `<${message.key.replaceAll(/[^\w.-]+/g, '.')}@${domain}>`,
    });
  } finally {
    transport.close();
  }
}

export interface MessageSenderDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly envelope: SecretEnvelope;
  /** Posts JSON through the guarded way out; returns the status. */
  readonly postJson: (url: URL, body: string, privateAddresses: readonly string[]) => Promise<number>;
  /** The address of a mail server; refuses private ones that were not allowed by name. */
  readonly resolve: (host: string, privateAddresses: readonly string[]) => Promise<string>;
}

/** Sends what is due; each outcome is written down. A repeating duty. */
export async function sendMessages(deps: MessageSenderDeps): Promise<number> {
  const { db, clock } = deps;
  await holdBack(db);
  const due = await db
    .tables<IncidentTables>()
    .selectFrom('incident_message as message')
    .leftJoin('incident_case as about', 'about.id', 'message.case_id')
    .leftJoin('incident_channel as channel', 'channel.name', 'message.channel')
    .select(['message.id', 'message.key', 'message.recipients', 'message.subject', 'message.text', 'message.attempts'])
    .select(['channel.id as channelId', 'channel.sealed'])
    .where('message.status', '=', 'waiting')
    .where('about.drill', 'is', null)
    .where('message.next_at', '<=', clock.now())
    .orderBy('message.next_at')
    .limit(BATCH_MAX)
    .execute();
  await Promise.all(
    due.map(async (row) => {
      let error: string | null = null;
      try {
        if (row.sealed === null || row.channelId === null) throw new Error('The channel was removed.');
        const channel = channelInput.parse(
          JSON.parse(deps.envelope.open(row.sealed, `channel:${row.channelId}`).toString()),
        );
        await deliver(deps, channel, { key: row.key, to: row.recipients, subject: row.subject, text: row.text });
      } catch (cause) {
        error = messageOf(cause);
        deps.logger.warn({ message: row.id, failure: error }, 'a message could not be sent');
      }
      await settle(db, row, error, clock.now());
    }),
  );
  return due.length;
}

/** The wall of an exercise: what belongs to its cases never reaches a channel, whoever wrote it. */
async function holdBack(db: Database): Promise<void> {
  await db
    .tables<IncidentTables>()
    .updateTable('incident_message')
    .set({ status: 'held', error: null })
    .where('status', '=', 'waiting')
    .where(
      'case_id',
      'in',
      db.tables<IncidentTables>().selectFrom('incident_case').select('id').where('drill', 'is not', null),
    )
    .execute();
}

async function deliver(deps: MessageSenderDeps, channel: ChannelInput, message: Outgoing): Promise<void> {
  if (channel.kind === 'mail') {
    await sendMail(channel, message, deps.resolve);
    return;
  }
  // `text` is what Slack, Mattermost, Teams workflows and Google Chat show; the key lets a receiver know a repeat.
  const text = message.subject === '' ? message.text : `*${message.subject}*\n${message.text}`;
  const status = await deps.postJson(
    new URL(channel.url),
    JSON.stringify({ text, idempotency_key: message.key }),
    channel.privateAddresses,
  );
  if (status < 200 || status > 299) throw new Error(`The webhook answered ${status}.`);
}

async function settle(
  db: Database,
  row: { id: string; attempts: number },
  error: string | null,
  now: number,
): Promise<void> {
  const attempts = row.attempts + 1;
  const delay = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(row.attempts, 20));
  const outcome =
    error === null
      ? { status: 'sent' as const, sent_at: now, error: null }
      : attempts >= ATTEMPTS_MAX
        ? { status: 'failed' as const, error: error.slice(0, 500) }
        : { next_at: now + delay, error: error.slice(0, 500) };
  await db
    .tables<IncidentTables>()
    .updateTable('incident_message')
    .set({ attempts, ...outcome })
    .where('id', '=', row.id)
    .execute();
}
