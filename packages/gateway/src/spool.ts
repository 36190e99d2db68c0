import fs from 'node:fs';
import path from 'node:path';
import { type Clock, type Logger, uuidv7 } from '@cordon/kernel';
import {
  adoptOrphans,
  beatHeart,
  createSpoolFolder,
  listSegments,
  removeEmptyFolders,
  type SegmentFile,
  segmentName,
} from './spool-folder.ts';
import { encodeLine } from './spool-line.ts';

/** Power loss may cost at most this much of what isn't marked strict; a killed process loses nothing. */
const FSYNC_INTERVAL_MS_MAX = 50;
const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
const SPOOL_BYTES_MAX = 512 * 1024 * 1024;
/** Kept free for the calls that were let in before the spool filled up. */
const RESERVE_SHARE = 0.05;
const HEARTBEAT_INTERVAL_MS = 500;

export interface SpoolOptions {
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bytesMax?: number;
  readonly segmentBytesMax?: number;
}

type Done = (error: Error | undefined) => void;

/** The file being written. Its descriptor is closed behind the last sync that was begun on it. */
interface Segment {
  readonly fd: number;
  readonly path: string;
  bytes: number;
  /** Written since the last sync was begun. */
  dirty: boolean;
  syncs: number;
  sealed: boolean;
}

/**
 * The events of this process on their way to the lake. `append` writes before it calls back, so that what a
 * client was answered survives a kill of this process; one write serves all calls that ended in the same tick,
 * one fsync all that ended in the same 50 ms.
 */
