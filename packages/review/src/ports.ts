import type { Transaction } from '@cordon/kernel';
import type { Candidate } from './campaign.ts';

/** What reviews reach outside of this package; the composition root wires it. */
export interface ReviewPorts {
  /** Everything that can be reviewed, with its evidence, as it is now. */
  gather(): Promise<readonly Candidate[]>;
  /** Mails a reviewer, in the transaction of what it tells. The address that it opens is `path` of the console. */
  mail(
    tx: Transaction,
    mail: { readonly to: string; readonly subject: string; readonly text: string; readonly path: string },
  ): Promise<void>;
}
