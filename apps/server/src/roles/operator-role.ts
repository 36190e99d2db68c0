import { createIdentity } from '@cordon/identity';
import { createLogger, createSecretEnvelope, keyRingFromText, openDatabase, systemClock } from '@cordon/kernel';
import { grantOperator } from '../control/operator-access.ts';
import { createEventOutbox } from '../event-outbox.ts';
import type { RoleConfig } from '../supervisor/role-config.ts';

/** Gives whoever holds the database's address and the keys a way in: where control keeps no token in a file. */
export async function openOperatorAccess(config: RoleConfig, hours: number): ReturnType<typeof grantOperator> {
  const logger = createLogger({ role: 'operator', level: config.logLevel });
  const db = openDatabase({ url: config.databaseUrl, logger, connectionsMax: 2 });
  const outbox = createEventOutbox(db, logger);
  try {
    const identity = createIdentity({
      db,
      clock: systemClock,
      envelope: createSecretEnvelope(keyRingFromText(config.kek)),
      logger,
      config: { publicUrl: config.control.publicUrl, tokenTtlS: config.accessTokenS },
      emit: (event) => outbox.emit(event),
      // No token of an integration is revoked here.
      onRevoked: () => Promise.resolve(),
    });
    return await grantOperator(identity, systemClock, hours);
  } finally {
    await outbox.stop();
    await db.close();
  }
}
