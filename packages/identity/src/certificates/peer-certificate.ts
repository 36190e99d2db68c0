import { createHash, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { certificateUris, thumbprintOfCertificate, verifyClientCertificate } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { findLiveCertificate } from './certificate-store.ts';
import type { ClientAuthority } from './client-authority.ts';

const FIELD_CHARS_MAX = 16_384;
/** RFC 8941, section 3.3.5: a byte sequence. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]+={0,2}):$/;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
/** The first label of SPIFFE ids: `spiffe://<trust domain>/path`, of at most 2048 bytes (SPIFFE-ID, section 2). */
const SPIFFE = /^spiffe:\/\/([a-z0-9][a-z0-9._-]{0,254})(\/[A-Za-z0-9._/-]+)$/;
const URI_CHARS_MAX = 2_048;

/** What a client certificate proves. Possession of its key was proved in the TLS handshake, ours or a trusted proxy's. */
export interface PeerCertificate {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly thumbprint: string;
  /** RFC 7638 thumbprint of its key; null for a key type that JWK doesn't know. */
  readonly keyThumbprint: string | null;
  /** Issued by an authority whose subjects identify clients. */
  readonly subjectTrusted: boolean;
  /** The one SPIFFE id, when an authority of its trust domain issued the certificate. */
  readonly spiffeId: string | null;
  /** Issued by the built-in authority, and live. */
  readonly builtIn: boolean;
}

export interface PeerCertificates {
  /** Reads and judges the certificate that a request came with; removes the field that only proxies may send. */
  load(request: IncomingMessage): Promise<PeerCertificate | null>;
  /** Judges a certificate whose possession was proved elsewhere. */
  judge(certificate: X509Certificate): Promise<PeerCertificate>;
  /** What `load` found for a request. */
  of(request: IncomingMessage): PeerCertificate | null;
}

export function parseBundle(pem: string): X509Certificate[] {
  return [...pem.matchAll(PEM_BLOCK)].map(([block]) => new X509Certificate(block));
}

/** The trust domain of a SPIFFE id; null for anything else. */
export function trustDomainOf(uri: string): string | null {
  return uri.length <= URI_CHARS_MAX ? (SPIFFE.exec(uri)?.[1] ?? null) : null;
}

/** Public keys of certificates as RFC 7638 thumbprints, to compare them with keys of DPoP proofs and assertions. */
function keyThumbprintOf(certificate: X509Certificate): string | null {
  const jwk = certificate.publicKey.export({ format: 'jwk' });
  const members =
    jwk.kty === 'EC'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
      : jwk.kty === 'OKP'
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
        : jwk.kty === 'RSA'
          ? { e: jwk.e, kty: jwk.kty, n: jwk.n }
          : null;
  return members && createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** RFC 9440, section 2.2. */
function fromField(value: string | string[] | undefined): X509Certificate | null {
  if (typeof value !== 'string' || value.length > FIELD_CHARS_MAX) return null;
  const encoded = BYTE_SEQUENCE.exec(value.trim())?.[1];
  if (encoded === undefined) return null;
  try {
    return new X509Certificate(Buffer.from(encoded, 'base64'));
  } catch {
    return null;
  }
}

function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

/** The trust domain of the built-in authority: the host name under which people know this Cordon. */
export function builtInTrustDomain(publicUrl: string): string {
  const { hostname } = new URL(publicUrl);
  return /^[a-z0-9][a-z0-9._-]*$/.test(hostname) ? hostname : 'cordon';
}

export function createPeerCertificates(context: IdentityContext, authority: ClientAuthority): PeerCertificates {
  const { clients, publicUrl } = context.config;
  const subjects = parseBundle(clients.authorities);
  const bundles = new Map(Object.entries(clients.spiffe).map(([domain, pem]) => [domain, parseBundle(pem)]));
  const proxies = new Set(clients.trustedProxies.map(plainAddress));
  const ownDomain = builtInTrustDomain(publicUrl);
  const known = new WeakMap<IncomingMessage, PeerCertificate>();

  const read = (request: IncomingMessage): X509Certificate | null => {
    const field = request.headers['client-cert'];
    delete request.headers['client-cert'];
    delete request.headers['client-cert-chain'];
    // A trusted proxy speaks for the client; its own certificate, if it has one, is not the client's.
    if (proxies.has(plainAddress(request.socket.remoteAddress))) return fromField(field);
    const socket = request.socket as Partial<TLSSocket>; // a TLSSocket on https, else a plain socket
    return socket.getPeerX509Certificate?.() ?? null;
  };

  const spiffeIdOf = async (certificate: X509Certificate, thumbprint: string, now: number) => {
    const uris = certificateUris(certificate);
    // SPIFFE X.509-SVID, section 2: exactly one URI name.
    const uri = uris?.length === 1 ? uris[0] : undefined;
    const domain = uri === undefined ? null : trustDomainOf(uri);
    if (uri === undefined || domain === null) return { spiffeId: null, builtIn: false };
    if (domain === ownDomain) {
      const issued = verifyClientCertificate(certificate, await authority.trust(), now);
      const live = issued ? await findLiveCertificate(tablesOf(context.db), thumbprint) : undefined;
      if (live?.uri === uri) return { spiffeId: uri, builtIn: true };
    }
    const trusted = verifyClientCertificate(certificate, bundles.get(domain) ?? [], now);
    return { spiffeId: trusted ? uri : null, builtIn: false };
  };

  const judge = async (certificate: X509Certificate): Promise<PeerCertificate> => {
    const now = context.clock.now();
    const thumbprint = thumbprintOfCertificate(certificate);
    return {
      certificate,
      pem: certificate.toString(),
      thumbprint,
      keyThumbprint: keyThumbprintOf(certificate),
      subjectTrusted: verifyClientCertificate(certificate, subjects, now),
      ...(await spiffeIdOf(certificate, thumbprint, now)),
    };
  };

  return {
    judge,
    async load(request) {
      const certificate = read(request);
      if (!certificate) return null;
      const peer = await judge(certificate);
      known.set(request, peer);
      return peer;
    },
    of: (request) => known.get(request) ?? null,
  };
}
