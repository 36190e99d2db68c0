import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Logger,
  uuidv7,
  type WorkflowClient,
  type WorkflowDefinition,
} from '@cordon/kernel';
import type { Connection } from './connection.ts';
import { reach, type Reached, type ReachDeps } from './connection-client.ts';
import { findManifest } from './connection-commands.ts';
import { loadConnection } from './connection-store.ts';
import type { Entity } from './entity.ts';
import { isStored } from './entity.ts';
import { saveEntities, sweepUnseen } from './entity-store.ts';
import { ConnectorBusy, ConnectorsError, NotVisible, StreamUnknown, ToolRefused } from './errors.ts';
import type { Manifests } from './load-manifest.ts';
import type { Manifest } from './manifest.ts';
import { findStream, readStream, type StreamPage } from './read-stream.ts';
import {
  beginSync,
  countPage,
  endStream,
  endSync,
  insertSync,
  isCancelled,
  listSyncs,
  loadProgress,
  requestCancel,
  savePosition,
  type Sync,
} from './sync-store.ts';
import { type StreamStatus, tablesOf } from './tables.ts';

export type AuditEventEntity = Extract<Entity, { type: 'audit_event' }>;

/** The lake's door: an event that was taken before counts once. Gives how many were new. */
export type TakeEvents = (
  connection: Connection,
  parser: string,
  events: readonly AuditEventEntity[],
) => Promise<number>;

export interface SyncDeps extends ReachDeps {
  readonly logger: Logger;
  readonly takeEvents: TakeEvents;
  /** Told after a sync has changed what is known: posture and the graph look again. */
  readonly onSynced?: (
    connection: Connection,
    sync: { readonly id: string; readonly streams: readonly string[] },
  ) => Promise<void>;
}

interface SyncInput {
  readonly syncId: string;
  readonly connectionId: string;
}

/** What commands enqueue; the worker runs `createSyncWorkflow`. */
const syncWorkflow = { name: 'connectors.sync' } as const;

/** Streams that a sync reads unless told: records are read on demand. */
export function defaultStreams(manifest: Manifest): string[] {
  return Object.entries(manifest.streams)
    .filter(([, stream]) => !stream.onDemand && !stream.emits.includes('record'))
    .map(([name]) => name);
}

interface StreamEnd {
  readonly status: Exclude<StreamStatus, 'never'> | 'cancelled';
  readonly reason: string | null;
}

async function savePage(
  deps: SyncDeps,
  connection: Connection,
  place: { connectionId: string; syncId: string; stream: string; at: Date },
  page: StreamPage,
  parser: string | undefined,
): Promise<void> {
  const stored = page.entities.filter(isStored);
  const events = page.entities.filter((one) => one.type === 'audit_event');
  // Events first: they are deduplicated by the vendor's id, so a crash before the commit below repeats nothing.
  const fresh = events.length > 0 && parser !== undefined ? await deps.takeEvents(connection, parser, events) : 0;
  await deps.db.transaction(async (tx) => {
    const { added, changed } = await saveEntities(tx, place, stored);
    await savePosition(tx, place, { position: page.position, seen: page.mark });
    const { problems } = page;
    await countPage(tx, place.syncId, place.stream, {
      entities: page.entities.length,
      added,
      changed,
      events: fresh,
      problems,
    });
  });
}

