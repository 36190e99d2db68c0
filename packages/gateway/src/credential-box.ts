import type { SecretEnvelope } from '@cordon/kernel';
import type { AppEntry, Credential } from '@cordon/policy';
import { Refusal } from './errors.ts';

/** A vendor credential ready to be attached. Lives in memory only, as long as the app's entry. */
export type Attachment =
  | { readonly place: 'header'; readonly name: string; readonly value: string }
  | { readonly place: 'query'; readonly name: string; readonly value: string };

/** Shorter secrets would match ordinary text. */
const HIDDEN_CHARS_MIN = 8;
const HIDDEN = '[vendor credential removed]';

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
  attachment(entry: AppEntry, now: number): Attachment | undefined {
    const { credential } = entry;
    if (!credential) return undefined;
    if (credential.kind === 'bearer' && credential.expiresAt !== null && credential.expiresAt <= now) {
      throw unavailable('The vendor’s token for this app has expired and was not renewed.');
    }
    let opened = this.#opened.get(credential);
    if (!opened) this.#opened.set(credential, (opened = this.#open(entry.id, credential)));
    return opened.attachment;
  }

  /**
   * Takes the app's credential out of what its vendor sends back: some APIs and error pages echo request fields, and
   * the integration must never hold the secret. Returns the same buffer when it isn't there.
   */
  hide(entry: AppEntry, bytes: Buffer): Buffer {
    const needles = entry.credential ? this.#opened.get(entry.credential)?.needles : undefined;
    if (!needles) return bytes;
    let clean = bytes;
    for (const needle of needles) {
      if (clean.indexOf(needle) === -1) continue;
      clean = Buffer.from(clean.toString('latin1').replaceAll(needle.toString('latin1'), HIDDEN), 'latin1');
    }
    return clean;
  }

  /** As `hide`, for a field's value. */
  hideText(entry: AppEntry, text: string): string {
    const needles = entry.credential ? this.#opened.get(entry.credential)?.needles : undefined;
    if (!needles) return text;
    return needles.reduce((clean, needle) => clean.replaceAll(needle.toString('latin1'), HIDDEN), text);
  }

  #open(appId: string, credential: Credential): Opened {
    let secret: string;
    try {
      secret = this.#envelope.open(credential.sealed, `credential:${appId}`).toString('utf8');
    } catch (error) {
      throw unavailable('The vendor’s credential for this app cannot be opened by this gateway.', error);
    }
    const attachment = attach(credential, secret);
    if (!attachment)
      throw unavailable(`Credentials of the kind ${credential.kind} are not attached by this gateway yet.`);
    if (attachment.place === 'header' && !FIELD_VALUE.test(attachment.value)) {
      throw unavailable('The vendor’s credential for this app has characters that no header may hold.');
    }
    const forms = credential.kind === 'basic' ? [Buffer.from(secret).toString('base64'), passwordOf(secret)] : [secret];
    const needles = forms.filter((form) => form.length >= HIDDEN_CHARS_MIN).map((form) => Buffer.from(form));
    return { attachment, needles };
  }
}

function passwordOf(secret: string): string {
  return secret.slice(secret.indexOf(':') + 1);
}

function attach(credential: Credential, secret: string): Attachment | undefined {
  switch (credential.kind) {
    case 'bearer':
      return { place: 'header', name: 'authorization', value: `${credential.scheme} ${secret}` };
    case 'basic':
      return { place: 'header', name: 'authorization', value: `Basic ${Buffer.from(secret).toString('base64')}` };
    case 'api-key-header':
      return { place: 'header', name: credential.header.toLowerCase(), value: credential.prefix + secret };
    case 'api-key-query':
      return { place: 'query', name: credential.parameter, value: secret };
    default:
      return undefined;
  }
}

function unavailable(message: string, cause?: unknown): Refusal {
  const advice = 'An operator has to look at the app’s credential.';
  return new Refusal('gateway.credential_unavailable', `${message} ${advice}`, cause === undefined ? {} : { cause });
}
