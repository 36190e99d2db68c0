import type { SecretEnvelope } from '@cordon/kernel';
import type { Credential } from '@cordon/policy';
import { z } from 'zod';
import type { AwsKeys } from './aws-signature.ts';
import { Refusal } from './errors.ts';

/** A vendor credential ready to be attached. Lives in memory only, as long as the app's entry. */
export type Attachment =
  | { readonly place: 'header'; readonly name: string; readonly value: string }
  | { readonly place: 'query'; readonly name: string; readonly value: string }
  | { readonly place: 'form'; readonly name: string; readonly value: string }
  /** Nothing is attached: the whole call is signed. */
  | { readonly place: 'aws'; readonly keys: AwsKeys; readonly region: string; readonly service: string };

type Sealed = Exclude<Credential, { kind: 'unavailable' }>;

/** Why there is nothing to attach; the call must not go out without it. */
const UNAVAILABLE = {
  'not-connected': 'Nobody has connected this app to its vendor yet.',
  expired: 'The vendor’s token for this app has expired and was not renewed.',
  refused: 'The vendor refuses the credential of this app.',
} as const;

/** Shorter secrets would match ordinary text. */
const HIDDEN_CHARS_MIN = 8;
const HIDDEN = '[vendor credential removed]';

/** A call, or an app: whoever knows which credential is meant. */
interface Holder {
  readonly credential: Credential | null;
}

interface Opened {
  readonly attachment: Attachment;
  /** The forms in which a vendor could send its own credential back. */
  readonly needles: readonly Buffer[];
}

const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** Opens sealed credentials, once for each entry. */
export class CredentialBox {
  readonly #envelope: SecretEnvelope;
  readonly #opened = new WeakMap<Credential, Opened>();

  constructor(envelope: SecretEnvelope) {
    this.#envelope = envelope;
  }

  /** @throws {Refusal} `gateway.credential_unavailable`; the reason is in the log, not in the answer. */
  attachment(appId: string, credential: Credential | null, now: number): Attachment | undefined {
    if (!credential) return undefined;
    if (credential.kind === 'unavailable') throw unavailable(UNAVAILABLE[credential.reason]);
    if (credential.kind === 'bearer' && credential.expiresAt !== null && credential.expiresAt <= now) {
      throw unavailable(UNAVAILABLE.expired);
    }
    let opened = this.#opened.get(credential);
    if (!opened) this.#opened.set(credential, (opened = this.#open(appId, credential)));
    return opened.attachment;
  }

  /**
   * Takes the credential out of what its vendor sends back: some APIs and error pages echo request fields, and
   * the integration must never hold the secret. Returns the same buffer when it isn't there.
   */
  hide({ credential }: Holder, bytes: Buffer): Buffer {
    const needles = credential ? this.#opened.get(credential)?.needles : undefined;
    if (!needles) return bytes;
    let clean = bytes;
    for (const needle of needles) {
      if (clean.indexOf(needle) === -1) continue;
      clean = Buffer.from(clean.toString('latin1').replaceAll(needle.toString('latin1'), HIDDEN), 'latin1');
    }
    return clean;
  }

  /** As `hide`, for a field's value. */
  hideText({ credential }: Holder, text: string): string {
    const needles = credential ? this.#opened.get(credential)?.needles : undefined;
    if (!needles) return text;
    return needles.reduce((clean, needle) => clean.replaceAll(needle.toString('latin1'), HIDDEN), text);
  }

  #open(appId: string, credential: Sealed): Opened {
    let secret: string;
    try {
      secret = this.#envelope.open(credential.sealed, `credential:${appId}`).toString('utf8');
    } catch (error) {
      throw unavailable('The vendor’s credential for this app cannot be opened by this gateway.', error);
    }
    const attachment = attach(credential, secret);
    if (attachment.place === 'header' && !FIELD_VALUE.test(attachment.value)) {
      throw unavailable('The vendor’s credential for this app has characters that no header may hold.');
    }
    const forms = formsOf(credential, attachment, secret);
    const needles = forms.filter((form) => form.length >= HIDDEN_CHARS_MIN).map((form) => Buffer.from(form));
    return { attachment, needles };
  }
}

function passwordOf(secret: string): string {
  return secret.slice(secret.indexOf(':') + 1);
}

/** How a vendor could send the secret back. */
function formsOf(credential: Sealed, attachment: Attachment, secret: string): string[] {
  if (credential.kind === 'basic') return [Buffer.from(secret).toString('base64'), passwordOf(secret)];
  if (attachment.place !== 'aws') return [secret];
  const { secretAccessKey, sessionToken } = attachment.keys;
  return sessionToken === undefined ? [secretAccessKey] : [secretAccessKey, sessionToken];
}

const awsKeys = z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), sessionToken: z.string().optional() });

function attach(credential: Sealed, secret: string): Attachment {
  switch (credential.kind) {
    case 'bearer':
      return { place: 'header', name: 'authorization', value: `${credential.scheme} ${secret}` };
    case 'basic':
      return { place: 'header', name: 'authorization', value: `Basic ${Buffer.from(secret).toString('base64')}` };
    case 'api-key-header':
      return { place: 'header', name: credential.header.toLowerCase(), value: credential.prefix + secret };
    case 'api-key-query':
      return { place: 'query', name: credential.parameter, value: secret };
    case 'api-key-form':
      return { place: 'form', name: credential.field, value: secret };
    default:
      return {
        place: 'aws',
        keys: awsKeys.parse(JSON.parse(secret)),
        region: credential.region,
        service: credential.service,
      };
  }
}

function unavailable(message: string, cause?: unknown): Refusal {
  const advice = 'An operator has to look at the app’s credential.';
  return new Refusal('gateway.credential_unavailable', `${message} ${advice}`, cause === undefined ? {} : { cause });
}
