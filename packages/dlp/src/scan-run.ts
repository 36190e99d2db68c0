import type { Classifier } from '@cordon/classifier';
import {
  appendAudit,
  type Clock,
  type Database,
  type Logger,
  type Transaction,
  type WorkflowDefinition,
  type WorkflowSteps,
} from '@cordon/kernel';
import { NotShown } from './errors.ts';
import { closeGone, type FoundRecord, type Incident, saveFound, type ScanPlace } from './incident-store.ts';
import { judgeRecord, recordPart, shownTitle } from './judge-record.ts';
import type {
  DlpTools,
  FileText,
  Judgement,
  JudgementSource,
  ReadRecord,
  RecordPage,
  ScanSource,
  TextPart,
} from './ports.ts';
import {
  beginScan,
  endScan,
  endStream,
  isCancelled,
  loadMark,
  loadProgress,
  loadScan,
  type PageTally,
  saveMark,
  saveProgress,
  type Scan,
  type ScanStatus,
} from './scan-store.ts';

export const scanWorkflow = { name: 'dlp.scan' } as const;

/** A file is read whole before it is looked at. */
export const SCAN_FILE_BYTES_MAX = 20 * 1024 * 1024;
const SLICE_PAGES_MAX = 50;
const SLICE_MS_MAX = 30_000;
/** Clocks of tools differ from ours. */
const LOOK_BACK_MS = 300_000;
const FOLDER = /folder|directory/;

export interface ScanDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly classifier: Classifier;
  readonly tools: DlpTools;
  readonly files: FileText;
  readonly judgement: JudgementSource;
  /** Tells people of what is new, in the transaction that keeps it. */
  readonly onFound: (tx: Transaction, incident: Incident) => Promise<void>;
  /** Does what rules say to what this scan found, when it was asked to enforce. */
  readonly enforce: (scan: Scan) => Promise<void>;
}

async function readWhole(chunks: AsyncIterable<Buffer>): Promise<Buffer | null> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > SCAN_FILE_BYTES_MAX) return null;
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}

/** The text of a record's file; a file that can't be read is counted with its reason, and stops nothing. */
async function fileParts(
  deps: ScanDeps,
  source: ScanSource,
  record: ReadRecord,
  tally: PageTally,
): Promise<readonly TextPart[]> {
  const { download, mediaType } = record;
  if (!download || (mediaType && FOLDER.test(mediaType))) return [];
  const refuse = (reason: string): [] => {
    tally.unreadable[reason] = (tally.unreadable[reason] ?? 0) + 1;
    return [];
  };
  if ((record.bytes ?? 0) > SCAN_FILE_BYTES_MAX) return refuse('too_large');
  try {
    const bytes = await readWhole(deps.tools.readFile(source.connectionId, download));
    if (bytes === null) return refuse('too_large');
    if (bytes.length === 0) return [];
    const read = await deps.files.read(bytes, mediaType ?? null);
    if ('unreadable' in read) return refuse(read.unreadable);
    tally.files += 1;
    tally.bytes += bytes.length;
    return read.parts;
  } catch (error) {
    if (!(error instanceof NotShown)) throw error;
    return refuse('not_shown');
  }
}

async function judgeOne(
  deps: ScanDeps,
  source: ScanSource,
  judgement: Judgement,
  record: ReadRecord,
  tally: PageTally,
): Promise<FoundRecord | null> {
  const own = recordPart(record);
  tally.records += 1;
  tally.bytes += own.bytes.length;
  const resolve = judgement.rules({
    connector: source.app,
    object: record.object,
    sharing: record.sharing ?? undefined,
    personId: record.ownerId ?? undefined,
  });
  const judged = judgeRecord(deps.classifier, [own, ...(await fileParts(deps, source, record, tally))], resolve);
  if (!judged) return null;
  tally.found += 1;
  return { record, judged, title: shownTitle(deps.classifier, record.title) };
}

