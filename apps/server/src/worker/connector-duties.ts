import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type ActionRunner,
  type Connection,
  type Connectors,
  createActionRunner,
  createActionWorkflow,
  createConnectors,
  createSyncCommands,
  createSyncWorkflow,
  judgeConnection,
  ConnectorBusy,
  type HttpPort,
  type Manifests,
  type ReachDeps,
  sweepSyncs,
  takeDue,
  type TakeEvents,
} from '@cordon/connectors';
import { loadSourceCredential } from '@cordon/detection';
import {
  type AnyWorkflow,
  type Clock,
  type Database,
  type Logger,
  openWorkflowClient,
  type SecretEnvelope,
} from '@cordon/kernel';
import { type Catalogue, loadCatalogue } from '@cordon/posture';
import { createConnectorHttp } from './connector-http.ts';
import { type Repeating, repeat } from './repeating.ts';
import type { SourceIngest } from './source-ingest.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const DUE_MS = 10_000;
const SWEEP_MS = 3_600_000;
const SCHEDULER = { kind: 'system', name: 'connector schedule' } as const;

export interface ConnectorDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  /** What other domains use. */
  readonly connectors: Connectors;
  readonly actions: ActionRunner;
  /** Begins schedules; call it when workflows run. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One keep-alive port for each set of addresses. */
function createPorts(): (connection: Connection) => HttpPort {
  const ports = new Map<string, HttpPort>();
  return ({ privateAddresses }) => {
    const key = privateAddresses.join(',');
    const port = ports.get(key) ?? createConnectorHttp(privateAddresses);
    ports.set(key, port);
    return port;
  };
}

/** Audit events of tools take the way of any source's records: parser, detections, lake, dead letters. */
function takeInto(db: Database, ingest: SourceIngest): TakeEvents {
  return async (connection, _parser, events) => {
    const source = connection.sourceId === null ? null : await loadSourceCredential(db, connection.sourceId);
    if (!source) return 0;
    const records = events.map(({ id, time, raw }) => ({
      text: JSON.stringify(raw),
      externalId: id,
      time: Date.parse(time),
    }));
    const { accepted } = await ingest.take(source, records);
    return accepted;
  };
}

/** The worker's half of connectors: it calls the tools, and starts the syncs whose time has come. */
export function createConnectorDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly manifests: Manifests;
  readonly ingest: SourceIngest;
}): ConnectorDuties {
  const { db, clock, envelope, logger, manifests, ingest } = deps;
  const reachDeps: ReachDeps = {
    db,
    clock,
    envelope,
    manifests,
    httpFor: createPorts(),
    pause: (ms) => setTimeout(ms),
  };
  const runner = createActionRunner(reachDeps);
  // Hundreds of checks: compiled once, when the first connection is judged.
  let catalogue: Promise<Catalogue> | null = null;
  const judge = async (connection: Connection): Promise<void> => {
    catalogue ??= loadCatalogue(CONTENT);
    await judgeConnection({ db, clock, manifests, catalogue: await catalogue }, connection);
  };
  const duties: Repeating[] = [];
  let closeClient: (() => Promise<void>) | null = null;

  return {
    definitions: [
      createSyncWorkflow({ ...reachDeps, logger, takeEvents: takeInto(db, ingest), onSynced: judge }),
      createActionWorkflow(runner),
    ],
    connectors: createConnectors(reachDeps),
    actions: runner,
    async start() {
      const workflows = await openWorkflowClient({ databaseUrl: db.url, logger });
      closeClient = () => workflows.close();
      const syncs = createSyncCommands({ db, clock, manifests, workflows });
      const startDue = async (): Promise<void> => {
        const due = await db.transaction((tx) => takeDue(tx, new Date(clock.now())));
        for (const { id } of due) {
          try {
            await syncs.start(SCHEDULER, id, { cause: 'schedule' });
          } catch (error) {
            // The last one still runs: the next time comes.
            if (!(error instanceof ConnectorBusy)) throw error;
          }
        }
      };
      duties.push(
        repeat('connector schedule', DUE_MS, logger, startDue),
        repeat('connector sweep', SWEEP_MS, logger, () => sweepSyncs(db, clock.now())),
      );
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
      await closeClient?.();
    },
  };
}
