const ROLES = ['commander', 'technical', 'communications', 'legal', 'liaison', 'scribe'] as const;
type DrillRole = (typeof ROLES)[number];

export interface Taking {
  readonly role: DrillRole;
  readonly name: string;
  readonly personId?: string;
}

/** `12:05`, `1:04:09`: a clock of a drill. */
export function clockText(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const pad = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${pad(minutes)}:${pad(seconds % 60)}`;
}

/** What a measure took, exactly enough to compare with its limit; a dash while it has not happened. */
export function tookText(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return clockText(ms);
}

interface Known {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/**
 * Lines such as `commander: Ada Byron`. Somebody whom Cordon knows by this name or address is taken for that person,
 * so that what they do counts. Null: a line can't be read.
 */
export function readParticipants(text: string, people: readonly Known[]): Taking[] | null {
  const taking: Taking[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const [roleText = '', ...rest] = line.split(':');
    const role = ROLES.find((one) => one === roleText.trim().toLowerCase());
    const name = rest.join(':').trim();
    if (!role || name === '') return null;
    const lower = name.toLowerCase();
    const person = people.find((one) => one.name.toLowerCase() === lower || one.email.toLowerCase() === lower);
    taking.push({ role, name: person?.name ?? name, ...(person && { personId: person.id }) });
  }
  return taking;
}
