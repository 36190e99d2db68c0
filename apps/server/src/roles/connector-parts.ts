import { fileURLToPath } from 'node:url';
import {
  createActionCommands,
  createConnectionCommands,
  createPostureCommands,
  createSyncCommands,
  loadManifests,
  type Manifests,
} from '@cordon/connectors';
import type { SourceCommands } from '@cordon/detection';
import type { Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import { knowsProduct } from '../detection-content.ts';
import type { DetectionContent } from '../detection-content.ts';

const FOLDER = fileURLToPath(new URL('../../../../content/connectors/', import.meta.url));
const SOURCE_NAME_CHARS_MAX = 52;

/** The connectors that Cordon ships. One that can't be read is logged, and stops none of the others. */
export async function loadConnectors(logger: Logger): Promise<Manifests> {
  const manifests = await loadManifests(FOLDER);
  for (const problem of manifests.problems) logger.error(problem, 'a connector could not be read');
  return manifests;
}

/** Control's half of connectors: commands. The worker calls the tools. */
export async function createConnectorParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: WorkflowClient;
  readonly logger: Logger;
  readonly sources: SourceCommands;
  readonly parsers: DetectionContent['parsers'];
}) {
  const { db, clock, envelope, workflows, sources, parsers } = deps;
  const manifests = await loadConnectors(deps.logger);
  return {
    manifests,
    connections: createConnectionCommands({
      db,
      clock,
      envelope,
      manifests,
      sources: {
        async create(actor, { name, parser }) {
          if (!knowsProduct(parsers, parser)) return null;
          const title = `connector-${name}`.slice(0, SOURCE_NAME_CHARS_MAX);
          const { source } = await sources.create(actor, { name: title, product: parser, rateMax: 5_000 });
          return source.id;
        },
        remove: (actor, id) => sources.remove(actor, id),
      },
    }),
    syncs: createSyncCommands({ db, clock, manifests, workflows }),
    posture: createPostureCommands({ db, clock }),
    connectorActions: createActionCommands({ db, clock, manifests, workflows }),
  };
}
export type ConnectorParts = Awaited<ReturnType<typeof createConnectorParts>>;
