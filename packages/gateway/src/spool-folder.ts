import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** A folder whose heartbeat is younger than this belongs to a living process, whatever its pid looks like. */
export const HEARTBEAT_AGE_MS_MAX = 3_000;
const FOLDER = /^p(\d+)-(\d+)-[0-9a-f]{8}$/;
const SEGMENT = /^(\d{8})-([0-9a-f-]{36})\.spool$/;

/** When a process started, in clock ticks since boot (proc(5), field 22), so that a reused pid isn't mistaken. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie or dead process writes no more; only its parent hasn't looked yet.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isRunning(pid: number, ticks: string): boolean {
  const now = startTicks(pid);
  if (now !== undefined) return now === ticks;
  if (fs.existsSync('/proc/self/stat')) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // node's errors carry a code
  }
}

/** Creates this process's own spool folder; the name says who owns it. */
export function createSpoolFolder(root: string): string {
  const folder = path.join(root, `p${process.pid}-${startTicks(process.pid) ?? '0'}-${randomBytes(4).toString('hex')}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Tells the others that the owner lives, also across pid namespaces that share a volume. */
export function beatHeart(folder: string, now: number): void {
  fs.utimesSync(folder, now / 1000, now / 1000);
}

/**
 * Takes over the folders of dead processes. Renaming is the lock: of several processes that try, one succeeds,
 * and it finds everything inside its own folder even if it dies in turn.
 */
export function adoptOrphans(root: string, own: string, now: number): string[] {
  const adopted: string[] = [];
  for (const name of fs.readdirSync(root)) {
    const owner = FOLDER.exec(name);
    const folder = path.join(root, name);
    if (!owner || folder === own) continue;
    try {
      if (now - fs.statSync(folder).mtimeMs < HEARTBEAT_AGE_MS_MAX) continue;
      if (isRunning(Number(owner[1]), owner[2]!)) continue;
      const target = path.join(own, name);
      fs.renameSync(folder, target);
      adopted.push(target);
    } catch (error) {
      // Another process was faster, or the owner removed its empty folder while draining.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // node's errors carry a code
    }
  }
  return adopted;
}

export interface SegmentFile {
  readonly path: string;
  readonly sequence: number;
  /** The batch's idempotency key, minted when the segment was opened: the same on every attempt, also by an heir. */
  readonly key: string;
  readonly bytes: number;
}

/** The segments of a folder in the order they were opened, those of adopted folders first. */
export function listSegments(folder: string): SegmentFile[] {
  const own: SegmentFile[] = [];
  const inherited: SegmentFile[] = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory() && FOLDER.test(entry.name)) {
      inherited.push(...listSegments(full));
      continue;
    }
    const match = SEGMENT.exec(entry.name);
    if (!match) continue;
    own.push({ path: full, sequence: Number(match[1]), key: match[2]!, bytes: fs.statSync(full).size });
  }
  own.sort((a, b) => a.sequence - b.sequence);
  return [...inherited, ...own];
}

export function segmentName(sequence: number, key: string): string {
  return `${String(sequence).padStart(8, '0')}-${key}.spool`;
}

/** Removes adopted folders that hold nothing any more. */
export function removeEmptyFolders(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || !FOLDER.test(entry.name)) continue;
    const inner = path.join(folder, entry.name);
    removeEmptyFolders(inner);
    if (fs.readdirSync(inner).length === 0) fs.rmdirSync(inner);
  }
}
