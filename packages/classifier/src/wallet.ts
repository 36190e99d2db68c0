import { createHash } from 'node:crypto';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** Payload and checksum of a base58 address are 25 bytes: version, hash, four bytes of double SHA-256. */
function isBase58Check(address: string): boolean {
  let number = 0n;
  for (const sign of address) {
    const digit = BASE58.indexOf(sign);
    if (digit < 0) return false;
    number = number * 58n + BigInt(digit);
  }
  const bytes = Buffer.from(number.toString(16).padStart(50, '0'), 'hex');
  if (bytes.length !== 25) return false;
  const once = createHash('sha256').update(bytes.subarray(0, 21)).digest();
  const twice = createHash('sha256').update(once).digest();
  return twice.subarray(0, 4).equals(bytes.subarray(21));
}

/** Bech32 and bech32m (BIP 173, BIP 350): the polymod of prefix and data is 1 or 0x2bc830a3. */
function isBech32(address: string): boolean {
  const lower = address.toLowerCase();
  if (lower !== address && address.toUpperCase() !== address) return false;
  const values = [3, 3, 0, 2, 3];
  for (const sign of lower.slice(3)) {
    const value = BECH32.indexOf(sign);
    if (value < 0) return false;
    values.push(value);
  }
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries()) {
      if (((top >>> bit) & 1) === 1) check ^= generator;
    }
  }
  return check === 1 || check === 0x2bc830a3;
}

/** A Bitcoin address of the main network in any of its forms. */
export function isBitcoinAddress(value: string): boolean {
  if (/^[13]/.test(value)) return value.length >= 25 && value.length <= 35 && isBase58Check(value);
  return /^bc1/i.test(value) && value.length >= 14 && value.length <= 74 && isBech32(value);
}
