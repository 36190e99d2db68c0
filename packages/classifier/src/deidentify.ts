import { createHmac } from 'node:crypto';
import { aessiv } from '@noble/ciphers/aes.js';
import { shiftDate } from './date-shift.ts';
import { RedactionInvalid, TokenInvalid } from './errors.ts';
import type { Finding } from './finding.ts';
import { encryptFormat, decryptFormat } from './format-preserving.ts';
import { redact, type Redacted } from './redact.ts';

/** How one kind of value is de-identified. */
export type DeidentifyMode =
  | { readonly mode: 'mask' }
  | { readonly mode: 'remove' }
  /** A fixed text, or `[type]`. */
  | { readonly mode: 'replace'; readonly text?: string }
  /** Keyed HMAC-SHA-256, the same for the same value and category; can't be undone. */
  | { readonly mode: 'hash' }
  /** AES-SIV token, the same for the same value and category; `detokenise` undoes it. */
  | { readonly mode: 'token' }
  /** FF1: digits stay digits and letters letters of the same case; `decrypt` undoes it. */
  | { readonly mode: 'format' }
  /** Keeps the last `keep` letters and digits (4 when absent). */
  | { readonly mode: 'partial'; readonly keep?: number }
  /** Moves a date by up to `days` either way, by the same number for the same `subject`. */
  | { readonly mode: 'date-shift'; readonly days: number; readonly subject: string };

export interface DeidentifyKeys {
  /** Names the key in tokens: 1 to 16 lower-case letters and digits. */
  readonly id: string;
  /** 32 bytes at least; each use derives its own key from it. */
  readonly secret: Uint8Array;
}

export interface Deidentifier {
  /** Replaces findings; `modeFor` says how for each, undefined leaves it alone. The document stays well-formed. */
  apply(
    bytes: Uint8Array,
    findings: readonly Finding[],
    modeFor: (finding: Finding) => DeidentifyMode | undefined,
  ): Redacted;
  /** De-identifies one value of a category. */
  value(value: string, category: string, mode: DeidentifyMode, type?: string): string;
  /** Undoes a token. Throws `TokenInvalid` for one that was made otherwise. */
  detokenise(token: string, category: string): string;
  /** Undoes the `format` mode. */
  decrypt(value: string, category: string): string;
}

const SECRET_BYTES_MIN = 32;
/** `cdn1.<key id>.<base64url>`: a prefix that detectors and people recognise. */
const TOKEN_PREFIX = 'cdn1';
const HASH_CHARACTERS = 32;

/** Creates the key-bound modes. Whoever calls `detokenise` or `decrypt` checks permission and writes the audit record. */
export function createDeidentifier(keys: DeidentifyKeys): Deidentifier {
  if (!/^[a-z0-9]{1,16}$/.test(keys.id))
    throw new RedactionInvalid('a key id is 1 to 16 lower-case letters and digits');
  if (keys.secret.length < SECRET_BYTES_MIN)
    throw new RedactionInvalid('the secret is too short', { least: SECRET_BYTES_MIN });
  const derive = (purpose: string, category: string): Buffer =>
    createHmac('sha512', keys.secret).update(`${purpose}\0${category}`).digest();

  function tokenise(value: string, category: string): string {
    const cipher = aessiv(derive('siv', category), Buffer.from(category));
    return `${TOKEN_PREFIX}.${keys.id}.${Buffer.from(cipher.encrypt(Buffer.from(value))).toString('base64url')}`;
  }

  function detokenise(token: string, category: string): string {
    const [prefix, id, body, more] = token.split('.');
    if (prefix !== TOKEN_PREFIX || id !== keys.id || body === undefined || more !== undefined) {
      throw new TokenInvalid('this is no token of this key', { keyId: keys.id });
    }
    try {
      const cipher = aessiv(derive('siv', category), Buffer.from(category));
      return Buffer.from(cipher.decrypt(Buffer.from(body, 'base64url'))).toString();
    } catch (error) {
      throw new TokenInvalid('the token was changed, or is of another category', { keyId: keys.id }, error);
    }
  }

  function convert(value: string, category: string, mode: DeidentifyMode, type: string): string {
    switch (mode.mode) {
      case 'mask':
        return value.replaceAll(/[\p{L}\p{N}]/gu, '*');
      case 'remove':
        return '';
      case 'replace':
        return mode.text ?? `[${type}]`;
      case 'hash':
        return derive('hash', `${category}\0${value}`).toString('hex').slice(0, HASH_CHARACTERS);
      case 'token':
        return tokenise(value, category);
      case 'format':
        return encryptFormat(value, derive('ff1', category).subarray(0, 32), Buffer.from(category));
      case 'partial':
        return keepLast(value, mode.keep ?? 4);
      default:
        return shiftDate(value, shiftFor(derive('date', mode.subject), mode.days));
    }
  }

  return {
    value: (value, category, mode, type) => convert(value, category, mode, type ?? category),
    detokenise,
    decrypt: (value, category) => decryptFormat(value, derive('ff1', category).subarray(0, 32), Buffer.from(category)),
    apply(bytes, findings, modeFor) {
      const chosen = findings.flatMap((finding) => {
        const mode = modeFor(finding);
        return mode === undefined ? [] : [{ finding, mode }];
      });
      const modes = new Map(chosen.map(({ finding, mode }) => [finding, mode]));
      return redact(
        bytes,
        chosen.map(({ finding }) => finding),
        {
          mode: 'mask',
          replacement: (finding, value) => {
            const mode = modes.get(finding);
            return mode && convert(value, finding.category, mode, finding.type);
          },
        },
      );
    },
  };
}

function keepLast(value: string, keep: number): string {
  let seen = 0;
  const signs = Array.from(value).reverse();
  return signs
    .map((sign) => (/[\p{L}\p{N}]/u.test(sign) && ++seen > keep ? '*' : sign))
    .reverse()
    .join('');
}

/** A number of days between -days and days, never 0. */
function shiftFor(digest: Buffer, days: number): number {
  const span = Math.max(1, Math.floor(days));
  const shift = (digest.readUInt32BE() % span) + 1;
  return (digest[4] ?? 0) % 2 === 0 ? shift : -shift;
}
