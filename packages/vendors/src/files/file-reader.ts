import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ContentUnrecognised, FILE_REFUSALS, FileRefused, TooManyAttempts } from '../errors.ts';
import { FILE_BYTES_MAX, HEAP_MIB_MAX, READ_MS_MAX, RESIDENT_MIB_MAX } from './limits.ts';
import type { AttestationReading } from '../attestation/attestation.ts';
import type { ContractCheck } from '../contract/check.ts';
import type { Document } from './read-document.ts';
import type { CellEdit } from './xlsx-patch.ts';

const PROGRAM = fileURLToPath(new URL('./file-reader-process.ts', import.meta.url));
/** The code, its libraries and the patterns it judges by: all that the process may read. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const WATCH_MS = 100;
const PAGE_BYTES = 4_096;
const MIB = 1024 * 1024;
const AT_ONCE_MAX = 2;
const WAITING_MAX = 32;

export interface FileReader {
  /** What a file says. Throws `FileRefused`. */
  read(bytes: Uint8Array): Promise<Document>;
  /** What it says and what it attests, `kindId` being a person's word on what it is; judged in the same process. */
  attest(
    bytes: Uint8Array,
    kindId?: string,
  ): Promise<{ readonly document: Document; readonly reading: AttestationReading }>;
  /** What it says and which clauses of the library it holds; judged in the same process. */
  check(bytes: Uint8Array): Promise<{ readonly document: Document; readonly check: ContractCheck }>;
  /** The workbook with these texts in cells of a sheet, everything else as it was. */
  patch(bytes: Uint8Array, sheet: string, edits: readonly CellEdit[]): Promise<Uint8Array>;
}

export interface FileReaderLimits {
  readonly msMax?: number;
  readonly residentMibMax?: number;
  /** Where `attestations/` and `clauses/` stand. */
  readonly contentFolder?: string;
}

type Answer = {
  readonly document?: Document;
  readonly reading?: AttestationReading;
  readonly check?: ContractCheck;
  readonly refused?: { readonly code: string; readonly message: string; readonly detail: Record<string, unknown> };
};

async function residentMib(pid: number): Promise<number> {
  try {
    const pages = (await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1];
    return (Number(pages) * PAGE_BYTES) / MIB;
  } catch {
    return 0; // ended, or a system without /proc: the heap limit still holds
  }
}

function refusalOf({ code, message, detail }: NonNullable<Answer['refused']>): Error {
  const known = FILE_REFUSALS.find((one) => one === code);
  return known ? new FileRefused(known, message, detail) : new ContentUnrecognised(message, detail);
}

const tooLong = (ms: number) =>
  new FileRefused('vendors.file_took_too_long', `The file could not be read in ${ms / 1_000} s.`);
const tooMuch = () => new FileRefused('vendors.file_took_too_much_memory', 'Reading the file takes too much memory.');

/** Runs one act in a process of its own. The process gets no environment, no network and may write nowhere. */
async function runOnce(
  head: unknown,
  bytes: Uint8Array,
  limits: Required<FileReaderLimits>,
): Promise<{ answer: Answer; rest: Buffer }> {
  const readable = [ROOT, limits.contentFolder].map((folder) => `--allow-fs-read=${folder}`);
  const flags = ['--permission', ...readable, `--max-old-space-size=${HEAP_MIB_MAX}`, '--no-warnings'];
  const child = spawn(process.execPath, [...flags, PROGRAM], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
  let failure: FileRefused | null = null;
  const end = (why: FileRefused): void => {
    failure ??= why;
    child.kill('SIGKILL');
  };
  const checkMemory = async (): Promise<void> => {
    if ((await residentMib(child.pid ?? 0)) > limits.residentMibMax) end(tooMuch());
  };
  const timer = setTimeout(() => end(tooLong(limits.msMax)), limits.msMax);
  const watch = setInterval(() => {
    void checkMemory();
  }, WATCH_MS);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on('error', () => undefined); // ended before it took everything: the exit tells
  const closed = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', reject);
  });
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  child.stdin.write(Buffer.concat([length, text]));
  child.stdin.end(bytes);
  try {
    await closed;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
  if (failure) throw failure as FileRefused; // assigned in a callback, which the compiler does not see
  const all = Buffer.concat(chunks);
  // It ends without an answer only when V8 gave up: out of memory, or too deep.
  if (all.length < 4) throw tooMuch();
  const size = all.readUInt32LE(0);
  return { answer: JSON.parse(all.toString('utf8', 4, 4 + size)) as Answer, rest: all.subarray(4 + size) }; // ours
}

/** Reads files that others made, each in a process of its own with a limit of time and memory; two at once. */
export function createFileReader({
  msMax = READ_MS_MAX,
  residentMibMax = RESIDENT_MIB_MAX,
  contentFolder = CONTENT,
}: FileReaderLimits = {}): FileReader {
  const waiting: (() => void)[] = [];
  let running = 0;
  const run = async (head: unknown, bytes: Uint8Array) => {
    if (bytes.byteLength > FILE_BYTES_MAX) {
      throw new FileRefused('vendors.file_too_large', `The file exceeds ${FILE_BYTES_MAX / MIB} MB.`);
    }
    if (bytes.byteLength === 0) throw new FileRefused('vendors.file_broken', 'The file is empty.');
    if (waiting.length >= WAITING_MAX) throw new TooManyAttempts('Too many files are being read; try again later.');
    if (running >= AT_ONCE_MAX) await new Promise<void>((turn) => waiting.push(turn));
    running += 1;
    try {
      const { answer, rest } = await runOnce(head, bytes, { msMax, residentMibMax, contentFolder });
      if (answer.refused) throw refusalOf(answer.refused);
      return { answer, rest };
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  return {
    async read(bytes) {
      const { answer } = await run({ act: 'read' }, bytes);
      if (!answer.document) throw new FileRefused('vendors.file_broken', 'The file can not be read.');
      return answer.document;
    },
    async attest(bytes, kindId) {
      const { document, reading } = (await run({ act: 'attest', contentFolder, kindId }, bytes)).answer;
      if (!document || !reading) throw new FileRefused('vendors.file_broken', 'The file can not be read.');
      return { document, reading };
    },
    async check(bytes) {
      const { document, check } = (await run({ act: 'check', contentFolder }, bytes)).answer;
      if (!document || !check) throw new FileRefused('vendors.file_broken', 'The file can not be read.');
      return { document, check };
    },
    async patch(bytes, sheet, edits) {
      return (await run({ act: 'patch', sheet, edits }, bytes)).rest;
    },
  };
}
