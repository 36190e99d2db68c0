import type { Logger } from '@cordon/kernel';
import { askWitnesses } from '@cordon/proof';
import { AUDIT_LOG, createAuditLog, type ProofDeps } from '../audit-log.ts';
import { repeat } from './repeating.ts';

const SIGN_MS = 5_000;
const WITNESS_MS = 60_000;
export interface ProofDuties {
  stop(): Promise<void>;
}

/** Takes new audit records into the log, signs checkpoints, and asks the witnesses. */
export function startProof(deps: ProofDeps & { readonly logger: Logger }): ProofDuties {
  const { db, clock, logger } = deps;
  const log = createAuditLog(deps);
  const signing = repeat('checkpoints', SIGN_MS, logger, async () => void (await log.advance()));
  const asking = repeat('witnesses', WITNESS_MS, logger, () => askWitnesses({ db, clock, logger, log: AUDIT_LOG }));
  return {
    async stop() {
      await Promise.all([signing.stop(), asking.stop()]);
    },
  };
}
