let latest = '';
let latestDigits = '';

/** The digits of a value; dozens of checks ask it of the same value one after another, so the last answer is kept. */
export function digitsOf(value: string): string {
  if (value !== latest) {
    let digits = '';
    let from = -1;
    for (let i = 0; i <= value.length; i++) {
      const code = i < value.length ? value.charCodeAt(i) : 0;
      if (code >= 48 && code <= 57) {
        if (from < 0) from = i;
      } else if (from >= 0) {
        digits += value.slice(from, i);
        from = -1;
      }
    }
    latest = value;
    latestDigits = digits;
  }
  return latestDigits;
}

/** Luhn (ISO/IEC 7812-1 annex B) over the digits of `digits`. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  let double = false;
  for (let i = digits.length - 1; i >= 0; i--) {
    let value = digits.charCodeAt(i) - 48;
    if (double) value = value > 4 ? value * 2 - 9 : value * 2;
    sum += value;
    double = !double;
  }
  return sum % 10 === 0;
}

/** Remainder of a number written with letters as A=10 … Z=35 (ISO 7064, MOD 97-10 over letters and digits). */
export function mod97(text: string): number {
  let remainder = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 58) remainder = (remainder * 10 + code - 48) % 97;
    else remainder = (remainder * 100 + (code & 0x1f) + 9) % 97;
  }
  return remainder;
}

/** Sum of digits times weights; weights repeat when there are more digits. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) sum += (digits.charCodeAt(i) - 48) * (weights[i % weights.length] ?? 0);
  return sum;
}

const D = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const P = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Verhoeff's dihedral check digit, used by Aadhaar. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const permuted = Number(P[i % 8]?.[digit]);
    check = Number(D[check]?.[permuted]);
  }
  return check === 0;
}

/** ISO 7064 MOD 11-10, used by German tax and VAT numbers and the Croatian OIB. */
export function passesMod11and10(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digits.charCodeAt(i) - 48 + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - 48;
}

/** ICAO 9303 check digit: weights 7, 3, 1 over digits and letters (A=10). */
export function icaoCheckDigit(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 58 ? code - 48 : code - 55;
    sum += value * ([7, 3, 1][i % 3] ?? 0);
  }
  return sum % 10;
}

/** Shannon entropy in bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / text.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

/** Every character the same, or digits that only count up or down: what people type as a stand-in. */
export function isRepetitive(text: string): boolean {
  for (let i = 1; i < text.length; i++) if (text.charCodeAt(i) !== text.charCodeAt(0)) return false;
  return true;
}
