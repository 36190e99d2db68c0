/** Above these, a number counts ns, µs or ms since epoch; below, seconds. Holds until the year 5138. */
const NANOSECONDS_MIN = 1e17;
const MICROSECONDS_MIN = 1e14;
const MILLISECONDS_MIN = 1e11;

function fromNumber(value: number): number | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  if (value >= NANOSECONDS_MIN) return Math.floor(value / 1e6);
  if (value >= MICROSECONDS_MIN) return Math.floor(value / 1e3);
  if (value >= MILLISECONDS_MIN) return Math.floor(value);
  return Math.floor(value * 1e3);
}

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d+)?\s*(?:UTC|Z|([+-]\d{2}):?(\d{2})?)?$/;

/**
 * A vendor's time as ms since epoch: ISO 8601 with `T` or a space, with any number of decimals, UTC where no zone is
 * given; or a number or text of digits in s, ms, µs or ns.
 */
export function parseEventTime(value: unknown): number | undefined {
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return fromNumber(Number(text));
  const iso = ISO.exec(text);
  if (iso) {
    const [, date, time, decimals = '', zoneHours, zoneMinutes = '00'] = iso;
    const zone = zoneHours === undefined ? 'Z' : `${zoneHours}:${zoneMinutes}`;
    const parsed = Date.parse(`${date}T${time}${decimals.slice(0, 4)}${zone}`);
    return Number.isNaN(parsed) ? undefined : parsed;
  }
  const zoned = /([+-]\d{2}:?\d{2}|Z|GMT|UTC)\s*$/.test(text) ? text : `${text} UTC`;
  const parsed = Date.parse(zoned);
  return Number.isNaN(parsed) ? undefined : parsed;
}
