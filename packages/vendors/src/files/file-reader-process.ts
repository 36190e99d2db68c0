import { FileRefused, VendorsError } from '../errors.ts';
import { type Document, openOffice, readDocument } from './read-document.ts';
import { type CellEdit, patchWorkbook } from './xlsx-patch.ts';

/**
 * Reads one file from standard input and writes what it says to standard output, then ends. Started by `file-reader.ts`
 * without environment, network, other processes or the right to write; a file that breaks it breaks nothing else.
 * Patterns run here as well: what one costs on a hostile text ends with this process, not with the one that serves.
 */
interface Request {
  readonly act: 'read' | 'patch' | 'attest' | 'check';
  readonly contentFolder?: string;
  readonly kindId?: string;
  readonly sheet?: string;
  readonly edits?: readonly CellEdit[];
}

/** Loaded only where they are asked for: most files are only read. */
async function attest(document: Document, contentFolder: string, kindId?: string): Promise<unknown> {
  const [{ loadAttestationKinds }, { readAttestation }] = await Promise.all([
    import('../attestation/kind.ts'),
    import('../attestation/read-attestation.ts'),
  ]);
  return readAttestation(document, loadAttestationKinds(contentFolder), kindId);
}

async function check(document: Document, contentFolder: string): Promise<unknown> {
  const [{ loadClauses }, { checkContract }] = await Promise.all([
    import('../contract/clause.ts'),
    import('../contract/check.ts'),
  ]);
  return checkContract(document, loadClauses(contentFolder));
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
  const { act, contentFolder = '', kindId } = request;
  if (act === 'read') output({ document: await readDocument(bytes) });
  else if (act === 'attest') {
    const document = await readDocument(bytes);
    output({ document, reading: await attest(document, contentFolder, kindId) });
  } else if (act === 'check') {
    const document = await readDocument(bytes);
    output({ document, check: await check(document, contentFolder) });
  } else output({}, patchWorkbook(openOffice(bytes), request.sheet ?? '', request.edits ?? []));
} catch (error) {
  const known =
    error instanceof VendorsError ? error : new FileRefused('vendors.file_broken', 'The file can not be read.');
  output({ refused: { code: known.code, message: known.message, detail: known.detail } });
}
