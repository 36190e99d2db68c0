import { setTimeout } from 'node:timers/promises';
import type { ActionRunner, Manifests } from '@cordon/connectors';
import { createEstate, suspendOrphans } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import type { AnyWorkflow, Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import { createLeaverWorkflow, type ProvisionLeaver } from '@cordon/lifecycle';
import { createLeaverPorts } from './leaver-ports.ts';
import { type Repeating, repeat } from './repeating.ts';

const ORPHANS_MS = 60_000;

export interface LeaverDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  start(): void;
  stop(): Promise<void>;
}

/** The worker's half of leavers: takes what they have, and suspends what nobody took over in time. */
export function createLeaverDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly manifests: Manifests;
  readonly actions: ActionRunner;
  readonly workflows: WorkflowClient;
  readonly provisioning: ProvisionLeaver;
}): LeaverDuties {
  const { db, clock, envelope, logger, identity, workflows } = deps;
  const estate = createEstate(
    {
      db,
      clock,
      envelope,
      logger,
      workflows,
      endAccess: (tx, input) => identity.oauthClients.endAccess(tx, input),
      restoreAccess: (tx, input) => identity.oauthClients.restoreAccess(tx, input),
    },
    // No policy is written here.
    () => undefined,
  );
  const ports = createLeaverPorts(deps);
  let orphans: Repeating | null = null;
  return {
    definitions: [createLeaverWorkflow({ db, clock, logger, ports, pause: (ms) => setTimeout(ms) })],
    start() {
      orphans = repeat('orphaned integrations', ORPHANS_MS, logger, () =>
        suspendOrphans(db, clock, (actor, id, reason) => estate.integrations.suspend(actor, id, reason)),
      );
    },
    async stop() {
      await orphans?.stop();
    },
  };
}