export class Spool {
  readonly folder: string;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bytesMax: number;
  readonly #segmentBytesMax: number;
  #active: Segment | undefined;
  #sequence = 0;
  #sealedBytes = 0;
  #pending = '';
  #waiting: Done[] = [];
  /** Calls whose event must be on the disk, before and after it was written to the file. */
  #strict: Done[] = [];
  #written: Done[] = [];
  #scheduled = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #heart: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(options: SpoolOptions) {
    this.#root = options.root;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#bytesMax = options.bytesMax ?? SPOOL_BYTES_MAX;
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    fs.mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    this.folder = createSpoolFolder(this.#root);
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_INTERVAL_MS);
    this.#heart.unref();
  }

  /** Bytes on disk that the worker hasn't acknowledged. */
  get bytes(): number {
    return this.#sealedBytes + (this.#active?.bytes ?? 0) + this.#pending.length;
  }

  /** True when no further call should be let in: what is left belongs to calls in flight. */
  get full(): boolean {
    return this.#failed || this.bytes >= this.#bytesMax * (1 - RESERVE_SHARE);
  }

  /**
   * Writes one event. Calls back once it is in the file (or, when strict, once it is on the disk), or with an
   * error when it couldn't be written: then the event is lost unless the caller refuses the call.
   */
  append(json: string, strict: boolean, done: Done): void {
    const line = encodeLine(json);
    if (this.bytes + line.length > this.#bytesMax) {
      done(new Error('the spool is full'));
      return;
    }
    this.#pending += line;
    (strict ? this.#strict : this.#waiting).push(done);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes what this tick collected, now. */
  flush(): void {
    this.#scheduled = false;
    if (this.#pending === '') return;
    const text = this.#pending;
    const waiting = this.#waiting;
    const strict = this.#strict;
    this.#pending = '';
    this.#waiting = [];
    this.#strict = [];
    try {
      this.#write(text);
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      this.#logger.error({ err: error }, 'cannot write the event spool');
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#tell([...waiting, ...strict], reason);
      return;
    }
    this.#written.push(...strict);
    if ((this.#active?.bytes ?? 0) >= this.#segmentBytesMax) this.seal();
    else if (this.#written.length > 0) this.#sync();
    else this.#syncTimer ??= setTimeout(() => this.#sync(), FSYNC_INTERVAL_MS_MAX);
    this.#tell(waiting, undefined);
  }

  /** Calls back. What one call does with its answer must not keep the others from theirs. */
  #tell(waiting: readonly Done[], error: Error | undefined): void {
    for (const done of waiting) {
      try {
        done(error);
      } catch (failure) {
        this.#logger.error({ err: failure }, 'a call could not be answered after its event was written');
      }
    }
  }

  #write(text: string): void {
    const segment = (this.#active ??= this.#open());
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += fs.writeSync(segment.fd, bytes, written);
    } catch (error) {
      // Cut a half-written batch off, so that the file stays a sequence of whole lines.
      if (written > 0) fs.ftruncateSync(segment.fd, segment.bytes);
      throw error;
    }
    segment.bytes += bytes.length;
    segment.dirty = true;
  }

  #open(): Segment {
    this.#sequence += 1;
    const file = path.join(this.folder, segmentName(this.#sequence, uuidv7(this.#clock.now())));
    return { fd: fs.openSync(file, 'ax', 0o600), path: file, bytes: 0, dirty: false, syncs: 0, sealed: false };
  }

  /** Brings the active segment to the disk, unless that is being done: then what came since follows behind. */
  #sync(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    const segment = this.#active;
    if (!segment || segment.syncs > 0) return;
    this.#begin(segment, () => {
      if (this.#active !== segment) return;
      if (this.#written.length > 0) this.#sync();
      else if (segment.dirty) this.#syncTimer ??= setTimeout(() => this.#sync(), FSYNC_INTERVAL_MS_MAX);
    });
  }

  #begin(segment: Segment, then: () => void): void {
    const strict = this.#written;
    this.#written = [];
    segment.dirty = false;
    segment.syncs += 1;
    fs.fdatasync(segment.fd, (error) => {
      segment.syncs -= 1;
      this.#closeBehind(segment);
      if (error) this.#logger.error({ err: error }, 'cannot sync the event spool');
      this.#tell(strict, error ?? undefined);
      then();
    });
  }

  #closeBehind(segment: Segment): void {
    if (segment.sealed && segment.syncs === 0) fs.close(segment.fd, () => undefined);
  }

  /** Ends the active segment, so that it can be shipped. Its sync runs beside the traffic, not before it. */
  seal(): void {
    const segment = this.#active;
    if (!segment) return;
    this.#active = undefined;
    this.#sealedBytes += segment.bytes;
    segment.sealed = true;
    if (segment.dirty || this.#written.length > 0) this.#begin(segment, () => undefined);
    else this.#closeBehind(segment);
  }

  /** Segments ready to ship: everything in the folder but the one being written. */
  sealed(): SegmentFile[] {
    return listSegments(this.folder).filter((segment) => segment.path !== this.#active?.path);
  }

  /** The worker has it: delete the segment. Beside the traffic: freeing its pages takes milliseconds. */
  async release(segment: SegmentFile): Promise<void> {
    await fs.promises.unlink(segment.path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
    this.#sealedBytes = Math.max(0, this.#sealedBytes - segment.bytes);
  }

  /** Sets a segment aside that the worker refuses for good, for a person to look at. Never deletes events. */
  reject(segment: SegmentFile): void {
    fs.renameSync(segment.path, `${segment.path}.rejected`);
    this.#sealedBytes = Math.max(0, this.#sealedBytes - segment.bytes);
  }

  /** Takes over what dead processes left. Returns the number of folders. */
  adopt(): number {
    const adopted = adoptOrphans(this.#root, this.folder, this.#clock.now());
    if (adopted.length > 0) this.#sealedBytes = this.#measure();
    return adopted.length;
  }

  #measure(): number {
    return this.sealed().reduce((sum, segment) => sum + segment.bytes, 0);
  }

  #beat(): void {
    try {
      beatHeart(this.folder, this.#clock.now());
    } catch (error) {
      this.#logger.error({ err: error }, 'cannot touch the spool folder');
    }
  }

  /** Writes and seals everything; what is on disk is shipped by this process or adopted by another. */
  close(): void {
    this.flush();
    this.seal();
    clearTimeout(this.#syncTimer);
    clearInterval(this.#heart);
    removeEmptyFolders(this.folder);
    if (fs.readdirSync(this.folder).length === 0) fs.rmdirSync(this.folder);
  }
}
