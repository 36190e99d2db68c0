import type { Migrations } from '@cordon/kernel';

export {
  LeaverUnknown,
  lifecycleErrors,
  NoteNeeded,
  ProvisionInvalid,
  ProvisionUnknown,
  PushUnderWay,
  TargetRefused,
  TargetUnreachable,
  TaskNotOpen,
  TooManyLeavers,
} from './errors.ts';
export {
  type Leaver,
  type LeaverPorts,
  type LeaverRun,
  type Outcome,
  RUN_KINDS,
  type RunKind,
  type Target,
  TARGET_STATES,
  type TargetRecord,
  type TargetState,
} from './leaver.ts';
export { createLeaverCommands, type LeaverCommands } from './leaver-commands.ts';
export { listRuns, listTargets, loadRun, RUNS_PAGE_MAX } from './leaver-store.ts';
export { createLeaverWorkflow, type LeaverDeps, type LeaverInput, leaverWorkflow } from './leaver-workflow.ts';
export { beginMove, type Moved, type MovedEntitlement, targetsOfGroups } from './moves.ts';
export { GROUP_ACTS } from './provisioning/group-plan.ts';
export { listGroupItems } from './provisioning/group-store.ts';
export { createDateCommands, type DateCommands, endDue, listDates, type PersonDates } from './provisioning/dates.ts';
export { mappingSchema, type SourcePerson } from './provisioning/mapping.ts';
export { ACTS } from './provisioning/plan.ts';
export { createProvisionCommands, type ProvisionCommands, startDue } from './provisioning/provision-commands.ts';
export { createProvisionLeaver, PROVISIONED, type ProvisionLeaver } from './provisioning/provision-leaver.ts';
export {
  listItems,
  listProvisionRuns,
  listProvisionTargets,
  loadProvisionRun,
  loadProvisionTarget,
  PROVISION_RUNS_MAX,
  rewrapProvisionTokens,
} from './provisioning/provision-store.ts';
export { createProvisionWorkflow, type ProvisionDeps, provisionWorkflow } from './provisioning/provision-workflow.ts';
export type { ScimPort } from './provisioning/scim-client.ts';
export {
  ITEM_STATES,
  type PeopleSource,
  type ProvisionGroupItem,
  type ProvisionItem,
  type ProvisionRun,
  type ProvisionTarget,
  targetChange,
  targetInput,
} from './provisioning/target.ts';

export const lifecycleMigrations: Migrations = {
  name: 'lifecycle',
  folder: new URL('../migrations/', import.meta.url),
};
