/**
 * Counts the records of a JSON answer without parsing it into objects: the items of the list that it is, or of the
 * longest list of objects up to two levels inside it (`{"data":{"items":[…]}}`). Anything else is one record; nothing
 * is none.
 */
export function countRecords(bytes: Buffer): number {
  let depth = 0;
  let most = 0;
  const counts: number[] = [];
  const isList: boolean[] = [];
  const holdsObjects: boolean[] = [];
  /** Whether something stands in the list since its last comma. */
  const filled: boolean[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte <= 0x20) continue;
    if (byte === 0x5b || byte === 0x7b) {
      if (depth > 0) filled[depth - 1] = holdsObjects[depth - 1] = true;
      counts[depth] = 0;
      holdsObjects[depth] = false;
      isList[depth] = byte === 0x5b;
      filled[depth] = false;
      depth += 1;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
      if (depth < 0) return 1;
      if (isList[depth] && depth < LIST_DEPTH_MAX) {
        const items = counts[depth]! + (filled[depth] ? 1 : 0);
        if (depth === 0) return items;
        if (holdsObjects[depth]) most = Math.max(most, items);
      }
    } else if (byte === 0x2c) {
      if (depth > 0 && isList[depth - 1]) counts[depth - 1]! += 1;
      if (depth > 0) filled[depth - 1] = false;
    } else {
      if (depth > 0) filled[depth - 1] = true;
      if (byte === 0x22) at = endOfString(bytes, at);
    }
  }
  if (bytes.length === 0) return 0;
  return Math.max(1, most);
}

const LIST_DEPTH_MAX = 3;

function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0x5c) at += 1;
    else if (byte === 0x22) return at;
  }
  return bytes.length;
}
