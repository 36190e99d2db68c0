import type { Identity } from '@cordon/identity';
import { type Clock, type Database, PersonId, type SecretEnvelope, type WorkflowClient } from '@cordon/kernel';
import { createDateCommands, createProvisionCommands } from '@cordon/lifecycle';
import type { ProvisioningRouteDeps } from '../http/provisioning-routes.ts';

/** What the control role needs to answer for provisioning; the worker carries it out. */
export function createProvisioningParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: WorkflowClient;
  readonly identity: Identity;
}): Pick<ProvisioningRouteDeps, 'provisioning'> {
  return {
    provisioning: {
      commands: createProvisionCommands(deps),
      dates: createDateCommands(deps),
      findPerson: (id) => deps.identity.people.get({ kind: 'system', name: 'provisioning' }, PersonId.parse(id)),
    },
  };
}
