import type { Clock, Database } from '@cordon/kernel';
import type { ActPorts, ReadPorts } from '../actions/ports.ts';
import type { IncidentTables } from '../tables.ts';
import { markCase } from './case-commands.ts';
import { addEntry, addTask } from './case-store.ts';
import { queueMessage } from './message.ts';

const HOUR_MS = 3_600_000;
const AUTHOR = { kind: 'system', name: 'playbook' } as const;

type OwnReads = Pick<ReadPorts, 'message' | 'caseEntry'>;
type OwnActs = Pick<ActPorts, 'sendMessage' | 'caseNote' | 'caseTask' | 'caseMark'>;

/** The part of the transport that this package owns: cases and the outbox of messages. */
export function createCasePorts({ db, clock }: { readonly db: Database; readonly clock: Clock }): {
  reads: OwnReads;
  acts: OwnActs;
} {
  const entry = async (
    caseId: string,
    key: string,
    kind: 'note' | 'act' | 'message',
    text: string,
    more?: (tx: Parameters<Parameters<Database['transaction']>[0]>[0]) => Promise<void>,
  ) => {
    const at = clock.now();
    await db.transaction(async (tx) => {
      if (await addEntry(tx, caseId, { key, kind, at, recordedAt: at, author: AUTHOR.name, text })) await more?.(tx);
    });
  };
  return {
    reads: {
      message: async (key) =>
        (await db
          .tables<IncidentTables>()
          .selectFrom('incident_message')
          .select('status')
          .where('key', '=', key)
          .executeTakeFirst()) ?? null,
      caseEntry: async (_caseId, key) =>
        (await db
          .tables<IncidentTables>()
          .selectFrom('incident_entry')
          .select('id')
          .where('key', '=', key)
          .executeTakeFirst()) !== undefined,
    },
    acts: {
      async sendMessage(message) {
        await db.transaction(async (tx) => {
          const at = clock.now();
          await queueMessage(tx, message, at);
          if (message.caseId === null) return;
          const to = message.to.join(', ') || message.channel;
          await addEntry(tx, message.caseId, {
            key: message.key,
            kind: 'message',
            at,
            recordedAt: at,
            author: AUTHOR.name,
            text: `To ${to}: ${message.subject || message.text}`,
          });
        });
      },
      caseNote: (caseId, key, text) => entry(caseId, key, 'note', text),
      caseTask: (caseId, key, { title, dueHours }) =>
        entry(caseId, key, 'act', `New task: ${title}`, async (tx) => {
          const at = clock.now();
          await addTask(
            tx,
            caseId,
            { key, kind: 'task', title, assignee: null, dueAt: dueHours === null ? null : at + dueHours * HOUR_MS },
            at,
          );
        }),
      caseMark: (caseId, key, mark) =>
        entry(caseId, key, 'act', `A playbook reports: ${mark}`, async (tx) => {
          const at = clock.now();
          await markCase(tx, AUTHOR, caseId, mark, at, at);
        }),
    },
  };
}
