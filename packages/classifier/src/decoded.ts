/** A buffer for values whose escapes are undone, with where each byte came from. */
export class DecodedValue {
  bytes: Uint8Array = Buffer.alloc(1024);
  map = new Int32Array(1025);
  length = 0;

  start(capacity: number): void {
    this.length = 0;
    if (this.bytes.length >= capacity) return;
    this.bytes = Buffer.alloc(capacity * 2);
    this.map = new Int32Array(this.bytes.length + 1);
  }

  push(byte: number, from: number): void {
    this.bytes[this.length] = byte;
    this.map[this.length] = from;
    this.length++;
  }

  finish(end: number): void {
    this.map[this.length] = end;
  }
}

export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
