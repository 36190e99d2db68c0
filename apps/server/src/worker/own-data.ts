import { forgetOwnRecord, hasOwnRecord, OWN_OBJECTS, type OwnObject, readOwnRecords } from '@cordon/dlp';
import { NotAvailable, type RetentionSource, type RetentionTools } from '@cordon/governance';
import { type Actor, appendAudit, type Clock, type Database } from '@cordon/kernel';

const KEEPER: Actor = { kind: 'system', name: 'retention' };
export const OWN_PLACE = 'cordon';

/** What has a way of its own to be kept short, and where that is said. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  event: 'events are kept as long as lake.retention_days says, in whole days',
  backup: 'backups are kept as long as their jobs say, and pruned as a whole',
};

const objectOf = (stream: string): OwnObject | undefined => OWN_OBJECTS.find((one) => one === stream);

const SOURCE: RetentionSource = {
  connectionId: OWN_PLACE,
  app: OWN_PLACE,
  onlyByName: true,
  streams: [...OWN_OBJECTS, ...Object.keys(ELSEWHERE)],
  way: (object, action) =>
    action === 'delete' && objectOf(object) ? { action: 'forget', input: ['id'], canVerify: true } : null,
};

/** Puts Cordon's own records beside those of tools, so that one kind of rule, hold and evidence serves both. */
export function withOwnData(tools: RetentionTools, { db, clock }: { db: Database; clock: Clock }): RetentionTools {
  return {
    list: async () => [...(await tools.list()), SOURCE],
    async *read(connectionId, stream, purpose) {
      if (connectionId !== OWN_PLACE) {
        yield* tools.read(connectionId, stream, purpose);
        return;
      }
      const object = objectOf(stream);
      if (!object) throw new NotAvailable(ELSEWHERE[stream] ?? 'there is no such data');
      for await (const { id, createdAt, updatedAt } of readOwnRecords(db, object))
        yield { object, id, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
    },
    inputFor: async (connectionId, action, record) =>
      connectionId === OWN_PLACE
        ? { id: record.id, object: record.object }
        : tools.inputFor(connectionId, action, record),
    async act(request) {
      if (request.connectionId !== OWN_PLACE) return tools.act(request);
      const object = objectOf(String(request.input['object']));
      const id = String(request.input['id']);
      if (!object) return { runId: request.key, outcome: null, error: 'there is no such data' };
      const isDone = await db.transaction(async (tx) => {
        if (!(await forgetOwnRecord(tx, object, id))) return false;
        const target = { type: `dlp_${object}`, id, name: id };
        const detail = { by: request.key };
        await appendAudit(tx, { actor: KEEPER, action: 'retention.own_forgotten', target, detail, at: clock.now() });
        return true;
      });
      return { runId: request.key, outcome: isDone ? 'done' : 'already', error: null };
    },
    async verify(request) {
      if (request.connectionId !== OWN_PLACE) return tools.verify(request);
      const object = objectOf(String(request.input['object']));
      if (!object) return 'unknown';
      return (await hasOwnRecord(db, object, String(request.input['id']))) ? 'there' : 'gone';
    },
  };
}
