/** A record as a tool shows it; looked at and dropped. */
export interface SubjectRecord {
  readonly object: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly title: string | null;
  readonly content: unknown;
  readonly url: string | null;
}

/** A way to make a tool forget a record of an object, among its connector's actions. */
export interface SubjectWay {
  readonly way: 'delete' | 'anonymise';
  readonly action: string;
}

/** A tool that can be asked. */
export interface SubjectSource {
  readonly connectionId: string;
  readonly app: string;
  readonly streams: readonly string[];
  /** Best first for the wish: deletion falls back to making anonymous, not the other way round. */
  way(object: string, wish: 'erase' | 'anonymise'): SubjectWay | null;
}

export interface SubjectAct {
  readonly connectionId: string;
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly key: string;
}

/** Narrow ports to connectors; the worker wires them. */
export interface SubjectTools {
  list(): Promise<readonly SubjectSource[]>;
  /** Every record of a stream. Throws `NotAvailable` where a plan, a scope or the tool doesn't show it. */
  read(connectionId: string, stream: string, purpose: string): AsyncIterable<SubjectRecord>;
  /** Accounts that the last sync saw, as records of the object `account`. */
  accounts(connectionId: string): AsyncIterable<SubjectRecord>;
  /** The action's inputs for a record, or null where the manifest doesn't say how they follow from one. */
  inputs(
    connectionId: string,
    action: string,
    record: SubjectRecord,
  ): Promise<Readonly<Record<string, unknown>> | null>;
  /** Acts once for a key, whatever happens in between; looks before it acts again. */
  act(request: SubjectAct): Promise<{ runId: string; outcome: string | null; error: string | null }>;
}
