export { type Claim, createTagCheck } from './check-tags.ts';
export {
  actionInput,
  DRILL_STATUSES,
  type Drill,
  drillInput,
  drillTarget,
  type DrillObject,
  elapsedMs,
  type Entry,
  ENTRY_KINDS,
  lessonsInput,
  noteInput,
  participant,
  responseInput,
} from './drill.ts';
export { createDrillCommands, type DrillCommands } from './drill-commands.ts';
export {
  DRILL_PAGE_MAX,
  listDrills,
  listEffects,
  listEntries,
  listObjects,
  listScored,
  loadDrill,
  putEffect,
} from './drill-store.ts';
export { DrillBroken, drillsErrors, DrillsError } from './errors.ts';
export { type Facts, NO_FACTS, type Recorded } from './facts.ts';
export type { DrillEngine } from './firing.ts';
export { createDrillWorkflow, drillWorkflow } from './live-fire.ts';
export { loadScenarios, scenarioNamed } from './load-scenarios.ts';
export type { CallOutcome, DrillPorts, Victim } from './ports.ts';
export { type Rehearsal, rehearse } from './rehearse.ts';
export { shortName } from './render-events.ts';
export { reportOf, showMs } from './report.ts';
export {
  createScheduleCommands,
  listSchedules,
  type Remind,
  type Schedule,
  type ScheduleCommands,
  scheduleInput,
} from './schedule.ts';
export { MODES, ROLES, type Scenario } from './scenario.ts';
export { type Score, scoreDrill } from './score.ts';
export { drillsMigrations } from './tables.ts';
export { claimsTag, TAG_FIELD } from './tag.ts';
export {
  createTargetCommands,
  listTargets,
  type MarkedTarget,
  probesOf,
  type TargetApp,
  type TargetApps,
  targetInput,
} from './target.ts';
export { type Quarter, trendOf } from './trend.ts';
