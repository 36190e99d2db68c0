import { createPrivateKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { type Actor, appendAudit, authorize, uuidv7 } from '@cordon/kernel';
import { sql } from 'kysely';
import { type IdentityContext, type IdentityDb, tablesOf } from '../context.ts';

const RSA_BITS = 2_048;
const CERTIFICATE_DAYS = 1_095;
const DAY_MS = 86_400_000;
/** A retired certificate stays in the metadata this long, for tools that read it seldom. */
const RETIRED_MS_MAX = 30 * DAY_MS;
/** Any fixed number: one process at a time makes keys. */
const LOCK_KEY = 7_226_108;

export interface SamlPair {
  readonly id: string;
  /** PEM. */
  readonly certificate: string;
  /** PKCS#8 PEM. */
  readonly privateKey: string;
}

export interface SamlCertificate {
  readonly id: string;
  readonly certificate: string;
  readonly status: 'next' | 'active' | 'retired';
  readonly createdAt: number;
}

/** The certificates that sign for SAML. Two are always published, so that tools know the next before it signs. */
export interface SamlKeys {
  signer(): Promise<SamlPair>;
  /** For the metadata: the signing one first, then the next, then retired ones. */
  published(): Promise<SamlCertificate[]>;
  /** The next certificate signs from now on, and another next one is made. */
  rotate(actor: Actor): Promise<void>;
}

export function samlKeyContext(id: string): string {
  return `identity.sso-certificate:${id}`;
}

async function makeCertificate(name: string, now: number): Promise<{ certificate: string; privateKey: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
  const pair = generateKeyPairSync('rsa', { modulusLength: RSA_BITS });
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const der = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const serial = randomBytes(16);
  serial[0]! &= 0x7f;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: `CN=${name.replace(/[^\w .-]/g, '')} SAML signing`,
    notBefore: new Date(now - 300_000),
    notAfter: new Date(now + CERTIFICATE_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
  });
  return { certificate: certificate.toString('pem'), privateKey };
}

export function createSamlKeys(context: IdentityContext): SamlKeys {
  const { db, clock, envelope } = context;

  const insert = async (tables: IdentityDb, status: 'active' | 'next'): Promise<string> => {
    const id = uuidv7(clock.now());
    const made = await makeCertificate(context.config.organisation, clock.now());
    await tables
      .insertInto('sso_certificates')
      .values({
        id,
        certificate: made.certificate,
        sealed_private: envelope.seal(made.privateKey, samlKeyContext(id)),
        status,
        created_at: new Date(clock.now()),
        retired_at: null,
      })
      .execute();
    return id;
  };

  const ensure = (): Promise<void> =>
    db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(tables);
      const rows = await tables.selectFrom('sso_certificates').select('status').execute();
      for (const status of ['active', 'next'] as const) {
        if (rows.some((row) => row.status === status)) continue;
        const target = { type: 'sso-certificate', id: await insert(tables, status) };
        const actor = { kind: 'system', name: 'cordon' } as const;
        await appendAudit(tx, { actor, action: 'sso_certificate.created', target, at: clock.now() });
      }
    });

  return {
    async signer() {
      const find = () =>
        tablesOf(db).selectFrom('sso_certificates').selectAll().where('status', '=', 'active').executeTakeFirst();
      let row = await find();
      if (!row) {
        await ensure();
        row = await find();
      }
      if (!row) throw new Error('there is no active SAML certificate');
      const privateKey = envelope.open(row.sealed_private, samlKeyContext(row.id)).toString('utf8');
      return { id: row.id, certificate: row.certificate, privateKey };
    },
    async published() {
      await ensure();
      const rows = await tablesOf(db)
        .selectFrom('sso_certificates')
        .select(['id', 'certificate', 'status', 'created_at'])
        .where((or) =>
          or.or([or('status', '!=', 'retired'), or('retired_at', '>', new Date(clock.now() - RETIRED_MS_MAX))]),
        )
        // 'active', 'next', 'retired': the alphabet has the order that the metadata wants.
        .orderBy('status')
        .orderBy('created_at', 'desc')
        .execute();
      return rows.map(({ id, certificate, status, created_at }) => ({
        id,
        certificate,
        status,
        createdAt: created_at.getTime(),
      }));
    },
    async rotate(actor) {
      authorize(actor, 'sso.write');
      await ensure();
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(tables);
        const now = new Date(clock.now());
        const set = (from: 'active' | 'next', values: { status: 'retired' | 'active'; retired_at?: Date }) =>
          tables.updateTable('sso_certificates').set(values).where('status', '=', from).execute();
        await set('active', { status: 'retired', retired_at: now });
        await set('next', { status: 'active' });
        const target = { type: 'sso-certificate', id: await insert(tables, 'next') };
        await appendAudit(tx, { actor, action: 'sso_certificate.rotated', target, at: clock.now() });
      });
    },
  };
}
