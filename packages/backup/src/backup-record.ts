import { canonicalJson } from '@cordon/kernel';
import { z } from 'zod';
import type { RepositoryKeys } from './sealing.ts';

const moment = z.string().nullable();

/** One record of an app as it is kept. `content` is what the connector read. */
export const backupRecord = z.strictObject({
  stream: z.string().min(1).max(64),
  object: z.string().min(1).max(128),
  id: z.string().min(1).max(512),
  parentId: z.string().nullable(),
  title: z.string().nullable(),
  updatedAt: moment,
  /** What a restore brings back. */
  content: z.json(),
  /** What is kept beside it and the tool writes itself: owner, moments, address. */
  facts: z.json(),
});
export type BackupRecord = z.output<typeof backupRecord>;

export type RecordRef = Pick<BackupRecord, 'stream' | 'object' | 'id'>;

const partName = z.tuple([z.string(), z.string(), z.string()]);

export const recordKey = (keys: RepositoryKeys, { stream, object, id }: RecordRef): string =>
  keys.keyedId('record', JSON.stringify([stream, object, id]));

/** The same record gives the same bytes. */
export const encodeRecord = (record: BackupRecord): Buffer => Buffer.from(canonicalJson(record));

export const decodeRecord = (bytes: Buffer): BackupRecord => backupRecord.parse(JSON.parse(bytes.toString('utf8')));

/** Bytes that a snapshot keeps as they are: a piece of a file, a row of Cordon's own state. */
export interface BackupPart extends RecordRef {
  readonly bytes: Uint8Array;
}

const PART_MARK = 1;
const HEAD_BYTES = 5;

/** Its name lies in front, so that equal bytes under two names are two blobs, and each says whose it is. */
export function encodePart({ stream, object, id, bytes }: BackupPart): Buffer {
  const name = Buffer.from(JSON.stringify([stream, object, id]));
  const head = Buffer.alloc(HEAD_BYTES, PART_MARK);
  head.writeUInt32BE(name.length, 1);
  return Buffer.concat([head, name, bytes]);
}

export function decodePart(stored: Buffer): BackupPart {
  const end = HEAD_BYTES + stored.readUInt32BE(1);
  const [stream, object, id] = partName.parse(JSON.parse(stored.toString('utf8', HEAD_BYTES, end)));
  return { stream, object, id, bytes: stored.subarray(end) };
}
