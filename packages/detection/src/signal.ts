import { type Level } from './sigma/ast.ts';

/** An event as detection sees it: what a parser made of a vendor's record. */
export interface DetectionEvent {
  readonly id: string;
  /** When it happened, ms since epoch. */
  readonly time: number;
  readonly product: string;
  readonly service: string;
  /** The vendor's own record, after the parser unfolded it. */
  readonly raw: unknown;
  /** Its OCSF form. */
  readonly ocsf: unknown;
}

/** A rule fired on an event. Stored with the event, and what correlations run over. */
export interface Signal {
  readonly ruleId: string;
  readonly ruleName?: string | undefined;
  readonly title: string;
  readonly level: Level;
  readonly covers: readonly string[];
  readonly eventId: string;
  readonly time: number;
  readonly product: string;
  /** Values of the fields that correlations group by or count, as text. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}
