import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { checkPasswordStrength, hashPassword, verifyPassword } from './password.ts';
import { hashRecoveryCode, makeRecoveryCodes, RECOVERY_CODES } from './recovery-code.ts';
import { describeTotp, makeTotpSecret, matchTotp } from './totp.ts';

const COST = { memoryKib: 64, passes: 1, lanes: 1 };

describe('passwords', () => {
  test('verify, and only the right one; the same one hashes differently each time', async () => {
    const hash = await hashPassword('correct horse battery', COST, randomBytes);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(hash).not.toBe(await hashPassword('correct horse battery', COST, randomBytes));
    expect(await verifyPassword('correct horse battery', hash, COST)).toEqual({ matches: true, weaker: false });
    expect((await verifyPassword('correct horse batterY', hash, COST)).matches).toBe(false);
  });

  test('a hash of another implementation verifies (RFC 9106 reference command line)', async () => {
    // printf password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32, from the reference implementation's README.
    const known = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect((await verifyPassword('password', known, COST)).matches).toBe(true);
  });

  test('typed on another keyboard, in another Unicode form, it is the same password', async () => {
    const hash = await hashPassword('caf\u00e9 au lait noir', COST, randomBytes);
    expect((await verifyPassword('cafe\u0301 au lait noir', hash, COST)).matches).toBe(true);
  });

  test('a hash made at a lower cost says so', async () => {
    const hash = await hashPassword('correct horse battery', COST, randomBytes);
    expect((await verifyPassword('correct horse battery', hash, { ...COST, passes: 2 })).weaker).toBe(true);
  });

  test.each(['', 'plain', '$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA', '$argon2id$v=19$m=64'])(
    'a stored value that is no hash matches nothing: %j',
    async (stored) => {
      expect((await verifyPassword('anything', stored, COST)).matches).toBe(false);
    },
  );

  test.each([
    ['short', 'Tr0ub4dor&3'],
    ['longer than is sensible', 'x1'.repeat(200)],
    ['repeated', 'abababababababab'],
    ['a straight', 'abcdefghijklmnop'],
    ['a straight backwards', '098765432100'],
    ['breached as it is', 'unbelievable1234'],
    ['breached with signs around', 'Password-2026!'],
    ['breached in digits for letters', 'p@$$w0rd2026'],
    ['breached, twice', 'sunshinesunshine'],
    ['made of the person’s name', 'MoreauAda1815'],
    ['made of the e-mail address', 'ada.moreau@example'],
    ['made of the product', 'Cordon-2026-01'],
  ])('refused: %s', async (_what, password) => {
    await expect(checkPasswordStrength(password, ['Ada Moreau', 'ada.moreau@example.com'])).rejects.toMatchObject({
      code: 'identity.password_weak',
    });
  });

  test.each(['seven umbrellas at noon', 'Gx7-pq2-Lm9-vt4', 'das blaue pferd schläft'])(
    'taken: %s',
    async (password) => {
      await expect(checkPasswordStrength(password, ['Ada Moreau', 'ada@example.com'])).resolves.toBeUndefined();
    },
  );
});

describe('time-based codes', () => {
  // RFC 6238, appendix B, SHA-1, the last six of eight digits.
  const secret = Buffer.from('12345678901234567890');
  test.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
  ])('at %d s the code is %s', (seconds, code) => {
    expect(matchTotp(secret, code, seconds * 1000, 0)).toBe(Math.floor(seconds / 30));
  });

  test.each([
    [-60, null],
    [-30, 99],
    [0, 100],
    [30, 101],
    [60, null],
  ])('a code of a clock that is %d s off gives step %j', (offset, step) => {
    const at = 100 * 30_000;
    const shown = new Secret({ buffer: new Uint8Array(secret).buffer });
    const code = TOTP.generate({ secret: shown, timestamp: at + offset * 1000 });
    expect(matchTotp(secret, code, at, 0)).toBe(step);
  });

  test('a used step, and every earlier one, is refused', () => {
    const code = '287082';
    expect(matchTotp(secret, code, 59_000, 0)).toBe(1);
    expect(matchTotp(secret, code, 59_000, 1)).toBeNull();
  });

  test.each(['', '28708', '2870822', '28708a', '２８７０８２'])('what is no code is refused: %j', (code) => {
    expect(matchTotp(secret, code, 59_000, 0)).toBeNull();
  });

  test('an authenticator app gets 160 random bits and names both sides', () => {
    const made = makeTotpSecret(randomBytes);
    expect(made).toHaveLength(20);
    expect(describeTotp(made, 'Example', 'ada@example.com').uri).toMatch(
      /^otpauth:\/\/totp\/Example:ada%40example\.com\?issuer=Example&secret=[A-Z2-7]{32}&/,
    );
  });
});

describe('recovery codes', () => {
  const { codes, hashes } = makeRecoveryCodes(randomBytes);

  test('are ten, different, and easy to read', () => {
    expect(new Set(codes).size).toBe(RECOVERY_CODES);
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  });

  test.each([
    ['as shown', (code: string) => code],
    ['in lower case', (code: string) => code.toLowerCase()],
    ['without dashes', (code: string) => code.replaceAll('-', '')],
    ['with spaces', (code: string) => code.replaceAll('-', ' ')],
    ['with O for 0 and I for 1', (code: string) => code.replaceAll('0', 'o').replaceAll('1', 'I')],
  ])('are known %s', (_what, type) => {
    expect(codes.map((code) => hashRecoveryCode(type(code)).toString('hex'))).toEqual(
      hashes.map((hash) => hash.toString('hex')),
    );
  });
});
