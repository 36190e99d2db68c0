import type { KoaContextWithOIDC } from 'oidc-provider';
import { isRegistered, subjectOf } from '../certificates/certificates.ts';
import type { PeerCertificates } from '../certificates/peer-certificate.ts';

function normalDn(dn: string): string {
  return dn
    .split(',')
    .map((part) => part.trim())
    .join(',');
}

/** RFC 8705: what the library asks about the certificate that came with a request. Headers are never believed here. */
export function mtlsFeature(peers: PeerCertificates) {
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: (ctx: KoaContextWithOIDC) => peers.of(ctx.req)?.pem,
    certificateAuthorized: (ctx: KoaContextWithOIDC) => {
      const peer = peers.of(ctx.req);
      return peer !== null && (peer.subjectTrusted || peer.spiffeId !== null);
    },
    certificateSubjectMatches: (ctx: KoaContextWithOIDC, property: string, expected: string) => {
      const peer = peers.of(ctx.req);
      if (!peer) return false;
      // Each kind of name only from an authority that may give that kind: a SPIFFE bundle vouches for no subject.
      if (property === 'tls_client_auth_san_uri') return isRegistered(peer, expected);
      return (
        property === 'tls_client_auth_subject_dn' &&
        peer.subjectTrusted &&
        normalDn(subjectOf(peer.certificate)) === normalDn(expected)
      );
    },
  };
}
