import type { X509Certificate } from 'node:crypto';
import {
  type Actor,
  appendAudit,
  authorize,
  describeActor,
  IntegrationId,
  isAllowed,
  issueClientCertificate,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { CertificateInvalid, CertificateNotFound, EnrolmentInvalid } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { ClientId, type OauthClient } from '../oauth/client.ts';
import { findClient, insertClient } from '../oauth/client-store.ts';
import { endTokens } from '../oauth/token-revocation.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';
import {
  type ClientCertificate,
  findLiveCertificate,
  insertCertificate,
  insertEnrolment,
  listCertificates,
  revokeCertificates,
  takeEnrolment,
} from './certificate-store.ts';
import type { ClientAuthority } from './client-authority.ts';
import { builtInTrustDomain, type PeerCertificate } from './peer-certificate.ts';

export const ENROLMENT_PREFIX = 'cordon_enr_';
const ENROLMENT_MS_MAX = 3_600_000;
const DAY_MS = 86_400_000;

/** What a workload keeps beside its key. */
export interface Enrolled {
  readonly clientId: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM of the authority that issued it. */
  readonly authority: string;
  readonly spiffeId: string;
  readonly endsAt: number;
  /** Where to get tokens with it. */
  readonly tokenEndpoint: string;
  /** Where to renew it before it ends. */
  readonly renewalEndpoint: string;
}

export interface Certificates {
  /** A one-time code, good for an hour, with which a workload gets its first certificate. */
  createEnrolment(
    actor: Actor,
    input: { readonly integrationId: IntegrationId; readonly name: string },
  ): Promise<{ code: string; expiresAt: number }>;
  /** Takes the code and issues a certificate for the request's key, for a client of its own. */
  enrol(input: { readonly code: string; readonly request: string }): Promise<Enrolled>;
  /** A certificate for a new key, to the holder of one that is live. */
  renew(peer: PeerCertificate | null, request: string): Promise<Enrolled>;
  list(actor: Actor, integrationId: string): Promise<ClientCertificate[]>;
  /** Ends one certificate and the tokens that are bound to it. */
  revoke(actor: Actor, id: string, reason: string): Promise<void>;
}

const ENROLMENT_ACTOR = { kind: 'system', name: 'certificate enrolment' } as const;

export function createCertificates(context: IdentityContext, authority: ClientAuthority): Certificates {
  const { db, clock, config, emit } = context;
  const endpoint = config.mtlsUrl ?? config.publicUrl;

  const issue = async (
    tx: Transaction,
    client: OauthClient & { readonly integrationId: IntegrationId; readonly tlsUri: string },
    request: string,
    issuedBy: ClientCertificate['issuedBy'],
    detail: Record<string, unknown>,
  ): Promise<Enrolled> => {
    const now = clock.now();
    const issuer = await authority.issuer();
    const issued = await issueClientCertificate(issuer, {
      request,
      commonName: client.id,
      uri: client.tlsUri,
      now,
      lifeMs: config.clients.certificateDays * DAY_MS,
    });
    const id = uuidv7(now);
    await insertCertificate(tablesOf(tx), {
      id,
      clientId: client.id,
      integrationId: client.integrationId,
      serial: issued.serial,
      thumbprint: issued.thumbprint,
      uri: client.tlsUri,
      startsAt: issued.notBefore,
      endsAt: issued.notAfter,
      issuedAt: now,
      issuedBy,
      revokedAt: null,
      revokedReason: null,
    });
    const { integrationId } = client;
    await appendAudit(tx, {
      actor: { kind: 'client', id: client.id, name: client.name, roles: [] },
      action: `certificate.${issuedBy === 'renewal' ? 'renewed' : 'issued'}`,
      target: { type: 'client-certificate', id },
      detail: { ...detail, integrationId, serial: issued.serial, endsAt: new Date(issued.notAfter).toISOString() },
      at: now,
    });
    return {
      clientId: client.id,
      certificate: issued.cert,
      authority: issuer.cert,
      spiffeId: client.tlsUri,
      endsAt: issued.notAfter,
      tokenEndpoint: `${endpoint}/oauth/token`,
      renewalEndpoint: `${endpoint}/oauth/certificate/renew`,
    };
  };

  const report = (activity: 'create' | 'delete', integrationId: string, id: string, reason: string, actor: Actor) =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        actor,
        reason,
        entity: { type: 'client-certificate', id },
        integrationId,
      }),
    );

  return {
    async createEnrolment(actor, { integrationId, name }) {
      authorize(actor, 'integration.credential');
      if (actor.kind !== 'system') await context.checkIntegration?.(actor, integrationId);
      const now = clock.now();
      const { value, hash } = mintSecret(context.random, ENROLMENT_PREFIX);
      const expiresAt = now + ENROLMENT_MS_MAX;
      await db.transaction(async (tx) => {
        const createdBy = describeActor(actor);
        await insertEnrolment(tablesOf(tx), { integrationId, name, createdBy, hash, at: now, expiresAt });
        const target = { type: 'integration', id: integrationId };
        await appendAudit(tx, { actor, action: 'certificate.enrolment_allowed', target, detail: { name }, at: now });
      });
      return { code: value, expiresAt };
    },

    async enrol({ code, request }) {
      const now = clock.now();
      const enrolled = await db.transaction(async (tx) => {
        const found = await takeEnrolment(tablesOf(tx), hashSecret(code), now);
        const integrationId = found && IntegrationId.parse(found.integrationId);
        const facts = integrationId && (await context.findIntegration?.(integrationId));
        if (!found || !integrationId || facts?.active === false || facts === null) {
          throw new EnrolmentInvalid('This enrolment code is unknown, was used or is over. Ask for a new one.');
        }
        const id = ClientId.create(now);
        const domain = builtInTrustDomain(config.publicUrl);
        const client = {
          id,
          integrationId,
          name: found.name,
          authMethod: 'tls_client_auth',
          jwks: null,
          federation: null,
          tlsSubject: null,
          tlsUri: `spiffe://${domain}/integration/${integrationId}/client/${id}`,
          dpopNonce: false,
          binding: 'mtls',
          tokenTtlS: config.tokenTtlS,
          deliveryMode: 'poll',
          notificationEndpoint: null,
          introspects: false,
          status: 'active',
          createdAt: now,
          updatedAt: now,
          expiresAt: null,
          lastTokenAt: null,
        } as const;
        await insertClient(tablesOf(tx), client);
        return { integrationId, made: await issue(tx, client, request, 'enrolment', { allowedBy: found.createdBy }) };
      });
      const { integrationId, made } = enrolled;
      report('create', integrationId, made.clientId, 'A workload enrolled and got its certificate.', ENROLMENT_ACTOR);
      return made;
    },

    async renew(peer, request) {
      const enrolled = await db.transaction(async (tx) => {
        const live = peer?.builtIn ? await findLiveCertificate(tablesOf(tx), peer.thumbprint) : undefined;
        const client = live && (await findClient(tablesOf(tx), live.clientId));
        const { integrationId, tlsUri } = client ?? {};
        if (!live || !client || !integrationId || !tlsUri) {
          throw new CertificateInvalid(
            'Connect with a certificate of Cordon that is neither over nor revoked; else enrol again with a new code.',
          );
        }
        return issue(tx, { ...client, integrationId, tlsUri }, request, 'renewal', { replaces: live.serial });
      });
      return enrolled;
    },

    async list(actor, integrationId) {
      authorize(actor, 'integration.read');
      return listCertificates(tablesOf(db), { integrationId });
    },

    async revoke(actor, id, reason) {
      if (!isAllowed(actor, 'integration.credential')) authorize(actor, 'integration.revoke');
      const now = clock.now();
      const certificate = await db.transaction(async (tx) => {
        const [found] = await listCertificates(tablesOf(tx), { id });
        if (!found) throw new CertificateNotFound('There is no such certificate.');
        if (actor.kind !== 'system') await context.checkIntegration?.(actor, found.integrationId);
        const count = await revokeCertificates(tablesOf(tx), { id }, reason, now);
        if (count === 0) throw new CertificateNotFound('This certificate was revoked already.');
        // A token of this certificate's client may be bound to it: all end, and the client gets new ones with another.
        const cause = { actor, reason, clientId: found.clientId };
        const ended = await endTokens(context, tx, { clientId: found.clientId }, cause);
        const target = { type: 'client-certificate', id };
        const detail = { reason, serial: found.serial, integrationId: found.integrationId, tokens: ended.tokens };
        await appendAudit(tx, { actor, action: 'certificate.revoked', target, detail, at: now });
        return found;
      });
      report('delete', certificate.integrationId, id, `The certificate was revoked: ${reason}`, actor);
    },
  };
}

/** Whether a certificate is the one that a client is registered with by its URI name. */
export function isRegistered(peer: PeerCertificate, uri: string): boolean {
  return peer.spiffeId !== null && peer.spiffeId === uri;
}

/** The subject as RFC 4514 writes it: from the most specific part; Node gives lines the other way round. */
export function subjectOf(certificate: X509Certificate): string {
  return certificate.subject.split('\n').reverse().join(',');
}
