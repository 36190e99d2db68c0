import { fileURLToPath } from 'node:url';
import { createDrillCommands, createScheduleCommands, createTargetCommands, loadScenarios } from '@cordon/drills';
import { findApp } from '@cordon/estate';
import type { Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import { operationsOf } from './app-operations.ts';

export const SCENARIOS_FOLDER = fileURLToPath(new URL('../../../../content/scenarios/', import.meta.url));

/** Drills as people command them. The worker carries live fires out and keeps the clocks. */
export async function createDrillParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}) {
  const scenarios = await loadScenarios(SCENARIOS_FOLDER);
  const drills = createDrillCommands({ ...deps, scenarios });
  const targets = createTargetCommands({
    ...deps,
    apps: {
      async find(name) {
        const app = await findApp(deps.db, { name });
        return app && { id: app.id, name: app.name, operations: await operationsOf(deps.db, app.id) };
      },
    },
  });
  return {
    drillParts: { scenarios, drills, schedules: createScheduleCommands({ ...deps, scenarios, drills }), targets },
  };
}
export type DrillParts = Awaited<ReturnType<typeof createDrillParts>>['drillParts'];
