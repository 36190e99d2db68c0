import { Secret, TOTP } from 'otpauth';
import type { Random } from '../token-secret.ts';

const PERIOD_S = 30;
const DIGITS = 6;
/** RFC 4226, section 4, R6 recommends 160 bits. */
const SECRET_BYTES = 20;
/** One step either way for a clock that is off (RFC 6238, section 5.2). */
const STEPS_OFF_MAX = 1;

export function makeTotpSecret(random: Random): Buffer {
  return random(SECRET_BYTES);
}

function totpOf(secret: Buffer, issuer: string, label: string): TOTP {
  const buffer = new Uint8Array(secret).buffer;
  // SHA-1 because authenticator apps ignore any other; HMAC-SHA-1 is not affected by SHA-1's collisions.
  return new TOTP({
    issuer,
    label,
    algorithm: 'SHA1',
    digits: DIGITS,
    period: PERIOD_S,
    secret: new Secret({ buffer }),
  });
}

/** The `otpauth://` address that authenticator apps read from a QR code, and the secret for typing. */
export function describeTotp(secret: Buffer, issuer: string, label: string): { uri: string; secret: string } {
  const totp = totpOf(secret, issuer, label);
  return { uri: totp.toString(), secret: totp.secret.base32 };
}

/** The time step that a code stands for, or null. A step at or before `lastStep` was used and is refused. */
export function matchTotp(secret: Buffer, code: string, at: number, lastStep: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const totp = totpOf(secret, 'Cordon', 'check');
  const delta = totp.validate({ token: code, timestamp: at, window: STEPS_OFF_MAX });
  if (delta === null) return null;
  const step = Math.floor(at / 1000 / PERIOD_S) + delta;
  return step > lastStep ? step : null;
}
