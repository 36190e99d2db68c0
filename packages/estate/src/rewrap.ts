import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { rewrapProxyKey } from './proxy/proxy-commands.ts';
import { tablesOf } from './tables.ts';
import { sourceContext } from './vault/minting.ts';
import { publishPlace } from './vault/vault-publication.ts';

const ROWS_MAX = 500;

/**
 * Brings the estate's secrets under the newest key-encryption key, so that an old key can be taken out of the file.
 * A credential that is rewrapped is published again: gateways that still hold the old form open it as long as the old
 * key is there. Returns how many were rewrapped; call again until it is 0.
 */
export async function rewrapEstateSecrets(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
}): Promise<number> {
  const { db, envelope, clock } = deps;
  return db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    let count = 0;
    const older = `cse1.${envelope.currentKeyId}.%`;
    const credentials = await tables
      .selectFrom('credentials')
      .select(['id', 'app_id', 'integration_id', 'stage', 'sealed', 'sealed_source'])
      .where('retired_at', 'is', null)
      .where((eb) =>
        eb.or([
          eb.and([eb('sealed', '<>', ''), eb('sealed', 'not like', older)]),
          eb('sealed_source', 'not like', older),
        ]),
      )
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const row of credentials) {
      const sealed = row.sealed === '' ? null : envelope.rewrap(row.sealed, `credential:${row.app_id}`);
      const source = row.sealed_source === null ? null : envelope.rewrap(row.sealed_source, sourceContext(row.id));
      if (sealed === null && source === null) continue;
      await tables
        .updateTable('credentials')
        .set({ ...(sealed === null ? {} : { sealed }), ...(source === null ? {} : { sealed_source: source }) })
        .where('id', '=', row.id)
        .execute();
      const place = { appId: row.app_id, integrationId: row.integration_id };
      if (row.stage === 'current') await publishPlace(tx, place, clock.now());
      count += 1;
    }
    const keys = await tables.selectFrom('snapshot_keys').select(['key_id', 'sealed_private']).forUpdate().execute();
    for (const row of keys) {
      const sealed = envelope.rewrap(row.sealed_private, `snapshot-key:${row.key_id}`);
      if (sealed === null) continue;
      await tables
        .updateTable('snapshot_keys')
        .set({ sealed_private: sealed })
        .where('key_id', '=', row.key_id)
        .execute();
      count += 1;
    }
    count += await rewrapProxyKey(tx, envelope, clock.now());
    return count;
  });
}
