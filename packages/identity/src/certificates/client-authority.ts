import { X509Certificate } from 'node:crypto';
import { appendAudit, createAuthority, type PemPair, uuidv7 } from '@cordon/kernel';
import { sql } from 'kysely';
import { type IdentityContext, tablesOf } from '../context.ts';

/** Any fixed number: one process at a time makes the first authority. */
const LOCK_KEY = 7_226_014;
/** A newer authority takes over this long before the old one ends. */
const RENEW_BEFORE_MS = 400 * 86_400_000;
const AUTHORITIES_MAX = 4;
/** How long what was read is believed: authorities change every few years. */
const REMEMBERED_MS = 30_000;

export function authorityContext(id: string): string {
  return `identity.client-authority:${id}`;
}

/** The built-in authority for certificates of integrations. */
export interface ClientAuthority {
  /** Certificate and key of the one that issues now; made at the first call. */
  issuer(): Promise<PemPair>;
  /** Certificates of all that may still have issued something. Empty until the first was made. */
  trust(): Promise<readonly X509Certificate[]>;
}

export function createClientAuthority(context: IdentityContext): ClientAuthority {
  const { db, clock, envelope } = context;
  let remembered: { readonly at: number; readonly trust: readonly X509Certificate[] } | undefined;

  const make = (): Promise<PemPair> =>
    db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(tables);
      const found = await newest(tx);
      if (found) return found;
      const now = clock.now();
      const id = uuidv7(now);
      const pair = await createAuthority('Cordon client authority', now);
      const endsAt = new Date(new X509Certificate(pair.cert).validTo);
      await tables
        .insertInto('client_authorities')
        .values({
          id,
          certificate: pair.cert,
          sealed_key: envelope.seal(pair.key, authorityContext(id)),
          created_at: new Date(now),
          ends_at: endsAt,
        })
        .execute();
      const target = { type: 'client-authority', id };
      const detail = { endsAt: endsAt.toISOString() };
      await appendAudit(tx, {
        actor: { kind: 'system', name: 'cordon' },
        action: 'client_authority.created',
        target,
        detail,
        at: now,
      });
      remembered = undefined;
      return pair;
    });

  const newest = async (source: Parameters<typeof tablesOf>[0]): Promise<PemPair | null> => {
    const row = await tablesOf(source)
      .selectFrom('client_authorities')
      .select(['id', 'certificate', 'sealed_key'])
      .where('ends_at', '>', new Date(clock.now() + RENEW_BEFORE_MS))
      .orderBy('created_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row
      ? { cert: row.certificate, key: envelope.open(row.sealed_key, authorityContext(row.id)).toString('utf8') }
      : null;
  };

  return {
    issuer: async () => (await newest(db)) ?? make(),
    async trust() {
      const now = clock.now();
      if (remembered && now - remembered.at < REMEMBERED_MS && remembered.trust.length > 0) return remembered.trust;
      const rows = await tablesOf(db)
        .selectFrom('client_authorities')
        .select('certificate')
        .orderBy('created_at', 'desc')
        .limit(AUTHORITIES_MAX)
        .execute();
      remembered = { at: now, trust: rows.map(({ certificate }) => new X509Certificate(certificate)) };
      return remembered.trust;
    },
  };
}
