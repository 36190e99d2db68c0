import { type Connectors, ConnectorsError, listEntities, type Manifests } from '@cordon/connectors';
import { NotAvailable, type SubjectRecord, type SubjectSource, type SubjectTools } from '@cordon/governance';
import type { Actor, Database } from '@cordon/kernel';
import { z } from 'zod';

const OFFICER: Actor = { kind: 'system', name: 'subject request' };
/** Deletion falls back to making anonymous; who asked for the latter doesn't want a deletion. */
const WAYS = {
  erase: [
    ['delete_record', 'delete'],
    ['anonymise_record', 'anonymise'],
  ],
  anonymise: [['anonymise_record', 'anonymise']],
} as const;

/** Lets requests of data subjects read and act through connectors. */
export function createSubjectTools(deps: {
  readonly db: Database;
  readonly manifests: Manifests;
  readonly connectors: Pick<Connectors, 'list' | 'readStream' | 'runAction'>;
}): SubjectTools {
  const { db, manifests, connectors } = deps;
  const appOf = async (connectionId: string): Promise<string | undefined> =>
    (await connectors.list(OFFICER)).find(({ connection }) => connection.id === connectionId)?.connection.app;
  return {
    async list() {
      const capabilities = await connectors.list(OFFICER);
      return capabilities
        .filter(({ connection }) => connection.status === 'active')
        .map(({ connection, streams, actions }): SubjectSource => ({
          connectionId: connection.id,
          app: connection.app,
          streams: streams.filter(({ emits }) => emits.includes('record')).map(({ name }) => name),
          way(object, wish) {
            for (const [kind, way] of WAYS[wish]) {
              const found = actions.find((one) => one.kind === kind && one.object === object);
              if (found) return { way, action: found.name };
            }
            return null;
          },
        }));
    },
    async *read(connectionId, stream, purpose): AsyncGenerator<SubjectRecord> {
      try {
        for await (const { entity } of connectors.readStream(OFFICER, connectionId, stream, { purpose })) {
          if (entity.type !== 'record' || entity.deletedAt) continue;
          const { object, id, parentId = null, title = null, content = null, url = null } = entity;
          yield { object, id, parentId, title, content, url };
        }
      } catch (error) {
        // One tool that is down or shows less must not keep a person's data in the others: it is said as a gap.
        if (error instanceof ConnectorsError) throw new NotAvailable(error.message, {}, error);
        throw error;
      }
    },
    async *accounts(connectionId): AsyncGenerator<SubjectRecord> {
      for (let after: string | null | undefined; after !== null;) {
        const page = await listEntities(db, { connectionId, kind: 'account', ...(after ? { after } : {}) });
        for (const { id, entity } of page.items) {
          const { type: _type, id: _id, ...content } = entity;
          yield { object: 'account', id, parentId: null, title: null, content, url: null };
        }
        after = page.next;
      }
    },
    async inputs(connectionId, action, record) {
      const app = await appOf(connectionId);
      const loaded = app === undefined ? undefined : manifests.find(app);
      const spec = loaded?.manifest.actions[action];
      if (!loaded || spec?.fromRecord === undefined) return null;
      const input: unknown = await loaded.expression(spec.fromRecord).evaluate(record);
      return z.record(z.string(), z.unknown()).parse(input);
    },
    async act({ key, ...request }) {
      const run = await connectors.runAction(OFFICER, { ...request, mode: 'run', idempotencyKey: key });
      return { runId: run.id, outcome: run.outcome, error: run.error };
    },
  };
}
