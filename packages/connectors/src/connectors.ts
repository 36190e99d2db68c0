import { type Actor, appendAudit, authorize, type Database } from '@cordon/kernel';
import { type ActionRun } from './action-journal.ts';
import { createActionRunner, type RunActionInput } from './action-run.ts';
import type { Connection } from './connection.ts';
import { reach, type ReachDeps } from './connection-client.ts';
import { listConnections, loadConnection } from './connection-store.ts';
import type { Entity } from './entity.ts';
import type { Manifests } from './load-manifest.ts';
import type { ActionSpec } from './manifest-action.ts';
import { readStream, type StreamMark, type StreamPage, type StreamPosition } from './read-stream.ts';

export interface Capability {
  readonly connection: Connection;
  readonly title: string;
  readonly streams: readonly { readonly name: string; readonly emits: readonly string[] }[];
  readonly actions: readonly {
    readonly name: string;
    readonly kind: ActionSpec['kind'];
    readonly object: string | null;
    readonly input: readonly string[];
    readonly canVerify: boolean;
    readonly canUndo: boolean;
  }[];
}

export interface StreamItem {
  readonly entity: Entity;
  /** Give it back as `mark` to go on from there; true only after the last item of a page. */
  readonly mark?: StreamMark;
}

export interface ReadStreamOptions {
  /** Only what changed since, milliseconds; where the stream can. */
  readonly since?: number;
  /** Ends after so many entities. */
  readonly sample?: number;
  /** Of an earlier read. */
  readonly mark?: StreamMark;
  /** Whose work this is, for the audit trail: reading a customer's records is an act. */
  readonly purpose: string;
}

/** What other domains use; the worker makes it. */
export interface Connectors {
  /** Connections with what can be read and done. */
  list(actor: Actor): Promise<readonly Capability[]>;
  /** Reads a stream from the tool, page by page. Nothing of it is stored. Throws `NotVisible`, `ToolRefused`, `ToolFailed`. */
  readStream(
    actor: Actor,
    connectionId: string,
    stream: string,
    options: ReadStreamOptions,
  ): AsyncGenerator<StreamItem>;
  /**
   * The same page by page, with the place to go on from after a crash. `position` and `seen` are of an earlier page of
   * the same read.
   */
  readPages(
    actor: Actor,
    connectionId: string,
    stream: string,
    options: Omit<ReadStreamOptions, 'sample'> & { readonly position?: StreamPosition; readonly seen?: StreamMark },
  ): AsyncGenerator<StreamPage>;
  /** The bytes behind a record's `download`. Nothing of them is stored. Throws as `readStream` does. */
  readFile(actor: Actor, connectionId: string, download: string): AsyncGenerator<Buffer>;
  /** Runs, tries, verifies or undoes an action; safe to repeat with the same key. */
  runAction(actor: Actor, request: RunActionInput): Promise<ActionRun>;
  /** A secret that a run made (`rotate_key`), for who stores it in a vault. */
  takeSecret(runId: string): Promise<string | null>;
}

export async function listCapabilities(db: Database, manifests: Manifests, actor: Actor): Promise<Capability[]> {
  authorize(actor, 'connector.read');
  const connections = await listConnections(db);
  return connections.flatMap((connection) => {
    const manifest = manifests.find(connection.app)?.manifest;
    if (!manifest) return [];
    const streams = Object.entries(manifest.streams).map(([name, { emits }]) => ({ name, emits }));
    const actions = Object.entries(manifest.actions).map(([name, spec]) => ({
      name,
      kind: spec.kind,
      object: spec.object ?? null,
      input: Object.keys(spec.input),
      canVerify: spec.state !== undefined,
      canUndo: spec.undo.length > 0,
    }));
    return [{ connection, title: manifest.title, streams, actions }];
  });
}

export function createConnectors(deps: ReachDeps): Connectors {
  const runner = createActionRunner(deps);
  const { db, clock } = deps;
  return {
    list: (actor) => listCapabilities(db, deps.manifests, actor),
    async *readStream(actor, connectionId, stream, options) {
      authorize(actor, 'connector.records');
      const connection = await loadConnection(db, connectionId);
      const tool = await reach(deps, connection);
      const target = { type: 'connection', id: connectionId, name: connection.name };
      const detail = { stream, purpose: options.purpose, sample: options.sample ?? null };
      await db.transaction((tx) =>
        appendAudit(tx, { actor, action: 'connection.stream_read', target, detail, at: clock.now() }),
      );
      let left = options.sample ?? Number.POSITIVE_INFINITY;
      const pages = readStream(tool.loaded, stream, tool.client('read'), {
        config: connection.config,
        baseUrl: tool.baseUrl,
        now: clock.now(),
        plan: connection.plan,
        ...(options.mark ? { mark: options.mark } : {}),
        ...(options.since === undefined ? {} : { since: options.since }),
      });
      for await (const page of pages) {
        for (const [index, entity] of page.entities.entries()) {
          if (left <= 0) return;
          left -= 1;
          yield index === page.entities.length - 1 ? { entity, mark: page.mark } : { entity };
        }
      }
    },
    async *readPages(actor, connectionId, stream, { purpose, ...options }) {
      authorize(actor, 'connector.records');
      const connection = await loadConnection(db, connectionId);
      const tool = await reach(deps, connection);
      const target = { type: 'connection', id: connectionId, name: connection.name };
      await db.transaction((tx) =>
        appendAudit(tx, {
          actor,
          action: 'connection.stream_read',
          target,
          detail: { stream, purpose },
          at: clock.now(),
        }),
      );
      yield* readStream(tool.loaded, stream, tool.client('read'), {
        config: connection.config,
        baseUrl: tool.baseUrl,
        now: clock.now(),
        plan: connection.plan,
        ...options,
      });
    },
    async *readFile(actor, connectionId, download) {
      authorize(actor, 'connector.records');
      const tool = await reach(deps, await loadConnection(db, connectionId));
      yield* tool.client('read').readFile(download);
    },
    runAction: (actor, request) => runner.run(actor, request),
    takeSecret: (runId) => runner.takeSecret(runId),
  };
}
