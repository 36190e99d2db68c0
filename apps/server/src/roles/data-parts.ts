import type { Classifier } from '@cordon/classifier';
import { publish } from '@cordon/estate';
import {
  createFieldCategories,
  createInventory,
  createLabelCommands,
  createRetentionCommands,
  createSubjectCommands,
  describeFlow,
  describeTransfer,
  type flowInput,
  forgetPrint,
  loadTaxonomy,
  rotateFingerprintKey,
  scan,
  type ScanDeps,
  type transferInput,
} from '@cordon/governance';
import type { Actor, Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import type { z } from 'zod';

/** What control and worker both need of data governance. */
export function createDataContext(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly classifier?: Classifier;
}) {
  const { names, policy } = loadTaxonomy();
  const context = { ...deps, policy, categories: createFieldCategories(names), publish };
  return context satisfies ScanDeps;
}

/** Control's half of data governance: what people ask and decide. */
export function createDataParts(
  deps: Parameters<typeof createDataContext>[0] & { readonly workflows: Pick<WorkflowClient, 'enqueue'> },
) {
  const context = createDataContext(deps);
  return {
    inventory: createInventory(context),
    labels: createLabelCommands({ db: deps.db, clock: deps.clock, rescan: () => scan(context) }),
    describeFlow: (actor: Actor, id: string, said: z.input<typeof flowInput>) => describeFlow(deps, actor, id, said),
    describeTransfer: (actor: Actor, flowId: string, said: z.input<typeof transferInput>) =>
      describeTransfer(deps, actor, flowId, said),
    subjects: createSubjectCommands(deps),
    retention: createRetentionCommands(deps),
    fingerprints: {
      rotate: (actor: Actor) => rotateFingerprintKey(context, actor),
      forget: (actor: Actor, print: Buffer) => forgetPrint(context, actor, print),
    },
  };
}
export type DataParts = ReturnType<typeof createDataParts>;
