import { FileRefused, VendorsError } from '../errors.ts';
import { openOffice, readDocument } from './read-document.ts';
import { type CellEdit, patchWorkbook } from './xlsx-patch.ts';

/**
 * Reads one file from standard input and writes what it says to standard output, then ends. Started by `file-reader.ts`
 * without environment, network, other processes or the right to write; a file that breaks it breaks nothing else.
 */
interface Request {
  readonly act: 'read' | 'patch';
  readonly sheet?: string;
  readonly edits?: readonly CellEdit[];
}

async function input(): Promise<{ request: Request; bytes: Buffer }> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer); // no encoding is set
  const all = Buffer.concat(chunks);
  const head = all.readUInt32LE(0);
  const request = JSON.parse(all.toString('utf8', 4, 4 + head)) as Request; // file-reader.ts wrote it
  return { request, bytes: all.subarray(4 + head) };
}

function output(head: unknown, bytes: Uint8Array = new Uint8Array(0)): void {
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  process.stdout.write(Buffer.concat([length, text, bytes]));
}

try {
  const { request, bytes } = await input();
  if (request.act === 'read') output({ document: await readDocument(bytes) });
  else output({}, patchWorkbook(openOffice(bytes), request.sheet ?? '', request.edits ?? []));
} catch (error) {
  const known =
    error instanceof VendorsError ? error : new FileRefused('vendors.file_broken', 'The file can not be read.');
  output({ refused: { code: known.code, message: known.message, detail: known.detail } });
}
