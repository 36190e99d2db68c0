import { createEstate, type Estate } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import type { Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import { PolicyTextInvalid, readBuiltIn, validatePolicyText } from '@cordon/policy';

/** The estate's commands as the worker's own duties use them. */
export function createWorkerEstate(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly workflows: WorkflowClient;
  readonly identity: Identity;
}): Estate {
  const { db, clock, envelope, logger, workflows, identity } = deps;
  const { schema } = readBuiltIn();
  return createEstate(
    {
      db,
      clock,
      envelope,
      logger,
      workflows,
      endAccess: (tx, input) => identity.oauthClients.endAccess(tx, input),
      restoreAccess: (tx, input) => identity.oauthClients.restoreAccess(tx, input),
    },
    (text) => {
      const report = validatePolicyText(text, schema);
      if (!report.valid) throw new PolicyTextInvalid('The Cedar policy is not valid.', { problems: report.problems });
    },
  );
}
