import { CordonError } from '@cordon/kernel';

export class PortalBusy extends CordonError {
  readonly code = 'http.portal_busy';
}

const CALLERS_MAX = 10_000;
const WINDOW_MS = 60_000;

/** Counts what each address asks in a minute; more is refused. The oldest addresses are forgotten first. */
export function createPortalRate(now: () => number, perMinute: number): (address: string) => void {
  const windows = new Map<string, { since: number; count: number }>();
  return (address) => {
    const at = now();
    const known = windows.get(address);
    const window = known && at - known.since < WINDOW_MS ? known : { since: at, count: 0 };
    window.count += 1;
    windows.delete(address);
    windows.set(address, window);
    for (const oldest of windows.keys()) {
      if (windows.size <= CALLERS_MAX) break;
      windows.delete(oldest);
    }
    if (window.count > perMinute) throw new PortalBusy('Too many requests. Wait a minute, then try again.');
  };
}
