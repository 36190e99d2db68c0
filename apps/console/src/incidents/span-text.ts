const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** `4.2 s`, `12 min`, `3.5 h`; a dash while it has not happened. */
export function spanText(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${(ms / HOUR_MS).toFixed(1)} h`;
  return `${(ms / DAY_MS).toFixed(1)} days`;
}

/** Time that is left, or by how much it is late: `2 d 3 h left`, `0 h 04 min late`. */
export function countdownText(leftMs: number): string {
  const ms = Math.abs(leftMs);
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / 60_000);
  const text =
    hours >= 48 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours} h ${String(minutes).padStart(2, '0')} min`;
  return `${text} ${leftMs < 0 ? 'late' : 'left'}`;
}
