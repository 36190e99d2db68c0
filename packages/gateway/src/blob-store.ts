import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { GatewayError } from './errors.ts';
import { writeDurably } from './snapshot-store.ts';

const BLOB_BYTES_MAX = 64 * 1024 * 1024;
const SHA256 = /^[0-9a-f]{64}$/;

/** Content-addressed files: fetched once, checked against their name every time they are read. */
export class BlobStore {
  readonly #folder: string;
  readonly #fetch: (sha256: string) => Promise<Buffer>;
  readonly #loading = new Map<string, Promise<Buffer>>();

  constructor(folder: string, fetch: (sha256: string) => Promise<Buffer>) {
    this.#folder = folder;
    this.#fetch = fetch;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @throws {GatewayError} `gateway.blob_refused` when what control sends isn't what the name says. */
  get(sha256: string): Promise<Buffer> {
    if (!SHA256.test(sha256)) return Promise.reject(new GatewayError('gateway.blob_refused', 'not a SHA-256 name'));
    const loading = this.#loading.get(sha256);
    if (loading) return loading;
    const load = this.#load(sha256).finally(() => this.#loading.delete(sha256));
    this.#loading.set(sha256, load);
    return load;
  }

  async #load(sha256: string): Promise<Buffer> {
    const file = path.join(this.#folder, sha256);
    const stored = await fs.promises.readFile(file).catch(() => undefined);
    if (stored && createHash('sha256').update(stored).digest('hex') === sha256) return stored;
    const bytes = await this.#fetch(sha256);
    if (bytes.length > BLOB_BYTES_MAX || createHash('sha256').update(bytes).digest('hex') !== sha256) {
      throw new GatewayError('gateway.blob_refused', 'a blob is not what its name says', {
        sha256,
        bytes: bytes.length,
      });
    }
    await writeDurably(file, bytes);
    return bytes;
  }
}