/** Looks at one page and keeps, together, what it brought and where it ended. */
async function scanPage(
  deps: ScanDeps,
  scan: Scan,
  source: ScanSource,
  stream: string,
  page: RecordPage,
  unchangedBefore: number | null,
): Promise<void> {
  const tally: PageTally = { records: 0, skipped: 0, files: 0, bytes: 0, found: 0, unreadable: {} };
  const judgement = await deps.judgement.load();
  const found: FoundRecord[] = [];
  const clean: { object: string; id: string }[] = [];
  for (const record of page.records) {
    const changed = record.updatedAt ? Date.parse(record.updatedAt) : Number.NaN;
    if (unchangedBefore !== null && changed < unchangedBefore) {
      tally.skipped += 1;
      continue;
    }
    const one = await judgeOne(deps, source, judgement, record, tally);
    if (one) found.push(one);
    else clean.push({ object: record.object, id: record.id });
  }
  if (page.problems.length > 0) tally.unreadable['not_shown'] = page.problems.length;
  const { connectionId, app } = source;
  await deps.db.transaction(async (tx) => {
    const place: ScanPlace = { scanId: scan.id, connectionId, app, stream, at: new Date(deps.clock.now()) };
    for (const one of found) {
      const told = await saveFound(tx, place, one);
      if (told) await deps.onFound(tx, told);
    }
    await closeGone(tx, place, { clean });
    await saveProgress(tx, place, tally, { position: page.position, seen: page.seen });
  });
}

type SliceEnd = 'more' | 'done' | 'partial' | 'not_shown' | 'cancelled';

/** Reads a stream on from where it stands, for so many pages or so long. */
async function scanSlice(deps: ScanDeps, scan: Scan, source: ScanSource, stream: string): Promise<SliceEnd> {
  const { db, clock, tools } = deps;
  const progress = await loadProgress(db, scan.id, stream);
  if (progress.status === 'done' || progress.status === 'partial' || progress.status === 'not_shown')
    return progress.status;
  const isAtEnd = progress.status === 'reading' && progress.position === null;
  const isIncremental = scan.mode === 'incremental';
  const before = isIncremental ? await loadMark(db, source.connectionId, stream) : null;
  const isFollowed = source.incremental.has(stream);
  const unchangedBefore = before && !isFollowed ? before.scannedAt.getTime() - LOOK_BACK_MS : null;
  const until = clock.now() + SLICE_MS_MAX;
  let pages = 0;
  try {
    if (!isAtEnd) {
      const read = tools.readPages({
        connectionId: source.connectionId,
        stream,
        purpose: `data loss prevention: scan ${scan.id}`,
        position: progress.position ?? undefined,
        seen: progress.seen ?? undefined,
        ...(before && isFollowed ? { mark: before.mark } : {}),
      });
      for await (const page of read) {
        await scanPage(deps, scan, source, stream, page, unchangedBefore);
        pages += 1;
        if (await isCancelled(db, scan.id)) return 'cancelled';
        if (page.position !== null && (pages >= SLICE_PAGES_MAX || clock.now() > until)) return 'more';
      }
    }
  } catch (error) {
    if (!(error instanceof NotShown)) throw error;
    await endStream(db, scan.id, stream, { status: 'not_shown', reason: error.message });
    return 'not_shown';
  }
  return finishStream(deps, scan, source, stream, isIncremental && before !== null);
}

async function finishStream(
  deps: ScanDeps,
  scan: Scan,
  source: ScanSource,
  stream: string,
  isPartOfIt: boolean,
): Promise<SliceEnd> {
  const { db, clock } = deps;
  const { connectionId, app } = source;
  const { seen } = await loadProgress(db, scan.id, stream);
  const now = (await loadScan(db, scan.id)).streams.find((one) => one.stream === stream);
  const hidden = now?.unreadable['not_shown'] ?? 0;
  const isWhole = hidden === 0;
  await db.transaction(async (tx) => {
    const place = { scanId: scan.id, connectionId, app, stream, at: new Date(clock.now()) };
    // What a partial read did not show may well be there.
    if (isWhole && !isPartOfIt) await closeGone(tx, place, 'unseen');
    if (isWhole) await saveMark(tx, place, seen, scan.startedAt ?? scan.requestedAt);
    const reason = isWhole ? null : `${hidden} parts could not be read`;
    await endStream(tx, scan.id, stream, { status: isWhole ? 'done' : 'partial', reason });
  });
  return isWhole ? 'done' : 'partial';
}

