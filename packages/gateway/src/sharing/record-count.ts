const LIST_DEPTH_MAX = 3;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Bytes at which counting has to look; the others are passed over. */
const LOOKED_AT: Uint8Array = (() => {
  const table = new Uint8Array(256);
  for (const byte of [QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT]) table[byte] = 1;
  return table;
})();

/**
 * Counts the records of a JSON answer without parsing it into objects: the items of the list that it is, or of the
 * longest list of objects up to two levels inside it (`{"data":{"items":[…]}}`). Anything else is one record; nothing
 * is none.
 */
export function countRecords(bytes: Buffer): number {
  let depth = 0;
  let most = 0;
  // Of the outermost levels only; what is deeper is in some record.
  const isList = [false, false, false];
  const holdsObjects = [false, false, false];
  const commas = [0, 0, 0];
  const { length } = bytes;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (LOOKED_AT[byte] === 0) continue;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) {
      if (depth > 0 && depth <= LIST_DEPTH_MAX) commas[depth - 1]! += 1;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (depth > 0 && depth <= LIST_DEPTH_MAX) holdsObjects[depth - 1] = true;
      if (depth < LIST_DEPTH_MAX) {
        isList[depth] = byte === OPEN_LIST;
        holdsObjects[depth] = false;
        commas[depth] = 0;
      }
      depth += 1;
    } else {
      depth -= 1;
      if (depth < 0) return 1;
      if (depth < LIST_DEPTH_MAX && isList[depth] === true) {
        const items = commas[depth]! + (endsFilled(bytes, at) ? 1 : 0);
        if (depth === 0) return items;
        if (holdsObjects[depth] === true) most = Math.max(most, items);
      }
    }
  }
  if (length === 0) return 0;
  return Math.max(1, most);
}

/** Whether an item stands before the bracket at `close`: neither the list's own beginning nor a comma. */
function endsFilled(bytes: Buffer, close: number): boolean {
  let at = close - 1;
  while (at > 0 && bytes[at]! <= 0x20) at--;
  return bytes[at] !== OPEN_LIST && bytes[at] !== COMMA;
}

function endOfString(bytes: Buffer, start: number): number {
  const { length } = bytes;
  for (let at = start + 1; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte === 0x5c) at += 1;
  }
  return length;
}
