import { createOwnDetectorCommands } from '@cordon/detectors';
import { publish } from '@cordon/estate';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { createFileReader } from '@cordon/vendors';

/** Control's half of the organisation's own detectors. Documents are read in a process of their own. */
export function createDetectorParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
}) {
  const { db, clock, envelope, logger } = deps;
  return {
    ownDetectors: createOwnDetectorCommands({ db, clock, envelope, logger, publish }),
    fileReader: createFileReader(),
  };
}
