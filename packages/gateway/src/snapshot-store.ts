import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import {
  applyDelta,
  decodeSigned,
  encodeSigned,
  type SignedDocument,
  type Snapshot,
  verifyDelta,
  verifySnapshot,
  type VerifyOptions,
} from '@cordon/policy';
import type { Logger } from '@cordon/kernel';

const FULL = /^(\d{12})\.full$/;
const DELTA = /^(\d{12})-(\d{12})\.delta$/;
const CONTACT = 'contact.json';
/** Past this many deltas a full snapshot is stored in their place. */
const DELTAS_STORED_MAX = 200;

const pad = (version: number): string => String(version).padStart(12, '0');

/** Writes a file so that after a crash it is there whole or not at all. */
export async function writeDurably(file: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const handle = await fs.promises.open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.promises.rename(temporary, file);
  const folder = await fs.promises.open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * The last good snapshot on disk: one full document and the signed deltas after it, each a file of its own, so that
 * several gateway processes can share the folder: they write the same bytes under the same names.
 */
export class SnapshotStore {
  readonly #folder: string;
  readonly #logger: Logger;
  #deltas = 0;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** True when the chain of deltas has grown long enough to be replaced. */
  get wantsFull(): boolean {
    return this.#deltas >= DELTAS_STORED_MAX;
  }

  /** The newest snapshot that verifies, or undefined. Files that don't verify are skipped and reported. */
  load(keys: VerifyOptions['keys']): Snapshot | undefined {
    const names = fs.readdirSync(this.#folder);
    const fulls = names
      .filter((name) => FULL.test(name))
      .sort()
      .reverse();
    for (const name of fulls) {
      const snapshot = this.#verified(name, (signed) => verifySnapshot(signed, { keys }));
      if (snapshot) return this.#replay(snapshot, names, keys);
    }
    return undefined;
  }

  #replay(start: Snapshot, names: readonly string[], keys: VerifyOptions['keys']): Snapshot {
    const byBase = new Map(
      names.filter((name) => DELTA.test(name)).map((name) => [Number(DELTA.exec(name)![1]), name]),
    );
    let snapshot = start;
    for (let name = byBase.get(snapshot.version); name !== undefined; name = byBase.get(snapshot.version)) {
      const next = this.#verified(name, (signed) =>
        applyDelta(snapshot, verifyDelta(signed, { keys, notBefore: snapshot })),
      );
      if (!next) break;
      snapshot = next;
      this.#deltas += 1;
    }
    return snapshot;
  }

  #verified(name: string, read: (signed: SignedDocument) => Snapshot): Snapshot | undefined {
    try {
      return read(decodeSigned(fs.readFileSync(path.join(this.#folder, name), 'utf8')));
    } catch (error) {
      this.#logger.error({ err: error, file: name }, 'a stored snapshot does not verify and is ignored');
      return undefined;
    }
  }

  async saveFull(signed: SignedDocument, version: number): Promise<void> {
    await writeDurably(path.join(this.#folder, `${pad(version)}.full`), encodeSigned(signed));
    this.#deltas = 0;
    for (const name of await fs.promises.readdir(this.#folder)) {
      const from = Number((FULL.exec(name) ?? DELTA.exec(name))?.[1] ?? Number.NaN);
      if (from < version) await fs.promises.rm(path.join(this.#folder, name), { force: true });
    }
  }

  async saveDelta(signed: SignedDocument, base: number, version: number): Promise<void> {
    await writeDurably(path.join(this.#folder, `${pad(base)}-${pad(version)}.delta`), encodeSigned(signed));
    this.#deltas += 1;
  }

  /** When control was last heard of, across restarts. */
  loadContact(): number {
    try {
      const parsed: unknown = JSON.parse(fs.readFileSync(path.join(this.#folder, CONTACT), 'utf8'));
      const at = typeof parsed === 'object' && parsed !== null && 'at' in parsed ? parsed.at : 0;
      return typeof at === 'number' && Number.isFinite(at) ? at : 0;
    } catch {
      return 0;
    }
  }

  async saveContact(at: number): Promise<void> {
    await writeDurably(path.join(this.#folder, CONTACT), JSON.stringify({ at }));
  }
}
