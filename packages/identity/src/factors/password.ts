import { argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { PasswordCost } from '../context.ts';
import { PasswordWeak } from '../errors.ts';
import { type Random, sameHash } from '../token-secret.ts';
import { isBreachedPassword } from './breached-password.ts';

const derive = promisify(argon2);

export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Each derivation holds its memory for as long as it runs; more at once would let a flood exhaust the machine. */
const DERIVATIONS_MAX = 2;

/** 64 MiB, 3 passes: the second recommendation of RFC 9106, section 4, on one lane because sign-ins share cores. */
export const defaultPasswordCost: PasswordCost = { memoryKib: 65_536, passes: 3, lanes: 1 };

let running = 0;
const waiting: (() => void)[] = [];

async function limited<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= DERIVATIONS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

function deriveTag(password: string, salt: Buffer, cost: PasswordCost, tagLength: number): Promise<Buffer> {
  return limited(() =>
    derive('argon2id', {
      // NFKC, so that the same characters typed on another keyboard match (RFC 8265, section 4).
      message: password.normalize('NFKC'),
      nonce: salt,
      memory: cost.memoryKib,
      passes: cost.passes,
      parallelism: cost.lanes,
      tagLength,
    }),
  );
}

/** The PHC string of a password: algorithm, cost, salt and tag. */
export async function hashPassword(password: string, cost: PasswordCost, random: Random): Promise<string> {
  const salt = random(SALT_BYTES);
  const tag = await deriveTag(password, salt, cost, TAG_BYTES);
  const parts = [`m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}`, unpadded(salt), unpadded(tag)];
  return `$argon2id$v=19$${parts.join('$')}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/** Compares in constant time. `weaker` says that the stored hash should be made anew at today's cost. */
export async function verifyPassword(
  password: string,
  stored: string,
  cost: PasswordCost,
): Promise<{ matches: boolean; weaker: boolean }> {
  const parts = PHC.exec(stored);
  if (!parts) return { matches: false, weaker: false };
  const used = { memoryKib: Number(parts[1]), passes: Number(parts[2]), lanes: Number(parts[3]) };
  const expected = Buffer.from(parts[5] ?? '', 'base64');
  const tag = await deriveTag(password, Buffer.from(parts[4] ?? '', 'base64'), used, expected.length);
  return {
    matches: sameHash(tag, expected),
    weaker: used.memoryKib < cost.memoryKib || used.passes < cost.passes,
  };
}

/** Spends the time of a verification where there is nothing to verify: an unknown login must not answer faster. */
export async function wastePasswordTime(password: string, cost: PasswordCost): Promise<void> {
  await deriveTag(password, Buffer.alloc(SALT_BYTES, 1), cost, TAG_BYTES);
}

const STRAIGHTS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiopasdfghjklzxcvbnm'];

function isStraight(text: string): boolean {
  return STRAIGHTS.some((row) => row.includes(text) || Array.from(row).reverse().join('').includes(text));
}

/**
 * Refuses what is guessed first (NIST SP 800-63B, section 5.1.1.2): short, repeated, a straight of keys, made of the
 * person's own words, or known from breaches. No rules about character classes.
 */
export async function checkPasswordStrength(password: string, ownWords: readonly string[]): Promise<void> {
  const chars = Array.from(password.normalize('NFKC'));
  if (chars.length < PASSWORD_CHARS_MIN || chars.length > PASSWORD_CHARS_MAX) {
    throw new PasswordWeak(`A password has between ${PASSWORD_CHARS_MIN} and ${PASSWORD_CHARS_MAX} characters.`, {
      characters_min: PASSWORD_CHARS_MIN,
    });
  }
  const lower = chars.join('').toLowerCase();
  if (new Set(lower).size < 5 || isStraight(lower)) throw new PasswordWeak('This password is too regular to be safe.');
  if (await isBreachedPassword(lower)) throw new PasswordWeak('This password is known from breaches; choose another.');
  const words = [...ownWords, 'cordon'].flatMap((word) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  const rest = words
    .filter((word) => word.length >= 4)
    .reduce((text, word) => text.replaceAll(word, ''), lower)
    .replace(/[^\p{L}]/gu, '');
  if (rest.length < 4) throw new PasswordWeak('This password is made of your own name or address; choose another.');
}