async function scanStream(deps: ScanDeps, scanId: string, stream: string, steps: WorkflowSteps): Promise<SliceEnd> {
  for (let slice = 0; ; slice += 1) {
    const end = await steps.step(
      `${stream} ${slice}`,
      async (): Promise<SliceEnd> => {
        const scan = await loadScan(deps.db, scanId);
        const source = (await deps.tools.list()).find(({ connectionId }) => connectionId === scan.connectionId);
        if (!source) return 'cancelled'; // the connection was removed meanwhile
        return scanSlice(deps, scan, source, stream);
      },
      { attemptsMax: 3 },
    );
    if (end !== 'more') return end;
  }
}

function statusOf(ends: readonly SliceEnd[]): ScanStatus {
  if (ends.includes('cancelled')) return 'cancelled';
  return ends.every((end) => end === 'done') ? 'done' : 'partial';
}

async function recordEnd(deps: ScanDeps, scanId: string, status: ScanStatus, error: string | null): Promise<void> {
  const at = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    // A crash right after the commit runs this step again: the trail holds each end once.
    if (!(await endScan(tx, scanId, { status, error, at: new Date(at) }))) return;
    const scan = await loadScan(tx, scanId);
    const streams = scan.streams.map(({ stream, records, files, found, unreadable }) => ({
      stream,
      records,
      files,
      found,
      unreadable,
    }));
    await appendAudit(tx, {
      actor: { kind: 'system', name: `data loss prevention, for ${scan.requestedBy}` },
      action: `dlp.scan_${status}`,
      target: { type: 'connection', id: scan.connectionId, name: scan.name },
      detail: { scan: scanId, mode: scan.mode, streams, error },
      at,
    });
  });
}

/**
 * Scans a connection stream by stream, in slices of pages. Each page keeps its place together with what it brought, so
 * that a crash or a stop goes on behind it. The pace is the connector's, which keeps to the tool's limits.
 */
export function createScanWorkflow(deps: ScanDeps): WorkflowDefinition<{ readonly scanId: string }> {
  return {
    name: scanWorkflow.name,
    async run({ scanId }, steps) {
      const begun = await steps.step('begin', async () => {
        if (!(await beginScan(deps.db, scanId, new Date(deps.clock.now())))) return null;
        return (await loadScan(deps.db, scanId)).streams.map(({ stream }) => stream);
      });
      if (begun === null) return { status: 'gone' };
      const ends: SliceEnd[] = [];
      let failure: string | null = null;
      for (const stream of begun) {
        try {
          ends.push(await scanStream(deps, scanId, stream, steps));
        } catch (error) {
          deps.logger.error({ err: error, scan: scanId, stream }, 'a stream could not be scanned');
          failure = error instanceof Error ? error.message : String(error);
          const reason = failure;
          await steps.step(`${stream} failed`, () => endStream(deps.db, scanId, stream, { status: 'partial', reason }));
          ends.push('partial');
        }
        if (ends.at(-1) === 'cancelled') break;
      }
      const status = failure !== null && ends.every((end) => end === 'partial') ? 'failed' : statusOf(ends);
      await steps.step('end', () => recordEnd(deps, scanId, status, failure));
      if (status !== 'cancelled') {
        await steps.step('enforce', async () => {
          const scan = await loadScan(deps.db, scanId);
          if (scan.enforce) await deps.enforce(scan);
        });
      }
      return { status };
    },
  };
}
