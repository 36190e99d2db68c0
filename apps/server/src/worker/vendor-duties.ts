import { type Clock, type Database, type Logger, type SecretEnvelope } from '@cordon/kernel';
import { createSmtpSender, remindVendors, rewrapVendorSecrets, sendQueued, sweepSessions } from '@cordon/vendors';
import { repeat } from './repeating.ts';

const MAIL_MS = 1_000;
const REMIND_MS = 15 * 60_000;

export interface VendorDutyDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly publicUrl: string;
  /** Null: no mail leaves; what is queued waits. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
}

/** Sends the portal's mail, reminds vendors, and forgets sessions that are over. */
export function startVendorDuties({ db, clock, envelope, logger, publicUrl, smtpUrl, mailFrom }: VendorDutyDeps) {
  const send = smtpUrl === null ? null : createSmtpSender({ url: smtpUrl, from: mailFrom });
  const mail = send
    ? repeat('vendor mail', MAIL_MS, logger, () => sendQueued(db, { envelope, now: clock.now(), send }))
    : null;
  const remind = repeat('vendor reminders', REMIND_MS, logger, async () => {
    await sweepSessions(db, clock.now());
    while ((await rewrapVendorSecrets(db, envelope)) > 0);
    if (send) await remindVendors(db, { envelope, now: clock.now(), publicUrl });
  });
  return {
    async stop(): Promise<void> {
      await Promise.all([mail?.stop(), remind.stop()]);
    },
  };
}
