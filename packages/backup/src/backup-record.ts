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

export const recordKey = (keys: RepositoryKeys, { stream, object, id }: RecordRef): string =>
  keys.keyedId('record', JSON.stringify([stream, object, id]));

/** The same record gives the same bytes. */
export const encodeRecord = (record: BackupRecord): Buffer => Buffer.from(canonicalJson(record));

export const decodeRecord = (bytes: Buffer): BackupRecord => backupRecord.parse(JSON.parse(bytes.toString('utf8')));
