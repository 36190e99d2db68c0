import { listCapabilities, type Manifests } from '@cordon/connectors';
import {
  createIncidentCommands,
  createPassCommands,
  createScanCommands,
  createTokenCommands,
  syncLabels,
} from '@cordon/dlp';
import { listRules, publish } from '@cordon/estate';
import type { Actor, Clock, Database, SecretEnvelope, WorkflowClient } from '@cordon/kernel';

const READER: Actor = { kind: 'system', name: 'data loss prevention' };

/** Control's half of data loss prevention: what people ask and decide. */
export function createDlpParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly manifests: Manifests;
}) {
  const { db, clock, workflows } = deps;
  const targets = async () =>
    (await listCapabilities(db, deps.manifests, READER)).map(({ connection, streams }) => ({
      connectionId: connection.id,
      app: connection.app,
      name: connection.name,
      streams: streams.filter(({ emits }) => emits.includes('record')).map(({ name }) => name),
    }));
  const rule = async (id: string) => {
    const found = (await listRules(db, 'inspection')).find((one) => one.id === id);
    return found ? { id, name: found.name, action: found.entry.action, passMinutes: found.entry.passMinutes } : null;
  };
  return {
    targets,
    scans: createScanCommands({ db, clock, workflows, targets }),
    incidents: createIncidentCommands({ db, clock, workflows }),
    passes: createPassCommands({ db, clock, publish, rule }),
    syncLabels: (actor: Actor, wish: Parameters<typeof syncLabels>[2]) =>
      syncLabels({ db, clock, workflows }, actor, wish),
    tokens: createTokenCommands({ db, clock, envelope: deps.envelope, publish }),
  };
}
export type DlpParts = ReturnType<typeof createDlpParts>;
