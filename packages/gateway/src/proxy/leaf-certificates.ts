import tls from 'node:tls';
import { issueServerCertificate, type PemPair, type SecretEnvelope } from '@cordon/kernel';
import type { ProxyEntry } from '@cordon/policy';

const HOSTS_MAX = 1_000;
const LIFE_MS = 24 * 3_600_000;
export const AUTHORITY_CONTEXT = 'proxy-authority';

interface Leaf {
  readonly context: Promise<tls.SecureContext>;
  readonly until: number;
}

/** Certificates of opened hosts, made when first needed and kept for a day. Only hosts of apps ever get one. */
export class LeafCertificates {
  readonly #envelope: SecretEnvelope;
  readonly #now: () => number;
  #authority: { entry: ProxyEntry['authority']; pair: PemPair } | undefined;
  readonly #leaves = new Map<string, Leaf>();

  constructor(envelope: SecretEnvelope, now: () => number) {
    this.#envelope = envelope;
    this.#now = now;
  }

  /** Undefined when there is no authority yet. */
  contextFor(host: string, authority: ProxyEntry['authority']): Promise<tls.SecureContext> | undefined {
    if (!authority) return undefined;
    if (this.#authority?.entry?.sealed !== authority.sealed) {
      const key = this.#envelope.open(authority.sealed, AUTHORITY_CONTEXT).toString('utf8');
      this.#authority = { entry: authority, pair: { cert: authority.certificate, key } };
      this.#leaves.clear();
    }
    const known = this.#leaves.get(host);
    if (known && known.until > this.#now()) return known.context;
    if (this.#leaves.size >= HOSTS_MAX) this.#leaves.clear();
    const leaf: Leaf = { context: this.#issue(host, this.#authority.pair), until: this.#now() + LIFE_MS };
    this.#leaves.set(host, leaf);
    leaf.context.catch(() => this.#leaves.delete(host));
    return leaf.context;
  }

  async #issue(host: string, authority: PemPair): Promise<tls.SecureContext> {
    const address = /^[\d.]+$|:/.test(host);
    const { cert, key } = await issueServerCertificate(
      authority,
      address ? { dns: [], ip: [host] } : { dns: [host], ip: [] },
      this.#now(),
    );
    return tls.createSecureContext({ cert: `${cert}\n${authority.cert}`, key, minVersion: 'TLSv1.2' });
  }
}
