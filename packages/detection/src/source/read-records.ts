/** One record of a delivery: what is to be parsed, and the text it came as. */
export interface SourceRecord {
  /** As it came; what a dead letter keeps. */
  readonly text: string;
  /** The sender's own id of the event, where the envelope has one. */
  readonly externalId?: string;
  /** When the envelope says it happened, ms since epoch: used where the record itself has no time. */
  readonly time?: number;
}

export const RECORD_BYTES_MAX = 1024 * 1024;
export const RECORDS_MAX = 10_000;

/** A delivery that can't be taken apart at all, in contrast to one bad record in it. */
export class DeliveryMalformed extends Error {}

/**
 * Cuts NDJSON, a JSON array, or JSON values one behind another into the texts of their records. In NDJSON a line stands
 * for itself, so that a broken one spoils no other.
 */
export function splitRecords(body: string): string[] {
  const trimmed = body.trimStart();
  if (trimmed.startsWith('[')) return arrayRecords(trimmed);
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const isWhole = (line: string): boolean => {
    try {
      JSON.parse(line);
      return true;
    } catch {
      return false;
    }
  };
  // A first line that is no JSON is either a broken line among lines, or a value that runs over several.
  const [first = ''] = lines;
  if (lines.length > 1 && !isWhole(first)) {
    const values = consecutiveValues(body);
    if (values) return checked(values);
  } else if (lines.length === 1 && !isWhole(first)) {
    return checked(consecutiveValues(body) ?? lines);
  }
  return checked(lines.map((line) => line.trim()));
}

function checked(records: string[]): string[] {
  if (records.length > RECORDS_MAX) throw new DeliveryMalformed(`A delivery holds at most ${RECORDS_MAX} records.`);
  return records;
}

function arrayRecords(body: string): string[] {
  let values: unknown;
  try {
    values = JSON.parse(body);
  } catch {
    throw new DeliveryMalformed('The body begins as a JSON array and is none.');
  }
  return checked(Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : []);
}

/** `{…}{…}` or values over several lines, as Splunk's forwarders send them; null when it isn't that. */
export function consecutiveValues(body: string): string[] | null {
  const values: string[] = [];
  let [depth, from, inText, escaped] = [0, -1, false, false];
  for (let at = 0; at < body.length; at++) {
    const char = body[at];
    if (inText) {
      if (escaped) escaped = false;
      else if (char === '\\') escaped = true;
      else if (char === '"') inText = false;
    } else if (char === '"') {
      if (depth === 0) return null;
      inText = true;
    } else if (char === '{' || char === '[') {
      if (depth === 0) from = at;
      depth += 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth < 0) return null;
      if (depth === 0) values.push(body.slice(from, at + 1));
    } else if (depth === 0 && char !== undefined && !/[\s,]/.test(char)) return null;
  }
  return depth === 0 && values.length > 0 ? values : null;
}
