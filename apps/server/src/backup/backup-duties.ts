import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { createBackupCommands, createBackupWorkflow } from '@cordon/backup';
import type { Connectors, Manifests } from '@cordon/connectors';
import type { AnyWorkflow, Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import type { RoleConfig } from '../supervisor/role-config.ts';
import { repeat, type Repeating } from '../worker/repeating.ts';
import { createAppPort } from './app-port.ts';
import { readOwnFiles } from './own-files.ts';
import { repositoryOpener } from './backup-parts.ts';
import { type BackupPlaybookPort, createBackupPlaybookPort } from './playbook-port.ts';

const DUE_MS = 10_000;

export interface BackupDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  readonly playbooks: BackupPlaybookPort;
  start(): void;
  stop(): Promise<void>;
}

/** The worker's half of backups: takes, checks and restores what control and schedules ask for. */
export function createBackupDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly config: RoleConfig;
  readonly manifests: Manifests;
  readonly connectors: Connectors;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly lake: Pick<Lake, 'archive'>;
}): BackupDuties {
  const { db, clock, logger } = deps;
  const backups = createBackupCommands(deps);
  const duties: Repeating[] = [];
  return {
    definitions: [
      createBackupWorkflow({
        db,
        clock,
        logger,
        app: createAppPort(deps),
        openRepository: repositoryOpener(deps, 'worker'),
        own: {
          lake: deps.lake.archive,
          envelope: deps.envelope,
          kek: deps.config.kek,
          readFiles: () => readOwnFiles(deps.config.dataDir),
        },
        random: Math.random,
        pause: (ms) => setTimeout(ms),
        elapsed: () => performance.now(),
      }),
    ],
    playbooks: createBackupPlaybookPort(db, backups),
    start() {
      duties.push(repeat('backup schedule', DUE_MS, logger, () => backups.requestDue()));
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
