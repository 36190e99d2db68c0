import { type AppPort, type BackupRecord, type RestoreOp, SourceFailed, type SourceFile } from '@cordon/backup';
import {
  type Connectors,
  ConnectorsError,
  type Entity,
  loadConnection,
  type LoadedManifest,
  type Manifests,
} from '@cordon/connectors';
import type { Actor, Database } from '@cordon/kernel';
import { z } from 'zod';

const ACTOR: Actor = { kind: 'system', name: 'backup' };
/** What happened isn't state, and what a tool shows of a credential can't be restored. */
const NO_STATE: ReadonlySet<string> = new Set(['audit_event', 'credential']);
const OPS: Readonly<Record<string, RestoreOp>> = {
  restore: 'create',
  create_record: 'create',
  update_record: 'update',
  anonymise_record: 'update',
  delete_record: 'delete',
};

/** Records are kept by their content; other entities whole. */
export function recordOf(stream: string, entity: Entity): BackupRecord {
  const json = z.json();
  if (entity.type === 'record') {
    const {
      id,
      object,
      title = null,
      parentId = null,
      updatedAt = null,
      content = null,
      type: _type,
      ...facts
    } = entity;
    return { stream, object, id, parentId, title, updatedAt, content, facts: json.parse(structuredClone(facts)) };
  }
  const { id, type: object, ...content } = entity;
  const title = 'name' in entity && typeof entity.name === 'string' ? entity.name : null;
  const plain = json.parse(JSON.parse(JSON.stringify(content)));
  return { stream, object, id, parentId: null, title, updatedAt: null, content: plain, facts: null };
}

const mark = z.object({ newestAt: z.number().optional(), token: z.string().optional() }).nullable();

/** Apps as backups see them, by their connectors. */
export function createAppPort(deps: {
  readonly db: Database;
  readonly manifests: Manifests;
  readonly connectors: Connectors;
}): AppPort {
  const { db, manifests, connectors } = deps;
  const manifestOf = async (connectionId: string): Promise<LoadedManifest> => {
    const { app } = await loadConnection(db, connectionId);
    const found = manifests.find(app);
    if (!found) throw new SourceFailed(`There is no connector for ${app}.`, { app });
    return found;
  };
  const explained = (error: unknown): unknown =>
    error instanceof ConnectorsError ? new SourceFailed(error.message, { reason: error.code }, error) : error;

  const fileOf = (connectionId: string, entity: Entity): SourceFile | undefined => {
    if (entity.type !== 'record' || typeof entity.download !== 'string') return undefined;
    const { download, bytes, updatedAt, createdAt } = entity;
    return {
      version: JSON.stringify([updatedAt ?? null, createdAt ?? null, bytes ?? null]),
      async *read() {
        let read = 0;
        try {
          for await (const part of connectors.readFile(ACTOR, connectionId, download)) {
            read += part.length;
            yield part;
          }
        } catch (error) {
          throw explained(error);
        }
        // Some tools answer a refused credential with a page for people and status 200.
        if (typeof bytes === 'number' && bytes !== read) {
          throw new SourceFailed(`The tool gave ${read} bytes of a file of ${bytes}.`, { id: entity.id });
        }
      },
    };
  };

  return {
    async streams(connectionId) {
      const { manifest } = await manifestOf(connectionId);
      return Object.entries(manifest.streams)
        .filter(([, { emits }]) => !emits.some((kind) => NO_STATE.has(kind)))
        .map(([name, { incremental }]) => ({ name, readsChanges: incremental !== undefined }));
    },
    async *read(connectionId, stream, from, purpose) {
      try {
        const { newestAt, token } = mark.parse(from ?? null) ?? {};
        const since = { ...(newestAt === undefined ? {} : { newestAt }), ...(token === undefined ? {} : { token }) };
        const options = from === null || from === undefined ? { purpose } : { purpose, mark: since };
        for await (const { entity, mark: at } of connectors.readStream(ACTOR, connectionId, stream, options)) {
          const record = recordOf(stream, entity);
          const deleted = entity.type === 'record' && typeof entity.deletedAt === 'string';
          const file = deleted ? undefined : fileOf(connectionId, entity);
          yield { record, deleted, ...(at === undefined ? {} : { mark: at }), ...(file ? { file } : {}) };
        }
      } catch (error) {
        throw explained(error);
      }
    },
    async actions(connectionId) {
      const { manifest } = await manifestOf(connectionId);
      return Object.entries(manifest.actions).flatMap(
        ([name, { kind, object, fromRecord, undoNote, fileBytesMax }]) => {
          const op = OPS[kind];
          if (op === undefined || object === undefined || fromRecord === undefined) return [];
          return [{ name, op, object, note: undoNote ?? null, fileBytesMax: fileBytesMax ?? null }];
        },
      );
    },
    async act(connectionId, action, record, key, file) {
      try {
        const loaded = await manifestOf(connectionId);
        const spec = loaded.manifest.actions[action];
        if (spec?.fromRecord === undefined) throw new SourceFailed(`${action} is no action that restores.`, { action });
        const input = z
          .record(z.string(), z.unknown())
          .parse(await loaded.expression(spec.fromRecord).evaluate(record));
        const run = await connectors.runAction(ACTOR, {
          connectionId,
          action,
          input,
          mode: 'run',
          idempotencyKey: key,
          ...(file && { file }),
        });
        if (run.status === 'failed') throw new SourceFailed(run.error ?? `${action} failed.`, { run: run.id });
        const id = spec.recordId === undefined ? null : await loaded.expression(spec.recordId).evaluate(run.result);
        const outcome = z.enum(['done', 'already', 'unverified', 'unclear']).catch('unclear').parse(run.outcome);
        return { outcome, newId: typeof id === 'string' ? id : null };
      } catch (error) {
        throw explained(error);
      }
    },
  };
}
