import { createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { WebhookScheme, WebhookVariant } from '@cordon/policy';
import type { DeliveryParts } from './delivery-parts.ts';
import { readCertificates } from './vendor-certificate.ts';
import { buildContent, type ContentPart, parseContent } from './signed-content.ts';

/** A field with more signatures than this is an attack on our time. */
const SIGNATURES_MAX = 8;
/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const ED25519_BYTES = 32;

export interface OpenSecret {
  readonly id: string;
  readonly bytes: Buffer;
  /** Good until then, milliseconds; null: until it is replaced. */
  readonly notAfter: number | null;
}

export type Verdict =
  | {
      readonly verdict: 'verified';
      readonly secretId: string;
      readonly secret: Buffer;
      /** SHA-256 of what was signed: the same for a copy, whatever its unsigned parts say. */
      readonly contentHash: string;
      readonly timestamp: number | null;
      readonly fields: ReadonlyMap<string, string>;
    }
  | { readonly verdict: 'missing' | 'invalid' | 'late' };

interface CompiledVariant {
  readonly variant: WebhookVariant;
  readonly parts: readonly ContentPart[];
}

/** A secret as its scheme writes it, as the bytes of a key; null when it can't be one. */
export function decodeSecret(scheme: WebhookScheme, text: string): Buffer | null {
  if (scheme.certificate) return readCertificates(text) ? Buffer.from(text, 'utf8') : null;
  // Nothing to verify by: such a scheme lets nobody in.
  if (scheme.variants.length === 0) return null;
  const { encoding, prefix } = scheme.secret;
  const bare = prefix !== '' && text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const clean = encoding === 'hex' ? /^(?:[0-9a-f]{2})+$/i : encoding === 'base64' ? /^[A-Za-z0-9+/_-]+={0,2}$/ : /./s;
  if (!clean.test(bare)) return null;
  const bytes = Buffer.from(bare, encoding);
  const needsKey = scheme.variants.some(({ algorithm }) => algorithm === 'ed25519');
  return needsKey && bytes.length !== ED25519_BYTES ? null : bytes;
}

/** Verifies deliveries of one scheme. Compiled once, used for every delivery. */
export class SignatureCheck {
  readonly #scheme: WebhookScheme;
  readonly #variants: readonly CompiledVariant[];

  constructor(scheme: WebhookScheme) {
    this.#scheme = scheme;
    this.#variants = scheme.variants.map((variant) => ({ variant, parts: parseContent(variant.content) }));
  }

  /** Tries the variants that the delivery has a field of, with every live secret; one that fits is enough. */
  check(delivery: DeliveryParts, secrets: readonly OpenSecret[], now: number): Verdict {
    let answer: Verdict = { verdict: 'missing' };
    for (const compiled of this.#variants) {
      const field = this.#fieldOf(compiled.variant, delivery);
      if (field === undefined) continue;
      const verdict = this.#checkVariant(compiled, field, delivery, secrets, now);
      if (verdict.verdict === 'verified') return verdict;
      if (answer.verdict !== 'late') answer = verdict;
    }
    return answer;
  }

  #fieldOf({ when, body, signature }: WebhookVariant, parts: DeliveryParts): string | undefined {
    if (when && parts.delivery.header(when.header) !== when.value) return undefined;
    if (body !== 'any' && parts.isForm !== (body === 'form')) return undefined;
    return parts.delivery.header(signature.header);
  }

  #checkVariant(
    compiled: CompiledVariant,
    field: string,
    delivery: DeliveryParts,
    secrets: readonly OpenSecret[],
    now: number,
  ): Verdict {
    const { variant, parts } = compiled;
    const fields = readFields(field, variant.signature.separator);
    const signatures = readSignatures(field, variant);
    if (signatures.length === 0) return { verdict: 'missing' };
    const stamp = this.#readTimestamp(delivery, fields);
    if (stamp === 'missing') return { verdict: 'missing' };
    if (!bodyFits(variant, delivery)) return { verdict: 'invalid' };
    const id = this.#scheme.id ? delivery.first(this.#scheme.id.places, fields) : undefined;
    for (const secret of secrets) {
      if (secret.notAfter !== null && secret.notAfter <= now) continue;
      for (const url of delivery.delivery.urls) {
        const facts = { url, timestamp: stamp.text, id: id ?? '', secret: secret.bytes };
        const content = buildContent(parts, delivery, facts);
        if (!signatures.some((given) => isSigned(variant, given, content, secret.bytes))) continue;
        // Judged only now: whoever can't sign learns nothing of clocks.
        const { at } = stamp;
        if (at !== null && !(Math.abs(now - at) <= this.#scheme.toleranceMs)) return { verdict: 'late' };
        const hash = createHash('sha256');
        for (const part of content) hash.update(part);
        if (variant.bodyDigestQuery !== null) hash.update(delivery.delivery.body);
        return {
          verdict: 'verified',
          secretId: secret.id,
          secret: secret.bytes,
          contentHash: hash.digest('hex'),
          timestamp: at,
          fields,
        };
      }
    }
    return { verdict: 'invalid' };
  }

  #readTimestamp(
    delivery: DeliveryParts,
    fields: ReadonlyMap<string, string>,
  ): { text: string; at: number | null } | 'missing' {
    const { timestamp } = this.#scheme;
    if (!timestamp) return { text: '', at: null };
    const text = delivery.read(timestamp.place, fields);
    if (text === undefined) return 'missing';
    if (timestamp.unit === 'iso') return { text, at: Date.parse(text) };
    // `1e9` or ` 12` are numbers to JavaScript and something else to others.
    const at = /^\d{1,16}$/.test(text) ? Number(text) * (timestamp.unit === 's' ? 1_000 : 1) : Number.NaN;
    return { text, at };
  }
}

