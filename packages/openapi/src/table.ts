import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TableInvalid } from './errors.ts';
import type { Schema } from './schema.ts';

/**
 * The stored form: one line of JSON with everything routing and authorization need, then one line for each operation's
 * details and one for each shared schema. A gateway parses the first line and keeps the rest as bytes, of which it
 * parses what it needs when it first needs it: GitHub's 1,100 operations would otherwise take some 100 MB as objects.
 */
const FORMAT = 'cordon.operations/1';
const NEWLINE = 10;
export const TABLE_BYTES_MAX = 64 * 1024 * 1024;

const operationHead = z.strictObject({
  id: z.string(),
  method: z.string(),
  path: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  access: z.enum(['read', 'write']),
  deprecated: z.boolean(),
  server: z.string().nullable(),
  multiSegment: z.array(z.string()),
});
const tableHead = z.strictObject({
  format: z.literal(FORMAT),
  title: z.string(),
  version: z.string(),
  servers: z.array(z.string()),
  operations: z.array(operationHead),
  schemas: z.int().nonnegative(),
});

/** What routing, authorization and people need to know about an operation. */
export type Operation = z.output<typeof operationHead>;
export type TableHead = z.output<typeof tableHead>;

export interface CompiledParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly shape: 'scalar' | 'array' | 'object';
  readonly style: string;
  readonly explode: boolean;
  /** The value is JSON text (`content: application/json`). */
  readonly json: boolean;
  readonly schema: Schema;
}

export type Content = Readonly<Record<string, Schema>>;

export interface OperationDetail {
  readonly parameters: readonly CompiledParameter[];
  readonly body: { readonly required: boolean; readonly content: Content } | null;
  /** By status: `200`, `4XX`, `default`. */
  readonly responses: Readonly<Record<string, Content>>;
}

export interface StoredTable {
  readonly head: TableHead;
  readonly byteLength: number;
  detail(index: number): OperationDetail;
  schema(index: number): Schema;
}

export function encodeTable(
  head: Omit<TableHead, 'format' | 'schemas'>,
  details: readonly OperationDetail[],
  schemas: readonly Schema[],
): { blob: Buffer; sha256: string } {
  const first = { format: FORMAT, ...head, schemas: schemas.length };
  const blob = Buffer.from([first, ...details, ...schemas].map((line) => JSON.stringify(line)).join('\n'));
  return { blob, sha256: createHash('sha256').update(blob).digest('hex') };
}

/** @throws {TableInvalid} */
export function decodeTable(bytes: Uint8Array): StoredTable {
  if (bytes.byteLength > TABLE_BYTES_MAX) throw new TableInvalid(`operation table exceeds ${TABLE_BYTES_MAX} bytes`);
  const blob = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = lineStarts(blob);
  const line = (index: number): unknown => {
    const start = starts[index];
    if (start === undefined) throw new TableInvalid(`operation table has no line ${index}`);
    return JSON.parse(blob.toString('utf8', start, (starts[index + 1] ?? blob.length + 1) - 1));
  };
  const head = parseHead(line);
  const { length } = head.operations;
  if (starts.length !== 1 + length + head.schemas) throw new TableInvalid('operation table is cut short or too long');
  return {
    head,
    byteLength: blob.byteLength,
    // The lines are what encodeTable wrote: the blob is fetched by its hash from a signed snapshot.
    detail: (index) => line(1 + index) as OperationDetail,
    schema: (index) => line(1 + length + index) as Schema,
  };
}

function parseHead(line: (index: number) => unknown): TableHead {
  try {
    return tableHead.parse(line(0));
  } catch (cause) {
    throw new TableInvalid(`not an operation table of format ${FORMAT}`, {}, { cause });
  }
}

function lineStarts(blob: Buffer): number[] {
  const starts = [0];
  for (let at = blob.indexOf(NEWLINE); at !== -1; at = blob.indexOf(NEWLINE, at + 1)) starts.push(at + 1);
  return starts;
}
