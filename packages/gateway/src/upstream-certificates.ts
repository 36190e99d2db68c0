import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@cordon/kernel';
import type { SeenConnection, ShownCertificate } from '@cordon/policy';
import type { ControlClient } from './control-client.ts';

const DAY_MS = 86_400_000;
const HOSTS_MAX = 5_000;
const CHAIN_MAX = 8;
const NAME_CHARS_MAX = 512;

const CURVE_BITS: Readonly<Record<string, number>> = {
  prime192v1: 192,
  secp224r1: 224,
  prime256v1: 256,
  secp256k1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

/** What a handshake failed by that says something of the server's certificate or TLS. */
const REFUSED = /^(?:CERT_|DEPTH_|UNABLE_|SELF_SIGNED|ERR_TLS|ERR_SSL|HOSTNAME_|INVALID_|CORDON_PIN)/;
const CODE_CHARS_MAX = 64;

/** The code by which a server's certificate or TLS was refused; undefined for what is no matter of trust. */
export function trustFailure(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (REFUSED.test(code)) return /^[A-Z0-9_]+$/.test(code) ? code.slice(0, CODE_CHARS_MAX) : 'INVALID_CERTIFICATE';
  // OpenSSL's verdicts that node has no name for come with a text alone.
  if (code !== 'UNSPECIFIED' || !(error instanceof Error)) return undefined;
  if (/key too weak/i.test(error.message)) return 'CERT_KEY_TOO_WEAK';
  if (/digest (?:algorithm )?too weak/i.test(error.message)) return 'CERT_SIGNATURE_TOO_WEAK';
  return 'INVALID_CERTIFICATE';
}

const oneLine = (text: string): string => text.replaceAll('\n', ', ').slice(0, NAME_CHARS_MAX);

function keyBits(certificate: X509Certificate): number | null {
  const { modulusLength, namedCurve } = certificate.publicKey.asymmetricKeyDetails ?? {};
  return modulusLength ?? (namedCurve === undefined ? null : (CURVE_BITS[namedCurve] ?? null));
}

function describe(raw: Buffer): ShownCertificate {
  const certificate = new X509Certificate(raw);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    keyType: certificate.publicKey.asymmetricKeyType ?? 'unknown',
    keyBits: keyBits(certificate),
    signature: certificate.signatureAlgorithm?.slice(0, 64) ?? null,
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** The chain as far as it was built, without its root, whose own signature nobody relies on. */
function chainOf(socket: TLSSocket): ShownCertificate[] {
  const chain: ShownCertificate[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw && chain.length < CHAIN_MAX) {
    const issuer: DetailedPeerCertificate | undefined = at.issuerCertificate;
    const isRoot: boolean = !issuer || issuer === at || issuer.fingerprint256 === at.fingerprint256;
    if (!isRoot || chain.length === 0) chain.push(describe(at.raw));
    at = isRoot ? undefined : issuer;
  }
  return chain;
}

function describeConnection(socket: TLSSocket): SeenConnection {
  return { chain: chainOf(socket), protocol: socket.getProtocol(), cipher: socket.getCipher().name, refused: null };
}

const keyOf = ({ appId, host }: Place): string => `${appId} ${host}`;

interface Told {
  readonly day: number;
  readonly what: string;
  readonly seen: SeenConnection;
}

/** Where a connection goes. */
export interface Place {
  readonly appId: string;
  /** Host and port. */
  readonly host: string;
}

/**
 * Looks at what upstreams show of themselves when they are connected to, and tells control: once for each host and day,
 * and when it changes. Connections are kept for long, so this costs calls nothing.
 */
export class UpstreamCertificates {
  readonly #client: Pick<ControlClient, 'post'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #told = new Map<string, Told>();

  constructor(client: Pick<ControlClient, 'post'>, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  connected(place: Place, socket: TLSSocket): void {
    try {
      const seen = socket.isSessionReused() ? this.#told.get(keyOf(place))?.seen : describeConnection(socket);
      // A resumed session shows no certificate: it goes on from a handshake that did.
      if (seen?.chain[0]) this.#note(place, `${seen.chain[0].sha256} ${seen.protocol}`, seen);
    } catch (error) {
      this.#logger.debug({ err: error, host: place.host }, 'the certificate of an upstream could not be read');
    }
  }

  /** A handshake that failed. What isn't about trust says nothing of a certificate. */
  failed(place: Place, error: Error): void {
    const code = trustFailure(error);
    if (code === undefined) return;
    this.#note(place, code, { chain: [], protocol: null, cipher: null, refused: code });
  }

  #note(place: Place, what: string, seen: SeenConnection): void {
    const key = keyOf(place);
    const day = Math.floor(this.#clock.now() / DAY_MS);
    const told = this.#told.get(key);
    if (told?.day === day && told.what === what) return;
    if (this.#told.size >= HOSTS_MAX) this.#told.clear();
    this.#told.set(key, { day, what, seen });
    void this.#tell(place, seen);
  }

  async #tell(place: Place, seen: SeenConnection): Promise<void> {
    try {
      const { status } = await this.#client.post('/internal/gateway/certificates', { ...place, seen });
      if (status !== 200) throw new Error(`control answered ${status}`);
    } catch (error) {
      // Said again with the next handshake.
      this.#told.delete(keyOf(place));
      this.#logger.info({ err: error, host: place.host }, 'control could not be told of an upstream’s certificate');
    }
  }
}
