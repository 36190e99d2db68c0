import { fileURLToPath } from 'node:url';
import { createDrillCommands, createScheduleCommands, loadScenarios } from '@cordon/drills';
import type { Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';

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
  return { drillParts: { scenarios, drills, schedules: createScheduleCommands({ ...deps, scenarios, drills }) } };
}
export type DrillParts = Awaited<ReturnType<typeof createDrillParts>>['drillParts'];