/** Reads one stream to its end or to the cancel, page by page. */
async function syncStream(
  deps: SyncDeps,
  connection: Connection,
  tool: Reached,
  syncId: string,
  name: string,
): Promise<StreamEnd> {
  const { db, clock } = deps;
  const spec = findStream(tool.loaded, name);
  const place = () => ({ connectionId: connection.id, syncId, stream: name, at: new Date(clock.now()) });
  const end = async (
    status: Exclude<StreamStatus, 'never'>,
    reason: string | null,
    more: { mark?: StreamPage['mark']; removed?: number } = {},
  ) => {
    await db.transaction((tx) =>
      endStream(tx, place(), { status, reason, removed: more.removed ?? 0, ...(more.mark ? { mark: more.mark } : {}) }),
    );
    return { status, reason };
  };
  const progress = await loadProgress(db, connection.id, name, syncId);
  const hidden = new Set<string>();
  let problems = 0;
  let mark = progress.seen ?? progress.mark;
  try {
    const pages = readStream(tool.loaded, name, tool.client('read'), {
      config: connection.config,
      baseUrl: tool.baseUrl,
      now: clock.now(),
      plan: connection.plan,
      mark: progress.mark,
      position: progress.position,
      ...(progress.seen ? { seen: progress.seen } : {}),
    });
    for await (const page of pages) {
      await savePage(deps, connection, place(), page, spec.parser);
      for (const reason of page.hidden) hidden.add(reason);
      problems += page.problems.length;
      mark = page.mark;
      if (await isCancelled(db, syncId)) return { status: 'cancelled', reason: null };
    }
  } catch (error) {
    if (error instanceof NotVisible) return end('not_visible', error.message);
    if (!(error instanceof ConnectorsError) || error instanceof ToolRefused) throw error;
    return end('failed', error.message);
  }
  const isWhole = hidden.size === 0 && problems === 0;
  // What a partial or incremental read did not show may well be there.
  const isFull = isWhole && spec.incremental === undefined && progress.position === null;
  const removed = isFull ? await db.transaction((tx) => sweepUnseen(tx, place())) : 0;
  const reason = isWhole
    ? null
    : [...hidden, ...(problems > 0 ? [`${problems} items could not be read`] : [])].join('; ');
  return end(isWhole ? 'ok' : 'partial', reason, { mark, removed });
}

async function refuseConnection(deps: SyncDeps, connection: Connection, reason: string): Promise<void> {
  await tablesOf(deps.db)
    .updateTable('connector_connection')
    .set({ status: 'refused', status_reason: reason, updated_at: new Date(deps.clock.now()) })
    .where('id', '=', connection.id)
    .execute();
}

async function recordEnd(
  deps: SyncDeps,
  connection: Connection,
  input: SyncInput,
  end: { status: 'done' | 'partial' | 'failed' | 'cancelled'; error: string | null },
): Promise<void> {
  const at = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    // A crash right after the commit runs this step again: the trail holds each end once.
    if (!(await endSync(tx, input.syncId, { ...end, at: new Date(at) }))) return;
    const [sync] = await listSyncs(tx, { id: input.syncId, limit: 1 });
    const counts = (sync?.streams ?? []).map(({ stream, status, added, changed, removed, events }) => ({
      stream,
      status,
      added,
      changed,
      removed,
      events,
    }));
    await appendAudit(tx, {
      actor: { kind: 'system', name: 'connectors' },
      action: `connection.sync_${end.status}`,
      target: { type: 'connection', id: connection.id, name: connection.name },
      detail: { sync: input.syncId, error: end.error, streams: counts },
      at,
    });
  });
}

/**
 * Reads every stream of a connection: a step for each stream, which keeps its place after each page, so that a crash
 * or a stop goes on where it was.
 */
export function createSyncWorkflow(deps: SyncDeps): WorkflowDefinition<SyncInput> {
  return {
    name: syncWorkflow.name,
    async run(input, steps) {
      const begun = await steps.step('begin', () => beginSync(deps.db, input.syncId, new Date(deps.clock.now())));
      if (!begun) return { status: 'gone' };
      const connection = await loadConnection(deps.db, input.connectionId);
      const ends: StreamEnd[] = [];
      let refused: string | null = null;
      for (const name of begun.streams) {
        const end = await steps.step(`read ${name}`, async (): Promise<StreamEnd & { refused?: string }> => {
          if (await isCancelled(deps.db, input.syncId)) return { status: 'cancelled', reason: null };
          try {
            return await syncStream(deps, connection, await reach(deps, connection), input.syncId, name);
          } catch (error) {
            const reason = error instanceof ConnectorsError ? error.message : 'the tool could not be reached';
            deps.logger.warn({ err: error, connection: connection.name, stream: name }, 'a stream could not be read');
            const place = {
              connectionId: connection.id,
              syncId: input.syncId,
              stream: name,
              at: new Date(deps.clock.now()),
            };
            await deps.db.transaction((tx) => endStream(tx, place, { status: 'failed', reason, removed: 0 }));
            return { status: 'failed', reason, ...(error instanceof ToolRefused ? { refused: reason } : {}) };
          }
        });
        ends.push(end);
        refused = end.refused ?? null;
        if (end.status === 'cancelled' || refused !== null) break;
      }
      const status = endOf(ends);
      const error = refused ?? ends.find((one) => one.status === 'failed')?.reason ?? null;
      await steps.step('end', async () => {
        if (refused !== null) await refuseConnection(deps, connection, refused);
        await recordEnd(deps, connection, input, { status, error });
      });
      if (deps.onSynced) {
        const told = deps.onSynced;
        await steps.step('tell', () => told(connection, { id: input.syncId, streams: begun.streams }));
      }
      return { status };
    },
  };
}

