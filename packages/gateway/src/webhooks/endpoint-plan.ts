import type { SecretEnvelope } from '@cordon/kernel';
import type { WebhookEntry } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import { type BodySchema, compileBodySchema } from './body-schema.ts';
import { CertificateCheck } from './vendor-certificate.ts';
import { decodeSecret, type OpenSecret, SignatureCheck } from './signature-check.ts';

/** An endpoint with everything derived from its entry. */
export interface EndpointPlan {
  readonly entry: WebhookEntry;
  readonly signatures: SignatureCheck;
  /** Set when the vendor proves itself by a certificate instead. */
  readonly certificates: CertificateCheck | undefined;
  readonly secrets: readonly OpenSecret[];
  readonly schema: BodySchema | undefined;
  wants(type: string): boolean;
}

/** Plans endpoints, once for each entry; secrets live in memory only, as long as the entry does. */
export class EndpointPlans {
  readonly #envelope: SecretEnvelope;
  readonly #plans = new WeakMap<WebhookEntry, EndpointPlan>();

  constructor(envelope: SecretEnvelope) {
    this.#envelope = envelope;
  }

  /** @throws {Refusal} `gateway.webhook_unusable` when a secret can't be opened or the schema can't be compiled. */
  plan(entry: WebhookEntry): EndpointPlan {
    let plan = this.#plans.get(entry);
    if (!plan) this.#plans.set(entry, (plan = this.#make(entry)));
    return plan;
  }

  #make(entry: WebhookEntry): EndpointPlan {
    return {
      entry,
      signatures: new SignatureCheck(entry.scheme),
      certificates: entry.scheme.certificate ? new CertificateCheck(entry.scheme) : undefined,
      secrets: entry.secrets.map((secret) => ({
        id: secret.id,
        notAfter: secret.notAfter,
        bytes: this.#open(entry, secret.sealed),
      })),
      schema: this.#schema(entry),
      wants: wantedTypes(entry.types),
    };
  }

  #open(entry: WebhookEntry, sealed: string): Buffer {
    try {
      const bytes = decodeSecret(entry.scheme, this.#envelope.open(sealed, `webhook:${entry.id}`).toString('utf8'));
      if (bytes) return bytes;
    } catch (error) {
      throw unusable('Its secret cannot be opened by this gateway.', error);
    }
    throw unusable('Its secret is not what its scheme needs.');
  }

  #schema(entry: WebhookEntry): BodySchema | undefined {
    if (entry.schema === null) return undefined;
    try {
      return compileBodySchema(entry.schema);
    } catch (error) {
      throw unusable('Its schema cannot be compiled.', error);
    }
  }
}

function unusable(why: string, cause?: unknown): Refusal {
  return new Refusal(
    'gateway.webhook_unusable',
    `This webhook endpoint cannot be used. ${why} An operator has to look at it.`,
    cause === undefined ? {} : { cause },
  );
}

function wantedTypes(types: readonly string[]): (type: string) => boolean {
  if (types.length === 0) return () => true;
  const exact = new Set(types);
  const prefixes = types.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1));
  return (type) => exact.has(type) || prefixes.some((prefix) => type.startsWith(prefix));
}
