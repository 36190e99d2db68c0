import type { Migrations } from '@cordon/kernel';

export { type Act, ACT_STATES, type ActOutcome, type ActPorts, type ActRun, type ActSubject } from './act.ts';
export { actWorkflow, createActWorkflow } from './act-workflow.ts';
export { type AppCommands, createAppCommands, type DiscoveryPorts } from './app-commands.ts';
export {
  APPS_PAGE_MAX,
  listDecisions,
  listEvidence,
  listFoundApps,
  listUses,
  loadFoundApp,
  USES_PAGE_MAX,
} from './app-store.ts';
export { type Catalogue, type CatalogueApp, loadCatalogue, type RiskHint } from './catalogue.ts';
export { type ClientCommands, createClientCommands, cutClientInput } from './client-commands.ts';
export { discoveryErrors } from './errors.ts';
export { APP_STATES, type AppState, askInput, decideInput, type FoundApp, type FoundUse, riskOf } from './found-app.ts';
export { appOfGrant, type GrantFact, usesOfGrants } from './grants.ts';
export { readHost } from './host.ts';
export { type FoundKey, judgeKey, KEY_AGES, type KeyFact } from './keys/key.ts';
export { createKeyCommands, KEY_MODES, type KeyCommands, readKeySubject } from './keys/key-commands.ts';
export { loadRotationSteps, type RotationSteps } from './keys/rotation-steps.ts';
export { LOG_FORMATS } from './logs/read-log.ts';
export { createReadCommands, keptReport, listReads, type ReadCommands } from './read-commands.ts';
export { recordEvidence, type ServedApp } from './record-evidence.ts';
export { EVIDENCE_KINDS } from './sighting.ts';

export const discoveryMigrations: Migrations = {
  name: 'discovery',
  folder: new URL('../migrations/', import.meta.url),
};
