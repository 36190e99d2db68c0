import type { SecretEnvelope } from '@cordon/kernel';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { hashSecret } from '../token-secret.ts';

/** Everything of oidc-provider that is not an access or refresh token: codes, grants, sessions, interactions. */
export interface ArtifactStore {
  put(id: string, payload: Record<string, unknown>, expiresAt: Date | null): Promise<void>;
  find(id: string): Promise<Record<string, unknown> | undefined>;
  findByUid(uid: string): Promise<Record<string, unknown> | undefined>;
  consume(id: string, now: Date): Promise<void>;
  remove(id: string): Promise<void>;
}

const sealedSchema = z.object({ sealed: z.string() });
const payloadSchema = z.record(z.string(), z.unknown());

/**
 * Ids are bearer values (codes, session cookies), so rows are found by their hash and payloads are sealed: an
 * interaction's payload, for one, names the session cookie.
 */
export function createArtifactStore(db: IdentityDb, envelope: SecretEnvelope, model: string): ArtifactStore {
  const contextOf = (hash: Buffer): string => `identity.oauth:${model}:${hash.toString('hex')}`;
  const open = (row: { hash: Buffer; payload: unknown; consumed_at: Date | null }): Record<string, unknown> => {
    const { sealed } = sealedSchema.parse(row.payload);
    const payload = payloadSchema.parse(JSON.parse(envelope.open(sealed, contextOf(row.hash)).toString('utf8')));
    return row.consumed_at ? { ...payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) } : payload;
  };
  const columns = ['hash', 'payload', 'consumed_at'] as const;

  return {
    async put(id, payload, expiresAt) {
      const hash = hashSecret(id);
      const { grantId, uid } = payload;
      const values = {
        payload: JSON.stringify({ sealed: envelope.seal(JSON.stringify(payload), contextOf(hash)) }),
        grant_hash: typeof grantId === 'string' ? hashSecret(grantId) : null,
        uid: typeof uid === 'string' ? uid : null,
        expires_at: expiresAt,
      };
      await db
        .insertInto('oauth_artifacts')
        .values({ model, hash, ...values })
        .onConflict((conflict) => conflict.columns(['model', 'hash']).doUpdateSet(values))
        .execute();
    },
    async find(id) {
      const row = await db
        .selectFrom('oauth_artifacts')
        .select(columns)
        .where('model', '=', model)
        .where('hash', '=', hashSecret(id))
        .executeTakeFirst();
      return row && open(row);
    },
    async findByUid(uid) {
      const row = await db
        .selectFrom('oauth_artifacts')
        .select(columns)
        .where('model', '=', model)
        .where('uid', '=', uid)
        .executeTakeFirst();
      return row && open(row);
    },
    async consume(id, now) {
      await db
        .updateTable('oauth_artifacts')
        .set({ consumed_at: now })
        .where('model', '=', model)
        .where('hash', '=', hashSecret(id))
        .execute();
    },
    async remove(id) {
      await db.deleteFrom('oauth_artifacts').where('model', '=', model).where('hash', '=', hashSecret(id)).execute();
    },
  };
}

export async function deleteArtifactsOfGrant(db: IdentityDb, grantHash: Buffer): Promise<void> {
  await db.deleteFrom('oauth_artifacts').where('grant_hash', '=', grantHash).execute();
}
