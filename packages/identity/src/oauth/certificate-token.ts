import { X509Certificate } from 'node:crypto';
import type { Provider } from 'oidc-provider';
import { subjectOf } from '../certificates/certificates.ts';
import type { PeerCertificates } from '../certificates/peer-certificate.ts';
import { type IdentityContext, tablesOf } from '../context.ts';
import { findClientsByCertificate } from './client-store.ts';

/** Asks for a token in the name of whoever showed this certificate (DER) to a gateway. Null: it is nobody's. */
export type CertificateTokens = (certificate: Buffer) => Promise<string | null>;

/**
 * Tokens for connections that prove nothing but a certificate, which is what a client of the forward proxy can show.
 * The gateway saw the proof of possession; whose certificate it is, is judged here as at the token endpoint (RFC 8705,
 * section 2.1), and the token is bound to it (section 3), so it is worth nothing without the key.
 */
export function createCertificateTokens(
  context: IdentityContext,
  peers: PeerCertificates,
  provider: () => Provider,
): CertificateTokens {
  return async (der) => {
    let certificate;
    try {
      certificate = new X509Certificate(der);
    } catch {
      return null;
    }
    const peer = await peers.judge(certificate);
    const [found, ...others] = await findClientsByCertificate(tablesOf(context.db), {
      uri: peer.spiffeId,
      subject: peer.subjectTrusted ? subjectOf(certificate) : null,
    });
    // A certificate that several clients are registered with says which machine it is, not which client.
    if (!found || others.length > 0) return null;
    const current = provider();
    const client = await current.Client.find(found);
    if (!client) return null;
    const token = new current.ClientCredentials({ client });
    Object.assign(token, { 'x5t#S256': peer.thumbprint });
    return token.save();
  };
}
