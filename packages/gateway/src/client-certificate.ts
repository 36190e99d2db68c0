import { hash, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

const FIELD_CHARS_MAX = 16_384;
/** RFC 8941, section 3.3.5: a byte sequence. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]+={0,2}):$/;

/** A connection's certificate never changes, so its thumbprint is computed once. */
const thumbprints = new WeakMap<Socket, string | null>();

function ofConnection(socket: Socket): string | null {
  const known = thumbprints.get(socket);
  if (known !== undefined) return known;
  const raw = (socket as Partial<TLSSocket>).getPeerCertificate?.()?.raw; // plain sockets lack the method
  const thumbprint = raw ? hash('sha256', raw, 'base64url') : null;
  thumbprints.set(socket, thumbprint);
  return thumbprint;
}

export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** The certificate that a trusted TLS proxy says the client showed (RFC 9440), as DER. */
function ofProxy(request: IncomingMessage): Buffer | null {
  const field = request.headers['client-cert'];
  if (typeof field !== 'string' || field.length > FIELD_CHARS_MAX) return null;
  const encoded = BYTE_SEQUENCE.exec(field.trim())?.[1];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64');
}

const isProxy = (request: IncomingMessage, proxies: ReadonlySet<string>): boolean =>
  proxies.size > 0 && proxies.has(plainAddress(request.socket.remoteAddress ?? ''));

/**
 * RFC 8705, section 3.1: base64url of the SHA-256 of the certificate whose key the client proved to hold, here or at a
 * TLS proxy in front that is trusted to say so (RFC 9440). Null: it showed none. From anyone else the field is ignored.
 */
export function clientThumbprint(request: IncomingMessage, proxies: ReadonlySet<string>): string | null {
  if (!isProxy(request, proxies)) return ofConnection(request.socket);
  const raw = ofProxy(request);
  return raw === null ? null : hash('sha256', raw, 'base64url');
}

/** The certificate itself, as `clientThumbprint` finds it. */
export function clientCertificate(request: IncomingMessage, proxies: ReadonlySet<string>): X509Certificate | null {
  const raw = isProxy(request, proxies)
    ? ofProxy(request)
    : (request.socket as Partial<TLSSocket>).getPeerCertificate?.()?.raw; // as above
  try {
    return raw ? new X509Certificate(raw) : null;
  } catch {
    return null;
  }
}
