import type { InspectionResolver, RestingPlace, Sharing } from '@cordon/policy';

/** A record as a connector reads it; dropped once it was looked at. */
export interface ReadRecord {
  readonly object: string;
  readonly id: string;
  readonly title?: string | null | undefined;
  readonly content?: unknown;
  readonly ownerId?: string | null | undefined;
  readonly parentId?: string | null | undefined;
  /** ISO 8601. */
  readonly createdAt?: string | null | undefined;
  readonly updatedAt?: string | null | undefined;
  readonly sharing?: Sharing | null | undefined;
  /** Id of the label that the tool has on it. */
  readonly label?: string | null | undefined;
  readonly mediaType?: string | null | undefined;
  readonly bytes?: number | null | undefined;
  /** For `readFile`. */
  readonly download?: string | null | undefined;
  readonly url?: string | null | undefined;
}

export interface RecordPage {
  readonly records: readonly ReadRecord[];
  /** Where to go on after this page; null at the end. Opaque. */
  readonly position: unknown;
  /** What the tool's stream has seen so far; the mark of the next incremental scan. Opaque. */
  readonly seen: unknown;
  /** Parts that could not be read. */
  readonly problems: readonly string[];
}

export type RemedyAction = 'redact' | 'tokenise' | 'unshare' | 'quarantine' | 'delete' | 'label';

export interface ScanSource {
  readonly connectionId: string;
  readonly app: string;
  readonly name: string;
  readonly active: boolean;
  /** Streams of records. */
  readonly streams: readonly string[];
  /** Whether a stream tells by itself what changed since a mark. */
  readonly incremental: ReadonlySet<string>;
  /** The connector's action for an object; null where the tool has no way. */
  way(object: string, action: RemedyAction): { readonly action: string; readonly canUndo: boolean } | null;
}

export interface ActRequest {
  readonly connectionId: string;
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly mode: 'run' | 'dry-run' | 'verify' | 'undo';
  /** The same key gives the same run, whatever happens in between. */
  readonly key: string;
  readonly undoOf?: string;
}

export interface Acted {
  readonly runId: string;
  readonly outcome: string | null;
  readonly error: string | null;
}

/** Narrow port to connectors; the worker fills it. Reading throws `NotShown` where the tool refuses. */
export interface DlpTools {
  list(): Promise<readonly ScanSource[]>;
  readPages(request: {
    readonly connectionId: string;
    readonly stream: string;
    readonly purpose: string;
    readonly position?: unknown;
    readonly seen?: unknown;
    readonly mark?: unknown;
    /** Milliseconds: only what changed since, where the stream can. */
    readonly since?: number;
  }): AsyncIterable<RecordPage>;
  readFile(connectionId: string, download: string): AsyncIterable<Buffer>;
  /** The input of an action for a record, by the connector's own expression; null where it can't be told. */
  inputFor(connectionId: string, action: string, record: ReadRecord): Promise<Record<string, unknown> | null>;
  act(request: ActRequest): Promise<Acted>;
}

/** A piece of text that a file or record gave. */
export interface TextPart {
  /** Where in the record: `body`, `page 2`, `sheet Payroll`, `EXIF`. */
  readonly where: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** Reads what files say, apart from this process and within limits of time and memory. */
export interface FileText {
  /** Parts, or why there are none: `too_large`, `encrypted`, `unsupported`, `broken`. */
  read(
    bytes: Buffer,
    mediaType: string | null,
  ): Promise<{ readonly parts: readonly TextPart[] } | { readonly unreadable: string }>;
}

/** What the rules and the inventory say of a place. */
export interface Judgement {
  /** The resolver of the rules as they are now. */
  rules(
    place: Omit<RestingPlace, 'direction' | 'appId' | 'dataLabel'> & { readonly object: string },
  ): InspectionResolver;
}
export interface JudgementSource {
  /** Read once for a page: rules may change while a scan runs. */
  load(): Promise<Judgement>;
}
