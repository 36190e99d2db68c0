import type { DBOS } from '@dbos-inc/dbos-sdk';
import { CompiledQuery } from 'kysely';
import type { Transaction } from './database.ts';
import type { Logger } from './logger.ts';

const APPLICATION = 'cordon';
/** Stays the same across releases: a workflow that waits for days must be picked up by the next build. */
const VERSION = '1';
const QUEUE = 'cordon';
const QUEUE_CONCURRENCY_PER_WORKER = 50;
const QUEUE_POLL_MS = 200;
const POOL_CONNECTIONS_MAX = 6;
const DRAIN_MS_MAX = 10_000;

/** What a workflow may do besides computing: everything that touches the outside is a named step. */
export interface WorkflowSteps {
  /**
   * Runs `work` at least once and remembers its result; after a crash a finished step isn't run again. A step that
   * was running when the process died runs again, so it must verify before it acts.
   */
  step<Result>(name: string, work: () => Promise<Result>, options?: { readonly attemptsMax?: number }): Promise<Result>;
  /** A durable pause, milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Identifies this run; use it in idempotency keys. */
  readonly workflowId: string;
}

export interface WorkflowDefinition<Input> {
  /** Stable: stored with every run. */
  readonly name: string;
  run(input: Input, steps: WorkflowSteps): Promise<unknown>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a list holds definitions of different inputs
export type AnyWorkflow = WorkflowDefinition<any>;

export interface WorkflowRun {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly createdAt: number;
  readonly updatedAt: number | null;
}

/** Runs workflows; one in each worker process. DBOS is a process-wide singleton, hence no second runner. */
export interface WorkflowRunner {
  stop(): Promise<void>;
}

/** Starts workflows from commands and reads their state. */
export interface WorkflowClient {
  /** Enqueues in the caller's transaction: the run exists if and only if that commits. The id makes it idempotent. */
  enqueue(tx: Transaction, definition: { readonly name: string }, id: string, input: unknown): Promise<void>;
  find(id: string): Promise<WorkflowRun | null>;
  /** Resolves with the result of a finished run; rejects when it failed. */
  result(id: string): Promise<unknown>;
  close(): Promise<void>;
}

interface EntryLogger {
  info(entry: unknown): void;
  debug(entry: unknown): void;
  warn(entry: unknown): void;
  error(entry: unknown): void;
}

function dbosLogger(logger: Logger): EntryLogger {
  const text = (entry: unknown): string => (entry instanceof Error ? entry.message : String(entry));
  return {
    info: (entry) => logger.debug({ workflow: true }, text(entry)),
    debug: (entry) => logger.trace({ workflow: true }, text(entry)),
    warn: (entry) => logger.warn({ workflow: true }, text(entry)),
    error: (entry) => logger.error({ workflow: true, err: entry instanceof Error ? entry : undefined }, text(entry)),
  };
}

/** Loaded on first use: a gateway runs no workflow, and the engine is the largest thing the kernel would bring. */
const loadEngine = () => import('@dbos-inc/dbos-sdk');

function stepsOf(engine: typeof DBOS): WorkflowSteps {
  return {
    step: (name, work, options) =>
      engine.runStep(work, {
        name,
        retriesAllowed: (options?.attemptsMax ?? 1) > 1,
        maxAttempts: options?.attemptsMax ?? 1,
      }),
    sleep: (ms) => engine.sleep(ms),
    get workflowId() {
      return engine.workflowID ?? '';
    },
  };
}

export async function startWorkflows(options: {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly executorId: string;
  readonly definitions: readonly AnyWorkflow[];
}): Promise<WorkflowRunner> {
  const { DBOS: engine } = await loadEngine();
  engine.setConfig({
    name: APPLICATION,
    systemDatabaseUrl: options.databaseUrl,
    systemDatabasePoolSize: POOL_CONNECTIONS_MAX,
    applicationVersion: VERSION,
    executorID: options.executorId,
    logger: dbosLogger(options.logger),
  });
  for (const definition of options.definitions) {
    engine.registerWorkflow((input: unknown) => definition.run(input, stepsOf(engine)), { name: definition.name });
  }
  await engine.launch();
  await engine.registerQueue(QUEUE, {
    workerConcurrency: QUEUE_CONCURRENCY_PER_WORKER,
    minPollingIntervalMs: QUEUE_POLL_MS,
    onConflict: 'always_update',
  });
  return { stop: () => engine.shutdown({ workflowCompletionTimeoutMS: DRAIN_MS_MAX }) };
}

export async function openWorkflowClient(options: {
  readonly databaseUrl: string;
  readonly logger: Logger;
}): Promise<WorkflowClient> {
  const { DBOSClient } = await loadEngine();
  const client = await DBOSClient.create({
    systemDatabaseUrl: options.databaseUrl,
    systemDatabasePoolSize: 2,
    applicationName: APPLICATION,
    logger: dbosLogger(options.logger),
  });
  return {
    async enqueue(tx, definition, id, input) {
      const executor = tx.tables<Record<string, never>>();
      const connection = {
        query: async (text: string, values: unknown[] = []) => {
          const result = await executor.executeQuery(CompiledQuery.raw(text, values));
          return { rows: result.rows, rowCount: Number(result.numAffectedRows ?? result.rows.length) };
        },
      };
      await client.enqueueInTransaction(
        // DBOS only calls query(text, values) on it; ours runs inside the caller's Kysely transaction.
        connection as unknown as Parameters<typeof client.enqueueInTransaction>[0],
        { queueName: QUEUE, workflowName: definition.name, workflowID: id, appVersion: VERSION },
        input,
      );
    },
    async find(id) {
      const [run] = await client.listWorkflows({ workflowIDs: [id] });
      if (!run) return null;
      return {
        id: run.workflowID,
        name: run.workflowName,
        status: run.status,
        createdAt: run.createdAt,
        updatedAt: run.updatedAt ?? null,
      };
    },
    result: (id) => client.retrieveWorkflow(id).getResult(),
    close: () => client.destroy(),
  };
}
