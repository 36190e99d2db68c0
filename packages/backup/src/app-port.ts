import type { BackupRecord } from './backup-record.ts';
import type { SourceFile } from './file-bytes.ts';

export type RestoreOp = 'create' | 'update' | 'delete';

/** What a tool lets one do with records of an object. */
export interface RestoreAction {
  readonly name: string;
  readonly op: RestoreOp;
  readonly object: string;
  /** What it doesn't bring back; told before anything is done. */
  readonly note: string | null;
  /** It uploads the bytes of a file, if they are so many at most; null: it takes no bytes. */
  readonly fileBytesMax?: number | null;
}

export interface ReadItem {
  readonly record: BackupRecord;
  readonly deleted?: boolean;
  /** The bytes behind it, where it is a file. */
  readonly file?: SourceFile;
  /** Of the last record of a page: where a read of changes goes on. */
  readonly mark?: unknown;
}

export interface ActResult {
  /** `unclear`: it may have taken effect and can't be seen; it isn't repeated. */
  readonly outcome: 'done' | 'already' | 'unverified' | 'unclear';
  /** The record's id now, where the tool gave it a new one. */
  readonly newId: string | null;
}

/** An app as backups see it; the composition root makes it of connectors. */
export interface AppPort {
  /** Streams that hold state worth keeping, and whether one can read only their changes. */
  streams(connectionId: string): Promise<readonly { readonly name: string; readonly readsChanges: boolean }[]>;
  /** All records, or what changed since the mark. Throws `SourceFailed` when the app doesn't show them. */
  read(connectionId: string, stream: string, mark: unknown, purpose: string): AsyncIterable<ReadItem>;
  actions(connectionId: string): Promise<readonly RestoreAction[]>;
  /** Once for each key, whatever happens in between. Throws `SourceFailed` when the tool refuses. */
  act(
    connectionId: string,
    action: string,
    record: BackupRecord,
    key: string,
    /** The bytes of its file, where the action takes them. */
    file?: Uint8Array,
  ): Promise<ActResult>;
}
