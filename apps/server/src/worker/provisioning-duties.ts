import { setTimeout } from 'node:timers/promises';
import type { Identity } from '@cordon/identity';
import {
  type AnyWorkflow,
  type Clock,
  type Database,
  type Logger,
  PersonId,
  type SecretEnvelope,
  type WorkflowClient,
} from '@cordon/kernel';
import {
  createProvisionLeaver,
  createProvisionWorkflow,
  endDue,
  type ProvisionDeps,
  type ProvisionLeaver,
  rewrapProvisionTokens,
  type ScimPort,
  startDue,
} from '@cordon/lifecycle';
import { createPeopleSource } from '../provisioning/people-source.ts';
import { createConnectorHttp } from './connector-http.ts';
import { type Repeating, repeat } from './repeating.ts';

/** How soon a change of a group reaches the tools. */
const LOOK_MS = 20_000;
const DRIFT_EVERY_MS = 6 * 60 * 60_000;

export interface ProvisioningDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  readonly leaver: ProvisionLeaver;
  start(): void;
  stop(): Promise<void>;
}

/** The worker's half of provisioning: pushes, looks for drift, and ends people whose day came. */
export function createProvisioningDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly workflows: WorkflowClient;
}): ProvisioningDuties {
  const { db, clock, envelope, logger, identity, workflows } = deps;
  const ports = new Map<string, ScimPort>();
  const people = createPeopleSource(identity);
  const provision: ProvisionDeps = {
    db,
    clock,
    logger,
    envelope,
    people,
    portFor(privateAddresses) {
      const key = privateAddresses.join(',');
      const port = ports.get(key) ?? createConnectorHttp(privateAddresses);
      ports.set(key, port);
      return port;
    },
    pause: (ms) => setTimeout(ms),
  };
  const disable = async (personId: string, reason: string): Promise<void> => {
    const system = { kind: 'system', name: 'provisioning' } as const;
    const id = PersonId.parse(personId);
    const person = await identity.people.get(system, id);
    if (person.status !== 'disabled') await identity.people.disable(system, id, reason);
  };
  let duty: Repeating | null = null;
  return {
    definitions: [createProvisionWorkflow(provision)],
    leaver: createProvisionLeaver(provision),
    start() {
      duty = repeat('provisioning', LOOK_MS, logger, async () => {
        await rewrapProvisionTokens({ db, envelope });
        await endDue({ db, clock }, disable);
        await startDue({ db, clock, envelope, workflows, people }, DRIFT_EVERY_MS);
      });
    },
    async stop() {
      await duty?.stop();
    },
  };
}
