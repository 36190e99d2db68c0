import { join } from 'node:path';
import { createBackupCommands, openRepository, type Repository } from '@cordon/backup';
import type { Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import type { RoleConfig } from '../supervisor/role-config.ts';
import { createObjectStore } from './object-store.ts';

interface OpenDeps {
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly config: RoleConfig;
}

/** Opens the repository of `OBJECTS_URL`; the index is kept beside the role's other files, one for each role. */
export function repositoryOpener({ clock, envelope, config }: OpenDeps, role: 'control' | 'worker') {
  const store = createObjectStore(config.objects, clock);
  return (): Promise<Repository> =>
    openRepository({
      store,
      envelope,
      clock,
      create: true,
      indexFile: join(config.dataDir, `backup-index.${role}`),
      holdMs: store.holdsObjects ? config.objects.holdMs : undefined,
    });
}

/** Control's half of backups: what people ask for, and reading snapshots. The worker takes and restores them. */
export function createBackupParts(
  deps: OpenDeps & { readonly db: Database; readonly workflows: Pick<WorkflowClient, 'enqueue'> },
) {
  const open = repositoryOpener(deps, 'control');
  let opened: Promise<Repository> | null = null;
  return {
    backups: createBackupCommands(deps),
    objectsUrl: deps.config.objects.url,
    dataDir: deps.config.dataDir,
    /** One open repository for all requests, brought up to date for each. */
    openBackups: async (): Promise<Repository> => {
      opened ??= open();
      try {
        const repository = await opened;
        await repository.refresh();
        return repository;
      } catch (error) {
        opened = null;
        throw error;
      }
    },
  };
}
export type BackupParts = ReturnType<typeof createBackupParts>;
