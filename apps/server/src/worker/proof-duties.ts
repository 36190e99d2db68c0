import type { Logger } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { askWitnesses } from '@cordon/proof';
import { AUDIT_LOG, createAuditLog, type ProofDeps } from '../audit-log.ts';
import { createLakeLog, LAKE_LOG, takeLeaves } from '../lake-log.ts';
import { repeat } from './repeating.ts';

const SIGN_MS = 5_000;
const WITNESS_MS = 60_000;
const LEAVES_MS = 30_000;
export interface ProofDuties {
  stop(): Promise<void>;
}

/** Takes new audit records into the log, signs checkpoints, and asks the witnesses. */
export function startProof(
  deps: ProofDeps & {
    readonly logger: Logger;
    /** What the lake takes is proved too. */
    readonly lake?: Lake | undefined;
  },
): ProofDuties {
  const { db, clock, logger } = deps;
  const log = createAuditLog(deps);
  const signing = repeat('checkpoints', SIGN_MS, logger, async () => void (await log.advance()));
  const asking = repeat('witnesses', WITNESS_MS, logger, () => askWitnesses({ db, clock, logger, log: AUDIT_LOG }));
  const { lake } = deps;
  const lakeLog = createLakeLog(deps);
  const leaves = lake
    ? repeat('lake leaves', LEAVES_MS, logger, async () => {
        await takeLeaves({ db, clock, digests: lake.digests });
        await lakeLog.advance();
        await askWitnesses({ db, clock, logger, log: LAKE_LOG });
      })
    : null;
  return {
    async stop() {
      await Promise.all([signing.stop(), asking.stop(), leaves?.stop()]);
    },
  };
}
