import { createHash } from 'node:crypto';
import type { Catalogue } from '../catalogue.ts';
import { LogFormatUnknown, LogUnreadable } from '../errors.ts';
import type { LineRead, LogFormat } from '../sighting.ts';
import { createTally, type UnknownDomain, type Use } from '../tally.ts';
import { DNS_FORMATS } from './dns-formats.ts';
import { OFFICE_FORMATS } from './office-formats.ts';
import { CLOUDFLARE_FORMAT, PROXY_FORMATS } from './proxy-formats.ts';
import { splitLines, TOO_LONG, unpacked } from './split-lines.ts';

export const LOG_FORMATS: readonly LogFormat[] = [
  ...PROXY_FORMATS,
  CLOUDFLARE_FORMAT,
  ...DNS_FORMATS,
  ...OFFICE_FORMATS,
];

/** Bad lines that are shown by number and reason; all are counted. */
const BAD_SHOWN_MAX = 20;
/** When so many lines were read and none of them made sense, the file is of another format. */
const HOPELESS_LINES = 1_000;

export interface BadLine {
  readonly line: number;
  readonly why: 'not of this format' | 'longer than 64 KiB';
}

export interface LogReport {
  readonly format: string;
  readonly evidence: LogFormat['evidence'];
  /** Of the bytes as they came: the same file again is the same evidence. */
  readonly sha256: string;
  readonly bytes: number;
  readonly lines: number;
  /** Lines that told of use, of any host. */
  readonly traces: number;
  readonly skipped: number;
  readonly bad: number;
  readonly badLines: readonly BadLine[];
  readonly uses: readonly Use[];
  /** Busiest domains that belong to no known app. */
  readonly unknown: readonly UnknownDomain[];
}

export function findFormat(name: string): LogFormat {
  const format = LOG_FORMATS.find((one) => one.name === name);
  if (format) return format;
  const names = LOG_FORMATS.map((one) => one.name).join(', ');
  throw new LogFormatUnknown(`There is no log format "${name}". There are: ${names}.`, { format: name });
}

/**
 * Reads a log of any length in constant memory, plain or gzip. What can't be read is counted and shown by its number.
 *
 * @throws {LogFormatUnknown}
 * @throws {LogUnreadable} when nothing in it is of that format
 */
export async function readLog(
  source: AsyncIterable<Uint8Array>,
  options: {
    readonly format: string;
    readonly catalogue: Catalogue;
    readonly now: number;
    /** What has to be added to UTC to get the log's local time; for formats without a zone. */
    readonly utcOffsetMs?: number;
  },
): Promise<LogReport> {
  const format = findFormat(options.format);
  const reader = format.open({ utcOffsetMs: options.utcOffsetMs ?? 0 });
  const tally = createTally(options.catalogue, options.now);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  let [lines, traces, skipped, bad] = [0, 0, 0, 0];
  const badLines: BadLine[] = [];
  const take = (read: LineRead | 'long'): void => {
    if (read === 'skip') skipped += 1;
    else if (read === 'bad' || read === 'long') {
      bad += 1;
      const why = read === 'bad' ? 'not of this format' : 'longer than 64 KiB';
      if (badLines.length < BAD_SHOWN_MAX) badLines.push({ line: lines, why });
    } else {
      traces += 1;
      tally.add(read);
    }
  };
  const refuse = (): never => {
    throw new LogUnreadable(`Nothing in the first ${lines} lines is of the format ${format.title}.`, {
      format: format.name,
    });
  };
  try {
    for await (const line of splitLines(unpacked(hashed()))) {
      lines += 1;
      take(line === TOO_LONG ? 'long' : reader.read(line));
      if (lines === HOPELESS_LINES && bad === lines) refuse();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new LogUnreadable('The file is no whole gzip archive.', { format: format.name }, error);
    }
    throw error;
  }
  const last = reader.end?.();
  if (last !== undefined && last !== 'skip') take(last);
  if (lines > 0 && bad === lines) refuse();
  return {
    format: format.name,
    evidence: format.evidence,
    sha256: hash.digest('hex'),
    bytes,
    lines,
    traces,
    skipped,
    bad,
    badLines,
    uses: tally.uses(),
    unknown: tally.unknown(),
  };
}
