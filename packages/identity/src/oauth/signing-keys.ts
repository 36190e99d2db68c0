import { type Actor, appendAudit, authorize, type Transaction } from '@cordon/kernel';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { sql } from 'kysely';
import { z } from 'zod';
import { type IdentityContext, type IdentityDb, tablesOf } from '../context.ts';

/** ES256 for access tokens; RS256 because many SaaS tools verify nothing else in an ID token. */
const ALGORITHMS = ['ES256', 'RS256'] as const;
type Algorithm = (typeof ALGORITHMS)[number];
const RSA_BITS = 2_048;
/** A retired key is published as long as something that it signed may be about. */
const RETIRED_MS_MAX = 48 * 60 * 60_000;
/** Any fixed number: one process at a time makes keys. */
const LOCK_KEY = 7_226_101;
export const KEYS_CHANNEL = 'cordon_signing_keys';

export interface SigningKeys {
  /** Private keys, the signing one of each algorithm first; makes what is missing. */
  load(): Promise<JWK[]>;
  /** Public keys for the snapshot: gateways check JWT access tokens with them. */
  publicKeys(): Promise<JWK[]>;
  /** Fresh keys sign from now on; the old ones still verify for two days. */
  rotate(actor: Actor): Promise<void>;
}

const jwkSchema = z.custom<JWK>((value) => z.object({ kty: z.string() }).safeParse(value).success);

export function signingKeyContext(kid: string): string {
  return `identity.signing-key:${kid}`;
}

async function makeKey(context: IdentityContext, db: IdentityDb, alg: Algorithm): Promise<string> {
  const options = alg === 'RS256' ? { modulusLength: RSA_BITS } : {};
  const pair = await generateKeyPair(alg, { extractable: true, ...options });
  const publicPart = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicPart);
  const privatePart = { ...(await exportJWK(pair.privateKey)), kid, alg, use: 'sig' };
  await db
    .insertInto('signing_keys')
    .values({
      kid,
      alg,
      public_jwk: JSON.stringify({ ...publicPart, kid, alg, use: 'sig' }),
      sealed_private: context.envelope.seal(JSON.stringify(privatePart), signingKeyContext(kid)),
      status: 'active',
      created_at: new Date(context.clock.now()),
      retired_at: null,
    })
    .execute();
  return kid;
}

async function ensureKeys(context: IdentityContext): Promise<void> {
  await context.db.transaction(async (tx) => {
    const db = tablesOf(tx);
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(db);
    const rows = await db.selectFrom('signing_keys').select('alg').where('status', '=', 'active').execute();
    for (const alg of ALGORITHMS) {
      if (rows.some((row) => row.alg === alg)) continue;
      await recordKey(context, tx, { kind: 'system', name: 'cordon' }, alg, await makeKey(context, db, alg));
    }
  });
}

function recordKey(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  alg: string,
  kid: string,
): Promise<unknown> {
  const target = { type: 'signing-key', id: kid };
  return appendAudit(tx, { actor, action: 'signing_key.created', target, detail: { alg }, at: context.clock.now() });
}

export function createSigningKeys(context: IdentityContext): SigningKeys {
  const select = (): Promise<{ kid: string; public_jwk: unknown; sealed_private: string }[]> =>
    tablesOf(context.db)
      .selectFrom('signing_keys')
      .select(['kid', 'public_jwk', 'sealed_private'])
      .where((or) =>
        or.or([or('status', '=', 'active'), or('retired_at', '>', new Date(context.clock.now() - RETIRED_MS_MAX))]),
      )
      // 'active' sorts before 'retired': the first key that fits an algorithm signs.
      .orderBy('status')
      .orderBy('created_at', 'desc')
      .execute();

  return {
    async load() {
      await ensureKeys(context);
      const rows = await select();
      return rows.map(({ kid, sealed_private }) =>
        jwkSchema.parse(JSON.parse(context.envelope.open(sealed_private, signingKeyContext(kid)).toString('utf8'))),
      );
    },
    async publicKeys() {
      return (await select()).map((row) => jwkSchema.parse(row.public_jwk));
    },
    async rotate(actor) {
      authorize(actor, 'system.write');
      await context.db.transaction(async (tx) => {
        const db = tablesOf(tx);
        await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(db);
        await db
          .updateTable('signing_keys')
          .set({ status: 'retired', retired_at: new Date(context.clock.now()) })
          .where('status', '=', 'active')
          .execute();
        for (const alg of ALGORITHMS) await recordKey(context, tx, actor, alg, await makeKey(context, db, alg));
        await tx.notify(KEYS_CHANNEL, 'rotated');
      });
    },
  };
}
