import { IntegrationId } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { ClientId } from '../oauth/client.ts';
import type { IdentityTables } from '../tables.ts';

const LIST_MAX = 200;

/** A certificate that the built-in authority issued. The private key was never here. */
export interface ClientCertificate {
  readonly id: string;
  readonly clientId: ClientId;
  readonly integrationId: IntegrationId;
  /** Lower-case hex. */
  readonly serial: string;
  /** RFC 8705: base64url of the SHA-256 of the DER. */
  readonly thumbprint: string;
  /** SPIFFE id. */
  readonly uri: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly issuedAt: number;
  readonly issuedBy: 'enrolment' | 'renewal';
  readonly revokedAt: number | null;
  readonly revokedReason: string | null;
}

function certificateOf(row: Selectable<IdentityTables['client_certificates']>): ClientCertificate {
  return {
    id: row.id,
    clientId: ClientId.parse(row.client_id),
    integrationId: IntegrationId.parse(row.integration_id),
    serial: row.serial,
    thumbprint: row.thumbprint,
    uri: row.uri,
    startsAt: row.starts_at.getTime(),
    endsAt: row.ends_at.getTime(),
    issuedAt: row.issued_at.getTime(),
    issuedBy: row.issued_by,
    revokedAt: row.revoked_at?.getTime() ?? null,
    revokedReason: row.revoked_reason,
  };
}

export async function insertCertificate(db: IdentityDb, certificate: ClientCertificate): Promise<void> {
  await db
    .insertInto('client_certificates')
    .values({
      id: certificate.id,
      client_id: certificate.clientId,
      integration_id: certificate.integrationId,
      serial: certificate.serial,
      thumbprint: certificate.thumbprint,
      uri: certificate.uri,
      starts_at: new Date(certificate.startsAt),
      ends_at: new Date(certificate.endsAt),
      issued_at: new Date(certificate.issuedAt),
      issued_by: certificate.issuedBy,
      revoked_at: null,
      revoked_reason: null,
    })
    .execute();
}

/** The certificate of a thumbprint, when it is not revoked and its client may act. */
export async function findLiveCertificate(db: IdentityDb, thumbprint: string): Promise<ClientCertificate | undefined> {
  const row = await db
    .selectFrom('client_certificates as certificate')
    .innerJoin('oauth_clients as client', 'client.id', 'certificate.client_id')
    .selectAll('certificate')
    .where('certificate.thumbprint', '=', thumbprint)
    .where('certificate.revoked_at', 'is', null)
    .where('client.status', '=', 'active')
    .executeTakeFirst();
  return row && certificateOf(row);
}

/** Newest first. */
export async function listCertificates(
  db: IdentityDb,
  scope: { readonly integrationId?: string; readonly id?: string },
): Promise<ClientCertificate[]> {
  let query = db.selectFrom('client_certificates').selectAll().orderBy('issued_at', 'desc').limit(LIST_MAX);
  if (scope.integrationId !== undefined) query = query.where('integration_id', '=', scope.integrationId);
  if (scope.id !== undefined) query = query.where('id', '=', scope.id);
  return (await query.execute()).map(certificateOf);
}

export async function revokeCertificates(
  db: IdentityDb,
  scope: { readonly integrationId: string } | { readonly clientId: string } | { readonly id: string },
  reason: string,
  at: number,
): Promise<number> {
  let query = db
    .updateTable('client_certificates')
    .set({ revoked_at: new Date(at), revoked_reason: reason })
    .where('revoked_at', 'is', null);
  if ('id' in scope) query = query.where('id', '=', scope.id);
  else if ('clientId' in scope) query = query.where('client_id', '=', scope.clientId);
  else query = query.where('integration_id', '=', scope.integrationId);
  const result = await query.executeTakeFirst();
  return Number(result.numUpdatedRows);
}

const creator = z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() });

export interface Enrolment {
  readonly integrationId: string;
  readonly name: string;
  readonly createdBy: z.output<typeof creator>;
}

export async function insertEnrolment(
  db: IdentityDb,
  enrolment: Enrolment & { readonly hash: Buffer; readonly at: number; readonly expiresAt: number },
): Promise<void> {
  await db
    .insertInto('client_enrolments')
    .values({
      hash: enrolment.hash,
      integration_id: enrolment.integrationId,
      name: enrolment.name,
      created_by: JSON.stringify(enrolment.createdBy),
      created_at: new Date(enrolment.at),
      expires_at: new Date(enrolment.expiresAt),
      used_at: null,
    })
    .execute();
}

/** Takes a code, once: one statement, so that two at the same time can't both win. */
export async function takeEnrolment(db: IdentityDb, hash: Buffer, now: number): Promise<Enrolment | undefined> {
  const row = await db
    .updateTable('client_enrolments')
    .set({ used_at: new Date(now) })
    .where('hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', new Date(now))
    .returning(['integration_id', 'name', 'created_by'])
    .executeTakeFirst();
  return row && { integrationId: row.integration_id, name: row.name, createdBy: creator.parse(row.created_by) };
}

/** Codes that were not used yet: a cut-off ends them too. */
export async function dropEnrolments(db: IdentityDb, integrationId: string): Promise<void> {
  await db
    .deleteFrom('client_enrolments')
    .where('integration_id', '=', integrationId)
    .where('used_at', 'is', null)
    .execute();
}

const KEPT_MS = 90 * 86_400_000;

export async function deleteOldCertificates(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('client_certificates')
    .where('ends_at', '<', new Date(now - KEPT_MS))
    .execute();
  await db
    .deleteFrom('client_enrolments')
    .where('expires_at', '<', new Date(now - KEPT_MS))
    .execute();
}
