import type { ParserSet } from '@cordon/detection';
import { createDrillWorkflow, type Remind } from '@cordon/drills';
import type { Identity } from '@cordon/identity';
import { listChannels, queueMessage } from '@cordon/incidents';
import type { AnyWorkflow, Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { createDrillParts } from '../roles/drill-parts.ts';
import { createIncidentParts } from '../roles/incident-parts.ts';
import type { RoleConfig } from '../supervisor/role-config.ts';
import { createDrillPorts } from './drill-ports.ts';
import { type Repeating, repeat } from './repeating.ts';
import { createWorkerEstate } from './worker-estate.ts';

const CLOCK_MS = 500;
const SCHEDULE_MS = 10_000;

export interface DrillDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  start(): void;
  stop(): Promise<void>;
}

/** The worker's half of drills: carries live fires out, keeps the clock of tabletops, plans what is scheduled. */
export async function createDrillDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly lake: Lake;
  readonly identity: Identity;
  readonly parsers: ParserSet;
  readonly workflows: WorkflowClient;
  readonly config: RoleConfig;
}): Promise<DrillDuties> {
  const { logger } = deps;
  const { drillParts } = await createDrillParts(deps);
  const ports = createDrillPorts({ ...deps, estate: createWorkerEstate(deps), incidents: createIncidentParts(deps) });
  const duties: Repeating[] = [];
  // Reminders are real: they go to a channel like any message, and belong to no case of a drill.
  const remind: Remind = async (tx, { key, channel, subject, text }) => {
    const isThere = (await listChannels(tx)).some(({ name, kind }) => name === channel && kind === 'chat');
    if (isThere) await queueMessage(tx, { key, caseId: null, channel, to: [], subject, text }, deps.clock.now());
    else logger.warn({ channel }, 'a reminder of a drill has no chat channel to go to');
  };
  return {
    definitions: [createDrillWorkflow({ ...deps, ports })],
    start() {
      duties.push(
        repeat('tabletop clocks', CLOCK_MS, logger, () => drillParts.drills.advance()),
        repeat('drill schedules', SCHEDULE_MS, logger, () => drillParts.schedules.tend(remind)),
      );
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
