/** The whole state of the explorer, as it stands in the address: a link shows a colleague the same thing. */
export interface EventSearch {
  /** Text of the search language. */
  readonly q?: string;
  /** A relative range in milliseconds; or an absolute one by from and to. */
  readonly window?: number;
  readonly from?: number;
  readonly to?: number;
  readonly event?: string;
  readonly live?: boolean;
}

export const WINDOW_MS_DEFAULT = 3_600_000;
const QUERY_CHARS_MAX = 4_000;

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Anything may stand in an address; only what has the right form is taken. */
export function parseEventSearch(raw: Record<string, unknown>): EventSearch {
  const { q, event, live } = raw;
  const [window, from, to] = [positive(raw['window']), positive(raw['from']), positive(raw['to'])];
  const isAbsolute = from !== undefined && to !== undefined && from < to;
  return {
    // A search of digits alone comes out of the address as a number.
    ...(typeof q === 'string' || typeof q === 'number' ? { q: String(q).slice(0, QUERY_CHARS_MAX) } : {}),
    ...(isAbsolute ? { from, to } : window === undefined ? {} : { window }),
    ...(typeof event === 'string' ? { event } : {}),
    ...(live === true ? { live } : {}),
  };
}

/** The range to ask the lake for. */
export function rangeOf(search: EventSearch, now: number): { readonly from: number; readonly to: number } {
  if (search.from !== undefined && search.to !== undefined) return { from: search.from, to: search.to };
  return { from: now - (search.window ?? WINDOW_MS_DEFAULT), to: now };
}

/** A link into the explorer. */
export function eventsHref(search: EventSearch): string {
  const parameters = new URLSearchParams();
  // The router reads values as JSON, so a text that looks like JSON must be written as JSON.
  if (search.q !== undefined) parameters.set('q', JSON.stringify(search.q));
  for (const key of ['window', 'from', 'to'] as const) {
    if (search[key] !== undefined) parameters.set(key, String(search[key]));
  }
  if (search.event !== undefined) parameters.set('event', JSON.stringify(search.event));
  if (search.live) parameters.set('live', 'true');
  const text = parameters.toString();
  return text === '' ? '/events' : `/events?${text}`;
}
