import { randomBytes } from 'node:crypto';
import { createSecretEnvelope, kernelMigrations, migrate } from '@cordon/kernel';
import { createTestDatabase } from '@cordon/kernel/testing';
import { expect, test } from 'vitest';
import { tablesOf } from './context.ts';
import { identityMigrations } from './identity.ts';
import { signingKeyContext } from './oauth/signing-keys.ts';
import { rewrapIdentitySecrets } from './rewrap.ts';

test('after a rotation the old key opens nothing that is needed any more', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, identityMigrations]);
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await tablesOf(db)
    .insertInto('signing_keys')
    .values({
      kid: 'k1',
      alg: 'ES256',
      public_jwk: '{}',
      sealed_private: createSecretEnvelope({ keys: [first] }).seal('private', signingKeyContext('k1')),
      status: 'active',
      created_at: new Date(0),
      retired_at: null,
    })
    .execute();
  const both = createSecretEnvelope({ keys: [second, first] });
  expect(await rewrapIdentitySecrets({ db, envelope: both })).toBe(1);
  expect(await rewrapIdentitySecrets({ db, envelope: both })).toBe(0);
  const row = await tablesOf(db).selectFrom('signing_keys').select('sealed_private').executeTakeFirstOrThrow();
  const newest = createSecretEnvelope({ keys: [second] });
  expect(newest.open(row.sealed_private, signingKeyContext('k1')).toString()).toBe('private');
  await database.drop();
});