/** The `k=v` parts of a signature field (Stripe, Calendly). */
function readFields(field: string, separator: string | null): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (separator === null) return fields;
  for (const part of field.split(separator, SIGNATURES_MAX)) {
    const equals = part.indexOf('=');
    if (equals <= 0) continue;
    const name = part.slice(0, equals).trim();
    if (!fields.has(name)) fields.set(name, part.slice(equals + 1).trim());
  }
  return fields;
}

function readSignatures(field: string, { signature }: WebhookVariant): Buffer[] {
  const { prefix, separator, encoding } = signature;
  const parts = separator === null ? [field] : field.split(separator, SIGNATURES_MAX);
  const found: Buffer[] = [];
  for (const part of parts) {
    const text = part.trim();
    if (!text.startsWith(prefix)) continue;
    const value = text.slice(prefix.length);
    if (encoding === 'hex' && !/^(?:[0-9a-f]{2})+$/i.test(value)) continue;
    if (encoding === 'base64' && !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) continue;
    if (value !== '') found.push(Buffer.from(value, encoding === 'text' ? 'utf8' : encoding));
  }
  return found;
}

function bodyFits({ bodyDigestQuery }: WebhookVariant, { delivery }: DeliveryParts): boolean {
  if (bodyDigestQuery === null) return true;
  const given = delivery.query.get(bodyDigestQuery);
  if (given === null) return delivery.body.length === 0;
  return isSame(
    Buffer.from(given.toLowerCase()),
    Buffer.from(createHash('sha256').update(delivery.body).digest('hex')),
  );
}

const HMACS = { 'hmac-sha1': 'sha1', 'hmac-sha256': 'sha256', 'hmac-sha512': 'sha512' } as const;

function isSigned(variant: WebhookVariant, given: Buffer, content: readonly Buffer[], secret: Buffer): boolean {
  const { algorithm } = variant;
  if (algorithm === 'token') return isSame(digest([given]), digest([secret]));
  if (algorithm === 'sha256') return isSame(given, digest(content));
  if (algorithm === 'ed25519') return given.length === 64 && verify(null, Buffer.concat(content), keyOf(secret), given);
  const hmac = createHmac(HMACS[algorithm], secret);
  for (const part of content) hmac.update(part);
  return isSame(given, hmac.digest());
}

function digest(parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function keyOf(secret: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([ED25519_PREFIX, secret]), format: 'der', type: 'spki' });
}
