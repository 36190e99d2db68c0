import { type IdentityContext, tablesOf } from './context.ts';
import { signingKeyContext } from './oauth/signing-keys.ts';
import { samlKeyContext } from './sso/saml-keys.ts';
import { providerSecretContext } from './upstream/provider.ts';
import { totpContext } from './sessions/sign-in.ts';

const ROWS_MAX = 500;

/** Brings signing keys and TOTP secrets under the newest key-encryption key. Returns how many; call until it is 0. */
export async function rewrapIdentitySecrets({
  db,
  envelope,
}: Pick<IdentityContext, 'db' | 'envelope'>): Promise<number> {
  const old = `cse1.${envelope.currentKeyId}.%`;
  return db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    let count = 0;
    const keys = await tables
      .selectFrom('signing_keys')
      .select(['kid', 'sealed_private'])
      .where('sealed_private', 'not like', old)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { kid, sealed_private: before } of keys) {
      const sealed = envelope.rewrap(before, signingKeyContext(kid));
      if (sealed === null) continue;
      await tables.updateTable('signing_keys').set({ sealed_private: sealed }).where('kid', '=', kid).execute();
      count += 1;
    }
    const factors = await tables
      .selectFrom('totp_factors')
      .select(['id', 'sealed_secret'])
      .where('sealed_secret', 'not like', old)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed_secret: before } of factors) {
      const sealed = envelope.rewrap(before, totpContext(id));
      if (sealed === null) continue;
      await tables.updateTable('totp_factors').set({ sealed_secret: sealed }).where('id', '=', id).execute();
      count += 1;
    }
    const certificates = await tables
      .selectFrom('sso_certificates')
      .select(['id', 'sealed_private'])
      .where('sealed_private', 'not like', old)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed_private: before } of certificates) {
      const sealed = envelope.rewrap(before, samlKeyContext(id));
      if (sealed === null) continue;
      await tables.updateTable('sso_certificates').set({ sealed_private: sealed }).where('id', '=', id).execute();
      count += 1;
    }
    const providers = await tables
      .selectFrom('upstream_providers')
      .select(['id', 'sealed_secret'])
      .where('sealed_secret', 'not like', old)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed_secret: before } of providers) {
      const sealed = before === null ? null : envelope.rewrap(before, providerSecretContext(id));
      if (sealed === null) continue;
      await tables.updateTable('upstream_providers').set({ sealed_secret: sealed }).where('id', '=', id).execute();
      count += 1;
    }
    return count;
  });
}
