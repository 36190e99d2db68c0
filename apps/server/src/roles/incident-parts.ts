import { fileURLToPath } from 'node:url';
import {
  createActionTable,
  createCaseCommands,
  createChannelCommands,
  createEvidence,
  createPlaybookLibrary,
  createRunCommands,
} from '@cordon/incidents';
import type { Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';

export const PLAYBOOKS_FOLDER = fileURLToPath(new URL('../../../../content/playbooks/', import.meta.url));

/** Cases, playbooks and runs as people command them. The worker does what they decide. */
export function createIncidentParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}) {
  const actions = createActionTable();
  const library = createPlaybookLibrary({ ...deps, actions, folder: PLAYBOOKS_FOLDER });
  return {
    actions,
    library,
    cases: createCaseCommands(deps),
    evidence: createEvidence(deps),
    channels: createChannelCommands(deps),
    playbookRuns: createRunCommands({ ...deps, library, actions }),
  };
}
export type IncidentParts = ReturnType<typeof createIncidentParts>;
