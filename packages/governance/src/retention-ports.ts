/** How a tool can be made to forget a record of an object; found among its connector's actions. */
export interface RetentionWay {
  readonly action: string;
  /** Names of the action's inputs. */
  readonly input: readonly string[];
  readonly canVerify: boolean;
}

/** A place whose records can be read. */
export interface RetentionSource {
  readonly connectionId: string;
  readonly app: string;
  readonly streams: readonly string[];
  /** Only met by a rule that names its app: a rule for any app is about tools. */
  readonly onlyByName?: boolean;
  way(object: string, action: 'delete' | 'anonymise'): RetentionWay | null;
}

export interface RetentionItemRead {
  readonly object: string;
  readonly id: string;
  readonly parentId?: string | null | undefined;
  readonly createdAt?: string | null | undefined;
  readonly updatedAt?: string | null | undefined;
}

/** Narrow ports to connectors; the worker wires them. */
export interface RetentionTools {
  list(): Promise<readonly RetentionSource[]>;
  read(connectionId: string, stream: string, purpose: string): AsyncIterable<RetentionItemRead>;
  /** An action's inputs for a record, by the connector's own expression; null where they can't be told. */
  inputFor(
    connectionId: string,
    action: string,
    record: { readonly object: string; readonly id: string; readonly parentId: string | null },
  ): Promise<Readonly<Record<string, unknown>> | null>;
  /** Acts once for a key, whatever happens in between; looks before it acts again. */
  act(request: {
    readonly connectionId: string;
    readonly action: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly key: string;
  }): Promise<{ readonly runId: string; readonly outcome: string | null; readonly error: string | null }>;
  /** Reads again: `gone` when the tool shows that it took effect. */
  verify(request: {
    readonly connectionId: string;
    readonly action: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly key: string;
  }): Promise<'gone' | 'there' | 'unknown'>;
}

export const ANONYMISED_TEXT = '[removed by retention]';