/** Not visible is a fact about the customer's plan, not a failure of the sync. */
function endOf(ends: readonly StreamEnd[]): 'done' | 'partial' | 'failed' | 'cancelled' {
  if (ends.some((one) => one.status === 'cancelled')) return 'cancelled';
  const failed = ends.filter((one) => one.status === 'failed').length;
  if (failed > 0 && failed === ends.length) return 'failed';
  return failed > 0 || ends.some((one) => one.status === 'partial') ? 'partial' : 'done';
}

export interface SyncCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly manifests: Manifests;
  readonly workflows: WorkflowClient;
}

export function createSyncCommands(deps: SyncCommandDeps) {
  const { db, clock, manifests, workflows } = deps;
  return {
    /** Starts a sync of all streams but those of records, or of the named ones. */
    async start(
      actor: Actor,
      connectionId: string,
      options: { readonly streams?: readonly string[]; readonly cause?: 'schedule' | 'manual' } = {},
    ): Promise<Sync> {
      authorize(actor, 'connector.sync');
      const connection = await loadConnection(db, connectionId);
      const { manifest } = findManifest(manifests, connection.app);
      const streams = options.streams ?? defaultStreams(manifest);
      const wrong = streams.find(
        (name) => !Object.hasOwn(manifest.streams, name) || manifest.streams[name]?.emits.includes('record'),
      );
      if (wrong !== undefined || streams.length === 0) {
        throw new StreamUnknown(`${manifest.title} has no stream ${wrong ?? ''} that a sync reads.`, { stream: wrong });
      }
      const at = clock.now();
      const id = uuidv7(at);
      const cause = options.cause ?? 'manual';
      return db.transaction(async (tx) => {
        const by = describeActor(actor).name;
        const made = await insertSync(tx, { id, connectionId, cause, by, streams, at: new Date(at) });
        if (!made) throw new ConnectorBusy('A sync of this connection is running.', { connection: connectionId });
        await workflows.enqueue(tx, syncWorkflow, id, { syncId: id, connectionId } satisfies SyncInput);
        if (cause === 'manual') {
          const target = { type: 'connection', id: connectionId, name: connection.name };
          await appendAudit(tx, {
            actor,
            action: 'connection.sync_started',
            target,
            detail: { sync: id, streams },
            at,
          });
        }
        const [sync] = await listSyncs(tx, { id, limit: 1 });
        if (!sync) throw new ConnectorBusy('The sync vanished.', { connection: connectionId });
        return sync;
      });
    },

    /** Asks the open sync to stop after its page. */
    async cancel(actor: Actor, connectionId: string): Promise<boolean> {
      authorize(actor, 'connector.sync');
      const connection = await loadConnection(db, connectionId);
      return db.transaction(async (tx) => {
        const id = await requestCancel(tx, connectionId);
        if (id === null) return false;
        const target = { type: 'connection', id: connectionId, name: connection.name };
        await appendAudit(tx, {
          actor,
          action: 'connection.sync_cancelled',
          target,
          detail: { sync: id },
          at: clock.now(),
        });
        return true;
      });
    },
  };
}
export type SyncCommands = ReturnType<typeof createSyncCommands>;
