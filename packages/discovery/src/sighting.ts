/** What kind of trace an app left. */
export const EVIDENCE_KINDS = [
  'grant',
  'sign_in',
  'traffic',
  'proxy_log',
  'dns',
  'mail',
  'expense',
  'webhook',
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** One trace of one app, as a line of a log or a message gives it. */
export interface Sighting {
  /** Host that was reached, asked for, or that mail came from. */
  readonly host?: string;
  /** What an expense calls the payee; instead of a host. */
  readonly merchant?: string;
  /** Person, account or address; null: the line does not say. */
  readonly who: string | null;
  /** Milliseconds since the epoch; null: the line does not say. */
  readonly at: number | null;
  /** Both ways together. */
  readonly bytes: number;
}

/** `skip`: the line is fine and says nothing about use (a header, a comment, a refused request). */
export type LineRead = Sighting | 'skip' | 'bad';

/** Reads one file, line by line; may remember headers. Made anew for each file. */
export interface LineReader {
  read(line: string): LineRead;
  /** What the last lines left open. */
  end?(): LineRead;
}

export interface LogFormat {
  readonly name: string;
  readonly title: string;
  readonly evidence: EvidenceKind;
  /** `utcOffsetMs`: for formats that write local time. */
  open(options: { readonly utcOffsetMs: number }): LineReader;
}
