import type { Migrations } from '@cordon/kernel';

export { LeaverUnknown, lifecycleErrors, NoteNeeded, TaskNotOpen } from './errors.ts';
export {
  type Leaver,
  type LeaverPorts,
  type LeaverRun,
  type Outcome,
  type Target,
  TARGET_STATES,
  type TargetRecord,
  type TargetState,
} from './leaver.ts';
export { createLeaverCommands, type LeaverCommands } from './leaver-commands.ts';
export { listRuns, listTargets, loadRun, RUNS_PAGE_MAX } from './leaver-store.ts';
export { createLeaverWorkflow, type LeaverDeps, type LeaverInput, leaverWorkflow } from './leaver-workflow.ts';

export const lifecycleMigrations: Migrations = {
  name: 'lifecycle',
  folder: new URL('../migrations/', import.meta.url),
};
